import { svcdError } from '../../../base/errors.ts'
import { consulVersion } from '../../../base/version.ts'
import { endpoint } from '../../context.ts'
import * as query from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import {
  list,
  object,
  opaque,
  orNull,
  schemaNamed,
  text,
  texts,
  whole,
} from '../../../http/schemas.ts'

const hostSchema = schemaNamed(
  'Host',
  object({
    Memory: orNull(opaque),
    CPU: list(opaque),
    Host: opaque,
    Disk: orNull(opaque),
    CollectionTime: whole,
    Errors: orNull(texts),
  }),
)

/** agent/debug, agent/host and agent/version: what `svcd debug` and Consul's put into their bundles. */
export const debugEndpoints = [
  endpoint({
    method: 'GET',
    path: '/v1/agent/debug',
    permission: { resource: 'operator', access: 'read' },
    audited: {},
    summary: 'Read the details to attach to a bug report',
    query: query.pretty,
    answer: opaque,
    async handle({ facts }, request, reply) {
      const { config, raft, log, resources } = facts.diagnosis()
      return sendJson(request, reply, {
        Config: config,
        Raft: raft,
        Log: log,
        Resources: resources,
      })
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/agent/host',
    permission: { resource: 'operator', access: 'read' },
    summary: 'Describe the machine that this agent runs on',
    query: query.pretty,
    answer: hostSchema,
    async handle({ facts }, request, reply) {
      const { memory, cpus, host, disk, errors } = facts.host()
      return sendJson(request, reply, {
        Memory: memory,
        CPU: cpus,
        Host: host,
        Disk: disk,
        // Nanoseconds, as whole ones as there are.
        CollectionTime: Date.now() * 1e6,
        Errors: errors.length === 0 ? null : errors,
      })
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/agent/version',
    permission: { resource: 'agent', access: 'read', name: 'own-node' },
    summary: 'Read the versions of the API and of svcd',
    query: query.pretty,
    answer: object({
      SHA: text,
      BuildDate: text,
      HumanVersion: text,
      FIPS: text,
      SvcdVersion: text,
    }),
    handle: async ({ identity }, request, reply) =>
      sendJson(request, reply, {
        SHA: '',
        BuildDate: '',
        HumanVersion: consulVersion,
        FIPS: '',
        SvcdVersion: identity.version,
      }),
  }),
  /**
   * Profiles of a Go program, which this is not. Consul answers so when `enable_debug` is off, as
   * `agent/self` says it is here; `consul debug` then leaves them out.
   */
  endpoint({
    method: 'GET',
    path: '/debug/pprof/{profile}',
    permission: { resource: 'operator', access: 'read' },
    audited: {},
    summary: 'Read a profile (always refused)',
    errors: [401],
    isForPages: false,
    async handle() {
      throw svcdError('no-profiles', {})
    },
  }),
]
