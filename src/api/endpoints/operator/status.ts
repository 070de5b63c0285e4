import { svcdError } from '../../../base/errors.ts'
import { endpoint } from '../../context.ts'
import { allParameters, checkDatacenter, parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { sendJson } from '../../../http/reply.ts'
import { object, text, textMap, texts } from '../../../http/schemas.ts'

const forClients = { none: 'clients ask for it before they have a token' }

/** status/*: what client libraries and the CLI use as a ping. */
export const statusEndpoints = [
  endpoint({
    method: 'GET',
    path: '/v1/status/leader',
    permission: forClients,
    summary: 'Read the host:port of the leader; empty without a leader',
    query: { ...query.dc, ...query.pretty },
    answer: text,
    async handle({ freshness, identity }, request, reply) {
      checkDatacenter(parameter(request.query, 'dc'), identity)
      return sendJson(request, reply, freshness.leader())
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/status/peers',
    permission: forClients,
    summary: 'List the host:port of every server that votes',
    query: { ...query.dc, ...query.pretty },
    answer: texts,
    async handle({ cluster, identity }, request, reply) {
      checkDatacenter(parameter(request.query, 'dc'), identity)
      return sendJson(request, reply, cluster.peers())
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/status/times',
    permission: { none: 'it tells of times only, not of what was written' },
    summary: 'Read when log entries were written',
    query: {
      entry: { ...texts, description: 'The index of a log entry; may be repeated' },
      ...query.pretty,
    },
    answer: object({ Times: textMap, Oldest: text, Newest: text }),
    async handle({ catalog }, request, reply) {
      const entries = entriesOf(request.query)
      const { known, oldest, newest } = catalog.read((reader) => reader.entryTimes(entries))
      return sendJson(request, reply, {
        Times: Object.fromEntries(known.map((time) => [String(time.index), timeText(time)])),
        Oldest: oldest === undefined ? '' : timeText(oldest),
        Newest: newest === undefined ? '' : timeText(newest),
      })
    },
  }),
]

const entriesMax = 1000

function entriesOf(parameters: Parameters): readonly number[] {
  const texts = allParameters(parameters, 'entry')
  const bad = texts.find((text) => !/^\d{1,15}$/.test(text))
  if (bad !== undefined) throw svcdError('entry-not-an-index', { value: JSON.stringify(bad) })
  if (texts.length > entriesMax) throw svcdError('too-many-entries', { max: entriesMax })
  return texts.map(Number)
}

function timeText({ timeMs }: { readonly timeMs: number }): string {
  return new Date(timeMs).toISOString()
}
