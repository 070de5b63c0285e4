import type { AnyMetric, HistogramSeries, Labels, Metric, Sample } from '../base/metric.ts'
import { countedTypes } from '../dns/responder-counters.ts'
import { rcodeName } from '../dns/record.ts'
import { recursionMetrics } from './recursion/metrics.ts'
import type { RecursionFigures } from './recursion/recursor-worker.ts'
import { transferMetrics } from './transfer/metrics.ts'
import type { TransferFigures } from './transfer/transfer-options.ts'
import { latencyBounds } from './threads/counters.ts'
import type { StreamFigures } from './streams.ts'
import { queryLogMetrics } from './traffic/query-log-metrics.ts'
import type { QueryLogFigures } from './traffic/query-log.ts'
import type { DnsFigures } from './threads/counters.ts'

interface Thread {
  readonly labels: Labels
  readonly figures: DnsFigures
}

/** The codes up to REFUSED are shown even if no answer has them. */
const commonRcodes = 6

/** The name after `svcd_dns_`, the help text, and the figure. */
type Row = readonly [name: string, help: string, of: (figures: DnsFigures) => number]

const counters: readonly Row[] = [
  ['queries_total', 'DNS packets received.', ({ queries }) => queries],
  ['cache_hits_total', 'DNS answers from the cache of complete packets.', ({ hits }) => hits],
  ['cache_misses_total', 'DNS answers read from the catalog.', ({ misses }) => misses],
  ['dropped_total', 'Dropped packets that were not DNS queries.', ({ dropped }) => dropped],
  ['truncated_total', 'DNS answers truncated with the TC flag.', ({ truncated }) => truncated],
  [
    'failures_total',
    'DNS queries answered with SERVFAIL because of an internal error.',
    ({ failures }) => failures,
  ],
  [
    'rate_limited_total',
    'DNS queries over the rate limit of their network, dropped or answered without records.',
    ({ limited }) => limited,
  ],
  [
    'rate_limit_slipped_total',
    'DNS queries over the rate limit that got an answer without records: with TC, or BADCOOKIE.',
    ({ slipped }) => slipped,
  ],
  [
    'cookies_valid_total',
    'DNS queries with a valid server cookie.',
    ({ cookiesValid }) => cookiesValid,
  ],
  [
    'cookies_invalid_total',
    'DNS queries with a server cookie that is too old or not valid.',
    ({ cookiesInvalid }) => cookiesInvalid,
  ],
  ['socket_errors_total', 'DNS answers that could not be sent.', (each) => each.socketErrors],
  [
    'deferred_total',
    'DNS queries that waited because their answer was not in the cache.',
    ({ deferred }) => deferred,
  ],
  [
    'overflowed_total',
    'DNS queries dropped because too many were waiting.',
    ({ overflowed }) => overflowed,
  ],
]

/** With recursion only. */
const outsideCounters: readonly Row[] = [
  [
    'outside_hits_total',
    'DNS answers for names outside svcd from the cache.',
    ({ outsideHits }) => outsideHits,
  ],
  [
    'outside_stale_total',
    'Expired DNS answers for names outside svcd from the cache.',
    ({ outsideStale }) => outsideStale,
  ],
  [
    'outside_misses_total',
    'DNS queries for names outside svcd that were not in the cache.',
    ({ outsideMisses }) => outsideMisses,
  ],
]

const gauges: readonly Row[] = [
  ['cache_entries', 'Number of DNS answers in the cache.', ({ cacheEntries }) => cacheEntries],
  ['cache_bytes', 'Approximate memory of the DNS cache in bytes.', (each) => each.cacheBytes],
]

/** The metrics of all threads that answer DNS. */
export function dnsMetrics({
  udp,
  streams,
  recursion,
  queryLog,
  transfers,
}: {
  readonly udp: readonly DnsFigures[]
  readonly streams: readonly StreamFigures[]
  readonly recursion?: RecursionFigures | undefined
  readonly queryLog?: QueryLogFigures | undefined
  readonly transfers?: TransferFigures | undefined
}): readonly AnyMetric[] {
  const threads: Thread[] = [
    ...udp.map((figures, at) => ({ labels: { transport: 'udp', thread: `dns-${at}` }, figures })),
    ...streams.map(({ transport, answers: figures }) => ({
      labels: { transport, thread: 'main' },
      figures,
    })),
  ]
  const metricOf = (kind: Metric['kind'], [name, help, of]: Row): Metric => ({
    name: `svcd_dns_${name}`,
    help,
    kind,
    samples: threads.map(({ labels, figures }) => ({ labels, value: of(figures) })),
  })
  return [
    ...[...counters, ...(recursion === undefined ? [] : outsideCounters)].map((row) => {
      return metricOf('counter', row)
    }),
    byPlace('answers_total', 'DNS answers, by response code.', threads, 'rcode', rcodesOf),
    byPlace('questions_total', 'DNS queries answered, by record type.', threads, 'type', typesOf),
    ...gauges.map((row) => metricOf('gauge', row)),
    {
      name: 'svcd_dns_latency_seconds',
      help: 'Seconds from reading a DNS packet until its answer was ready; the answers of one batch share one value.',
      kind: 'histogram',
      series: threads.map(latencySeries),
    },
    ...streamMetrics(streams),
    ...recursionMetrics(recursion),
    ...queryLogMetrics(queryLog),
    ...transferMetrics(transfers),
  ]
}

type StreamRow = readonly [
  name: string,
  kind: 'counter' | 'gauge',
  help: string,
  of: (figures: StreamFigures) => number,
]

const streamRows: readonly StreamRow[] = [
  [
    'connections_open',
    'gauge',
    'DNS connections that are open, by transport.',
    ({ openConnections }) => openConnections,
  ],
  [
    'connections_total',
    'counter',
    'DNS connections accepted, over TLS and HTTPS those with a complete handshake.',
    ({ connections }) => connections.connections,
  ],
  [
    'connections_resumed_total',
    'counter',
    'DNS connections that resumed a TLS session, which saves most of a handshake.',
    ({ connections }) => connections.resumed,
  ],
  [
    'connections_timed_out_total',
    'counter',
    'DNS connections closed because they were idle, or because the client was too slow.',
    ({ connections }) => connections.timeouts,
  ],
  [
    'connection_errors_total',
    'counter',
    'DNS connections closed because of what the client sent, failed TLS handshakes, and refused HTTP requests.',
    ({ connections }) => connections.errors,
  ],
]

function streamMetrics(streams: readonly StreamFigures[]): readonly Metric[] {
  return streamRows.map(([name, kind, help, of]) => ({
    name: `svcd_dns_${name}`,
    help,
    kind,
    samples: streams.map((figures) => ({
      labels: { transport: figures.transport },
      value: of(figures),
    })),
  }))
}

const rcodesOf = ({ rcodes }: DnsFigures): readonly number[] => rcodes
const typesOf = ({ types }: DnsFigures): readonly number[] => types

function byPlace(
  name: string,
  help: string,
  threads: readonly Thread[],
  label: 'rcode' | 'type',
  of: (figures: DnsFigures) => readonly number[],
): Metric {
  const nameOf = (at: number): string =>
    label === 'type' ? (countedTypes[at] ?? 'other') : rcodeName(at)
  const samples = threads.flatMap(({ labels, figures }): Sample[] =>
    of(figures).flatMap((value, at) =>
      // Values of 0 are shown only for the common codes.
      value > 0 || (label === 'rcode' && at < commonRcodes)
        ? [{ labels: { ...labels, [label]: nameOf(at) }, value }]
        : [],
    ),
  )
  return { name: `svcd_dns_${name}`, help, kind: 'counter', samples }
}

/** DNS answers since the start, by response code, of all threads together. */
export function answersByRcode({
  udp,
  streams,
}: {
  readonly udp: readonly DnsFigures[]
  readonly streams: readonly StreamFigures[]
}): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { rcodes } of [...udp, ...streams.map(({ answers }) => answers)]) {
    for (const [at, count] of rcodes.entries()) {
      if (count > 0) counts.set(rcodeName(at), (counts.get(rcodeName(at)) ?? 0) + count)
    }
  }
  return counts
}

function latencySeries({ labels, figures }: Thread): HistogramSeries {
  const { latencies, latencySum } = figures
  return {
    labels,
    bounds: latencyBounds,
    counts: latencies.slice(0, latencyBounds.length),
    count: latencies.reduce((sum, count) => sum + count, 0),
    sum: latencySum,
  }
}
