import { Viewer } from '../../../access/viewer.ts'
import { svcdError } from '../../../base/errors.ts'
import type { TrafficRow } from '../../../ports/dns.ts'
import { endpoint } from '../../context.ts'
import type { ApiContext } from '../../context.ts'
import * as query from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { tellFiltered } from '../../../http/requesters.ts'
import { list, map, object, orNull, text } from '../../../http/schemas.ts'

const number = { type: 'number' } as const
const rows = list(object({ Name: text, PerSecond: number }))

/** agent/dns/top: what DNS is asked now; svcd's own. */
export const dnsTopEndpoint = endpoint({
  method: 'GET',
  path: '/v1/agent/dns/top',
  permission: { resource: 'agent', access: 'read', name: 'own-node' },
  summary: 'Read what DNS clients ask this agent now: rates, frequent names and clients',
  query: query.pretty,
  answer: object({
    Seconds: number,
    PerSecond: number,
    CachedShare: number,
    Transports: list(
      object({
        Transport: text,
        PerSecond: number,
        P50Ms: orNull(number),
        P99Ms: orNull(number),
      }),
    ),
    Rcodes: map(number),
    Types: map(number),
    Names: rows,
    Missing: rows,
    Clients: rows,
  }),
  errors: [403, 404],
  async handle(context, request, reply) {
    const { dns } = context
    if (dns === undefined) throw svcdError('dns-off', {})
    const traffic = await dns.traffic()
    const viewer = new Viewer(context.callerOf(request))
    const shown = (all: readonly TrafficRow[]): readonly object[] =>
      all
        .filter((row) => sees(context, viewer, row))
        .map(({ name, perSecond }) => ({ Name: name, PerSecond: rounded(perSecond) }))
    const answer = {
      Seconds: rounded(traffic.seconds),
      PerSecond: rounded(traffic.perSecond),
      CachedShare: rounded(traffic.cachedShare),
      Transports: traffic.transports.map(({ transport, perSecond, p50Ms, p99Ms }) => ({
        Transport: transport,
        PerSecond: rounded(perSecond),
        P50Ms: p50Ms ?? null,
        P99Ms: p99Ms ?? null,
      })),
      Rcodes: roundedAll(traffic.rcodes),
      Types: roundedAll(traffic.types),
      Names: shown(traffic.names),
      Missing: shown(traffic.missing),
      Clients: shown(traffic.clients),
    }
    if (viewer.hasHidden) tellFiltered(request, reply)
    return sendJson(request, reply, answer)
  },
})

/** A name that clients have asked for may say what exists. DNS names have no case, but rules distinguish spellings. */
function sees({ catalog }: ApiContext, viewer: Viewer, { rights }: TrafficRow): boolean {
  return rights.every(({ resource, name }) => {
    if (viewer.caller.rights.allowsAll(resource, 'read')) return true
    if (name === undefined) {
      viewer.hide()
      return false
    }
    const spellings = catalog.read((reader) =>
      resource === 'service' ? reader.spellingsOf(name) : [reader.node(name)?.name ?? name],
    )
    return [name, ...spellings].every((each) => viewer.sees(resource, each))
  })
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

function roundedAll(rates: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, rounded(rate)]))
}
