import type { FastifyInstance } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { consulVersion } from '../../../base/version.ts'
import type { Backend } from '../../../ports/backend.ts'
import { sendJson } from '../../http/reply.ts'
import { addRoute } from '../../http/route.ts'

/** agent/debug, agent/host and agent/version: what `svcd debug` and Consul's put into their bundles. */
export function addDebugRoutes(app: FastifyInstance, backend: Backend): void {
  addRoute(app, 'GET', '/v1/agent/debug', async (request, reply) => {
    const { config, raft, log, resources } = backend.diagnosis()
    return sendJson(request, reply, {
      Config: config,
      Raft: raft,
      Log: log,
      Resources: resources,
    })
  })

  addRoute(app, 'GET', '/v1/agent/host', async (request, reply) => {
    const { memory, cpus, host, disk, errors } = backend.host()
    return sendJson(request, reply, {
      Memory: memory,
      CPU: cpus,
      Host: host,
      Disk: disk,
      // Nanoseconds, as whole ones as there are.
      CollectionTime: Date.now() * 1e6,
      Errors: errors.length === 0 ? null : errors,
    })
  })
  addRoute(app, 'GET', '/v1/agent/version', async (request, reply) =>
    sendJson(request, reply, {
      SHA: '',
      BuildDate: '',
      HumanVersion: consulVersion,
      FIPS: '',
      SvcdVersion: backend.identity.version,
    }),
  )
}

/**
 * `/debug/pprof`: profiles of a Go program, which this is not. Consul answers so when `enable_debug` is
 * off, as `agent/self` says it is here; `consul debug` then leaves them out.
 */
export function addProfileRoutes(app: FastifyInstance): void {
  addRoute(app, 'GET', '/debug/pprof/*', refuseProfile, { isForPages: false })
}

async function refuseProfile(): Promise<never> {
  throw svcdError('no-profiles', {})
}
