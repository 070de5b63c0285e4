import type { AnyMetric, HistogramSeries, Labels, Metric, Sample } from '../base/metric.ts'
import { countedTypes } from '../dns/responder-counters.ts'
import { latencyBounds } from './dns-counters.ts'
import type { DnsFigures } from './dns-counters.ts'

interface Thread {
  readonly labels: Labels
  readonly figures: DnsFigures
}

const rcodeNames = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

/** The figures of all threads that answer DNS, as metrics. */
export function dnsMetrics({
  udp,
  tcp,
}: {
  readonly udp: readonly DnsFigures[]
  readonly tcp: DnsFigures
}): readonly AnyMetric[] {
  const threads: Thread[] = [
    ...udp.map((figures, at) => ({ labels: { transport: 'udp', thread: `dns-${at}` }, figures })),
    { labels: { transport: 'tcp', thread: 'main' }, figures: tcp },
  ]
  const counter = (name: string, help: string, of: (figures: DnsFigures) => number): Metric => ({
    name: `svcd_dns_${name}`,
    help,
    kind: 'counter',
    samples: threads.map(({ labels, figures }) => ({ labels, value: of(figures) })),
  })
  const gauge = (name: string, help: string, of: (figures: DnsFigures) => number): Metric => ({
    ...counter(name, help, of),
    kind: 'gauge',
  })
  return [
    counter('queries_total', 'DNS packets received.', ({ queries }) => queries),
    byPlace('answers_total', 'DNS answers by rcode.', threads, 'rcode', ({ rcodes }) => rcodes),
    byPlace('questions_total', 'DNS questions answered, by type.', threads, 'type', typesOf),
    counter('cache_hits_total', 'Answers from the cache of finished packets.', ({ hits }) => hits),
    counter('cache_misses_total', 'Answers read from the catalog.', ({ misses }) => misses),
    counter('dropped_total', 'Packets without an answer: no queries.', ({ dropped }) => dropped),
    counter('truncated_total', 'Answers that were cut (TC).', ({ truncated }) => truncated),
    counter('failures_total', 'Questions that a failure answered.', ({ failures }) => failures),
    // There is no limit yet: it is here so that alerts on it can be written.
    counter('rate_limited_total', 'Questions dropped or cut by a rate limit.', () => 0),
    counter('socket_errors_total', 'Answers that could not be sent.', (each) => each.socketErrors),
    counter(
      'deferred_total',
      'Questions that waited behind answers that are in the cache.',
      deferred,
    ),
    counter('overflowed_total', 'Questions that got no answer: too many waited.', overflowed),
    gauge('cache_entries', 'Answers in the cache.', ({ cacheEntries }) => cacheEntries),
    gauge('cache_bytes', 'Memory of the answers in the cache, roughly.', (each) => each.cacheBytes),
    {
      name: 'svcd_dns_latency_seconds',
      help: 'From taking a packet from the system until its answer was ready; what leaves together counts as one.',
      kind: 'histogram',
      series: threads.map(latencySeries),
    },
  ]
}

const deferred = (figures: DnsFigures): number => figures.deferred
const overflowed = (figures: DnsFigures): number => figures.overflowed
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
      // What never happened is told for the common ones only.
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
