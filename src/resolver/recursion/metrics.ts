import { hostPort } from '../../base/host-port.ts'
import type { AnyMetric, Metric } from '../../base/metric.ts'
import type { RecursorFigures, ServerCount } from './recursor-counters.ts'
import { upstreamBounds } from './recursor-counters.ts'
import type { RecursionFigures } from './recursor-worker.ts'

/** The name after `svcd_recursion_`, the help text, and the figure. */
type Row = readonly [name: string, help: string, of: (figures: RecursionFigures) => number]

const counters: readonly Row[] = [
  [
    'queries_total',
    'Queries for names outside svcd that no DNS thread found in its cache.',
    ({ queries }) => queries,
  ],
  [
    'shared_total',
    'Queries that waited for an equal query that was already on its way.',
    ({ shared }) => shared,
  ],
  [
    'stale_total',
    'Expired answers sent because no upstream server answered in time.',
    ({ stale }) => stale,
  ],
  ['failed_total', 'Questions that no upstream server answered.', ({ failed }) => failed],
  [
    'refused_total',
    'Queries answered with SERVFAIL because too many were waiting.',
    ({ refused }) => refused,
  ],
  [
    'refreshed_total',
    'Answers in use that were asked for again before they expired.',
    ({ refreshed }) => refreshed,
  ],
]

const gauges: readonly Row[] = [
  ['waiting', 'Queries that wait for an upstream server now.', ({ waiting }) => waiting],
  ['cache_entries', 'Answers for outside names in the cache.', (each) => each.cacheEntries],
  [
    'cache_bytes_max',
    'The most memory that the cache of outside names takes, in bytes.',
    (each) => each.cacheBytesMax,
  ],
]

const serverRows: readonly (readonly [name: string, help: string, count: ServerCount])[] = [
  ['sent_total', 'Queries sent to an upstream server.', 'sent'],
  ['answered_total', 'Answers from an upstream server.', 'answered'],
  ['timeouts_total', 'Queries that an upstream server did not answer in time.', 'timeouts'],
  ['errors_total', 'Queries that could not be sent to an upstream server.', 'errors'],
  ['lame_total', 'Responses of an upstream server that svcd could not use.', 'lame'],
  ['unexpected_total', 'Packets from an upstream server that answer no query of svcd.', 'forged'],
]

/** The metrics of queries for outside names. */
export function recursionMetrics(figures: RecursionFigures | undefined): readonly AnyMetric[] {
  if (figures === undefined) return []
  const metricOf = (kind: Metric['kind'], [name, help, of]: Row): Metric => ({
    name: `svcd_recursion_${name}`,
    help,
    kind,
    samples: [{ labels: {}, value: of(figures) }],
  })
  return [
    ...counters.map((row) => metricOf('counter', row)),
    ...gauges.map((row) => metricOf('gauge', row)),
    ...serverRows.map(([name, help, count]) => ofServers(figures, 'counter', name, help, count)),
    ofServers(
      figures,
      'gauge',
      'down',
      '1 if an upstream server has not answered lately, so the others are asked first.',
      'isDown',
    ),
    latency(figures),
  ]
}

function ofServers(
  { servers, addresses }: RecursionFigures,
  kind: Metric['kind'],
  name: string,
  help: string,
  count: ServerCount,
): Metric {
  const samples = servers.map((server, at) => {
    const { address = '', port = 0 } = addresses[at] ?? {}
    return { labels: { server: hostPort(address, port) }, value: server[count] }
  })
  return { name: `svcd_recursion_upstream_${name}`, help, kind, samples }
}

function latency({ latencies, upstreamSeconds }: RecursorFigures): AnyMetric {
  return {
    name: 'svcd_recursion_upstream_seconds',
    help: 'Seconds from a query to an upstream server until its answer.',
    kind: 'histogram',
    series: [
      {
        labels: {},
        bounds: upstreamBounds,
        counts: latencies.slice(0, upstreamBounds.length),
        count: latencies.reduce((sum, count) => sum + count, 0),
        sum: upstreamSeconds,
      },
    ],
  }
}
