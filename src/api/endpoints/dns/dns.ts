import type { FastifyRequest } from 'fastify'
import type { Requester } from '../../../access/requester.ts'
import { svcdError } from '../../../base/errors.ts'
import { isUsableLabel } from './label.ts'
import { dnsTopEndpoint } from './top.ts'
import type { AnsweredRecord, LocalDns } from '../../../ports/dns.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext, ApiEndpoint } from '../../context.ts'
import { parameter } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { Denial, mustAllow } from '../../../http/requesters.ts'
import { sendJson } from '../../../http/reply.ts'
import { list, object, text, texts, whole } from '../../../http/schemas.ts'

const record = object({ Name: text, Type: text, TTL: whole, Data: text })

/** dns/*: what the DNS server of this agent answers; svcd's own. */
export const dnsEndpoints: readonly ApiEndpoint[] = [
  dnsTopEndpoint,
  endpoint({
    method: 'GET',
    path: '/v1/dns/service/{service}',
    permission: {
      handlerChecks: [
        { resource: 'service', access: 'read' },
        { resource: 'node', access: 'read' },
      ],
    },
    summary: 'Read what DNS answers for a service',
    query: {
      type: { ...text, description: 'The record type. Default: A' },
      stale: { type: 'boolean', description: 'Accepted; DNS always answers from this server' },
      ...query.pretty,
    },
    answer: object({
      Name: text,
      Type: text,
      Rcode: text,
      Flags: texts,
      Command: text,
      Answer: list(record),
      Authority: list(record),
      Additional: list(record),
    }),
    errors: [403, 404],
    async handle(context, request, reply) {
      const service = request.params
      mayReadAll(context, request, service)
      const { dns, identity } = context
      if (dns === undefined) throw svcdError('dns-off', {})
      const name = nameOf(service, identity.domain)
      const type = (parameter(request.query, 'type') || 'A').toUpperCase()
      const found = await dns.ask(name, type)
      return sendJson(request, reply, {
        Name: name,
        Type: type,
        Rcode: found?.rcode ?? '',
        Flags: found?.flags ?? [],
        Command: digCommand(dns, name, type),
        Answer: (found?.answer ?? []).map(recordJson),
        Authority: (found?.authority ?? []).map(recordJson),
        Additional: (found?.additional ?? []).map(recordJson),
      })
    },
  }),
]

/**
 * An answer cannot be filtered, so it needs the rights to every instance of the service. A denial does not name what
 * is hidden.
 */
function mayReadAll(context: ApiContext, request: FastifyRequest, service: string): void {
  const requester = context.requesterOf(request)
  mustAllow(requester, { resource: 'service', name: service, access: 'read' })
  const { services, nodes } = context.catalog.read((catalog) => ({
    // DNS names have no case, but rules distinguish spellings.
    services: catalog.spellingsOf(service),
    nodes: catalog.candidates(service).map(({ node }) => node),
  }))
  mustSeeAll(requester, 'service', services)
  mustSeeAll(requester, 'node', nodes)
}

function mustSeeAll(
  requester: Requester,
  resource: 'service' | 'node',
  names: readonly string[],
): void {
  const { rights } = requester.caller
  if (names.every((name) => rights.allows(resource, name, 'read'))) return
  throw new Denial(requester, { resource, name: '', access: 'read' })
}

function nameOf(service: string, domain: string): string {
  if (service === '') throw svcdError('missing-service-name', {})
  if (!isUsableLabel(service)) {
    const reason = `DNS has no name for "${service}": a label has 1 to 63 bytes and no dot`
    throw svcdError('invalid-field', { field: 'service', reason })
  }
  return `${service}.service.${domain.replace(/\.$/, '')}.`
}

function digCommand({ address, port }: LocalDns, name: string, type: string): string {
  const where = port === 53 ? `@${address}` : `@${address} -p ${port}`
  // The name may hold what a shell would take for something else.
  const quoted = /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`
  return `dig ${where} ${quoted} ${type}`
}

function recordJson({ name, type, ttl, data }: AnsweredRecord): object {
  return { Name: name, Type: type, TTL: ttl, Data: data }
}
