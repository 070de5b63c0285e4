import type { AnyMetric, HistogramSeries, Labels, Metric, Sample } from '../base/metric.ts'
import { countedTypes } from '../dns/responder-counters.ts'
import { recursionMetrics } from './recursion/metrics.ts'
import type { RecursionFigures } from './recursion/recursor-worker.ts'
import { latencyBounds } from './threads/counters.ts'
import type { DnsFigures } from './threads/counters.ts'

interface Thread {
  readonly labels: Labels
  readonly figures: DnsFigures
}

const rcodeNames = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

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
  // There is no limit yet. The metric exists so that you can write alerts for it.
  [
    'rate_limited_total',
    'DNS queries dropped or truncated by a rate limit; always 0, because there is no limit yet.',
    () => 0,
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
  tcp,
  recursion,
}: {
  readonly udp: readonly DnsFigures[]
  readonly tcp: DnsFigures
  readonly recursion?: RecursionFigures | undefined
}): readonly AnyMetric[] {
  const threads: Thread[] = [
    ...udp.map((figures, at) => ({ labels: { transport: 'udp', thread: `dns-${at}` }, figures })),
    { labels: { transport: 'tcp', thread: 'main' }, figures: tcp },
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
    ...recursionMetrics(recursion),
  ]
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
    label === 'type' ? (countedTypes[at] ?? 'other') : (rcodeNames[at] ?? `RCODE${at}`)
  const samples = threads.flatMap(({ labels, figures }): Sample[] =>
    of(figures).flatMap((value, at) =>
      // Values of 0 are shown only for the common codes.
      value > 0 || (label === 'rcode' && at < rcodeNames.length)
        ? [{ labels: { ...labels, [label]: nameOf(at) }, value }]
        : [],
    ),
  )
  return { name: `svcd_dns_${name}`, help, kind: 'counter', samples }
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
