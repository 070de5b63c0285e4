import { createHash } from 'node:crypto'
import { svcdError } from '../../../base/errors.ts'
import { subject } from '../../../state/catalog/subjects.ts'
import { endpoint } from '../../context.ts'
import { timeoutMs, untilFound } from '../../../http/blocking.ts'
import { agentServiceJson } from '../../../http/encode.ts'
import { parameter, readOptions } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { mustAllow } from '../../../http/requesters.ts'
import { agentServiceRow } from '../../../http/row-schemas.ts'
import { nearServices } from './nearest-id.ts'
import type { ApiContext } from '../../context.ts'
import type { Requester } from '../../../access/requester.ts'

/** Consul's for hashes; indexes wait for half of it. */
const waitMsDefault = 600_000

/** agent/service: one service of this agent, which can be waited on by the hash of its contents. */
export const oneServiceEndpoint = endpoint({
  method: 'GET',
  path: '/v1/agent/service/{service_id}',
  permission: { handlerChecks: [{ resource: 'service', access: 'read' }] },
  summary: 'Read one service of this agent',
  query: {
    hash: { type: 'string', description: 'Wait while X-Consul-ContentHash has this value' },
    ...query.wait,
    ...query.dc,
    ...query.pretty,
  },
  answer: agentServiceRow,
  errors: [404],
  async handle(context, request, reply) {
    const { identity, random } = context
    const id = request.params
    const { waitMs } = readOptions(request.query, identity)
    const known = parameter(request.query, 'hash') ?? ''
    const wait = {
      state: context.catalog,
      subject: subject.node(identity.nodeName),
      limitMs: () => timeoutMs(waitMs, random, waitMsDefault),
    }
    let hasLooked = false
    const { json, hash } = await untilFound(context, reply, wait, (_since, isLast) => {
      // After a wait its token may have other rights, or none.
      const requester = hasLooked ? context.requesterNow(request) : context.requesterOf(request)
      hasLooked = true
      const found = serviceOf(context, id, requester)
      return isLast || found.hash !== known ? found : undefined
    })
    if (reply.raw.destroyed) return reply.hijack()
    reply.header('X-Consul-ContentHash', hash)
    return sendJson(request, reply, { ...json, ContentHash: hash })
  },
})

/** Throws `no-agent-service` or `no-agent-service-near`, also when the service goes while somebody waits. */
function serviceOf(
  { agent, identity }: Pick<ApiContext, 'agent' | 'identity'>,
  id: string,
  requester: Requester,
) {
  const service = agent.service(id)
  if (service === undefined) {
    const near = nearServices(agent, id, requester.caller)
    if (near === '') throw svcdError('no-agent-service', { id })
    throw svcdError('no-agent-service-near', { id, near })
  }
  mustAllow(requester, { resource: 'service', name: service.name, access: 'read' })
  const json = agentServiceJson(service, identity.datacenter)
  return { json, hash: contentHash(JSON.stringify(json)) }
}

/** 64 bits in hex, like Consul's: clients compare them, and they are not a security feature. */
function contentHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
