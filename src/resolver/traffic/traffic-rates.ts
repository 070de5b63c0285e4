import { rcodeName } from '../../dns/record.ts'
import { countedTypes } from '../../dns/responder-counters.ts'
import type { StreamFigures } from '../streams.ts'
import { latencyBounds } from '../threads/counters.ts'
import type { DnsFigures } from '../threads/counters.ts'
import type { QueryTransport } from './answered-query.ts'

/** The counters of all threads at one moment. */
export interface CountersAt {
  readonly atMs: number
  readonly udp: readonly DnsFigures[]
  readonly streams: readonly StreamFigures[]
}

export interface TransportRate {
  readonly transport: QueryTransport
  readonly perSecond: number
  /** So many milliseconds at most, for half and for 99 % of the answers. Undefined: no answer, or above all bounds. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

/** What the exact counters say of the time between two moments. */
export interface TrafficRates {
  readonly seconds: number
  readonly perSecond: number
  /** The share of the answers that came from a cache, from 0 to 1. */
  readonly cachedShare: number
  readonly transports: readonly TransportRate[]
  /** Per second; rates of 0 are left out. */
  readonly rcodes: Readonly<Record<string, number>>
  readonly types: Readonly<Record<string, number>>
}

export function ratesBetween(before: CountersAt, after: CountersAt): TrafficRates {
  const seconds = Math.max(1, after.atMs - before.atMs) / 1000
  const older = new Map(byTransport(before))
  const changes = byTransport(after).map(([transport, figures]) => {
    return [transport, figures.map((figure, at) => changeOf(older.get(transport)?.[at], figure))]
  }) as readonly (readonly [QueryTransport, readonly Change[]])[]
  const all = changes.flatMap(([, change]) => change)
  const queries = sum(all.map((change) => change.queries))
  return {
    seconds,
    perSecond: queries / seconds,
    cachedShare: queries === 0 ? 0 : sum(all.map(({ hits }) => hits)) / queries,
    transports: changes.map(([transport, change]) => rateOf(transport, change, seconds)),
    rcodes: named(
      added(all.map(({ rcodes }) => rcodes)).map((count) => count / seconds),
      rcodeName,
    ),
    types: named(
      added(all.map(({ types }) => types)).map((count) => count / seconds),
      (at) => countedTypes[at] ?? 'other',
    ),
  }
}

type Change = Pick<DnsFigures, 'queries' | 'hits' | 'rcodes' | 'types' | 'latencies'>

function byTransport({
  udp,
  streams,
}: CountersAt): readonly (readonly [QueryTransport, readonly DnsFigures[]])[] {
  return [['udp', udp], ...streams.map(({ transport, answers }) => [transport, [answers]] as const)]
}

function changeOf(before: DnsFigures | undefined, after: DnsFigures): Change {
  return {
    queries: after.queries - (before?.queries ?? 0),
    hits: hitsOf(after) - hitsOf(before),
    rcodes: less(after.rcodes, before?.rcodes),
    types: less(after.types, before?.types),
    latencies: less(after.latencies, before?.latencies),
  }
}

function hitsOf(figures: DnsFigures | undefined): number {
  return figures === undefined ? 0 : figures.hits + figures.outsideHits
}

function less(to: readonly number[], from: readonly number[] = []): readonly number[] {
  return to.map((count, at) => count - (from[at] ?? 0))
}

function rateOf(
  transport: QueryTransport,
  changes: readonly Change[],
  seconds: number,
): TransportRate {
  const latencies = added(changes.map((change) => change.latencies))
  return {
    transport,
    perSecond: sum(changes.map(({ queries }) => queries)) / seconds,
    p50Ms: boundOf(latencies, 0.5),
    p99Ms: boundOf(latencies, 0.99),
  }
}

/** The bound of the histogram below which so large a share of the answers is. */
function boundOf(latencies: readonly number[], share: number): number | undefined {
  const all = sum(latencies)
  let below = 0
  for (const [at, bound] of latencyBounds.entries()) {
    below += latencies[at] ?? 0
    if (all > 0 && below >= share * all) return bound * 1000
  }
  return undefined
}

function added(lists: readonly (readonly number[])[]): readonly number[] {
  const [first = []] = lists
  return first.map((_, at) => sum(lists.map((list) => list[at] ?? 0)))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

function named(
  rates: readonly number[],
  nameOf: (at: number) => string,
): Readonly<Record<string, number>> {
  const present = rates.flatMap((rate, at) => (rate > 0 ? [[nameOf(at), rate] as const] : []))
  return Object.fromEntries(present)
}
