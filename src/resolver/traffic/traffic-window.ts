import type { AnsweredQuery } from './answered-query.ts'
import { HeavyHitters, mergeHitters } from './heavy-hitters.ts'
import type { Hitter } from './heavy-hitters.ts'

/** The names and the clients of queries. `missing`: names that do not exist. */
type TrafficList = 'names' | 'missing' | 'clients'

export type TrafficLists<T> = Readonly<Record<TrafficList, T>>

export type TrafficSample = TrafficLists<readonly Hitter[]>

/** Many more are counted than are shown, so that the counts of those are exact. */
const keysMax = 512
const rowsMax = 128

/** The time that a list covers is between this and its half. */
export const windowMs = 10_000
const halfMs = windowMs / 2

/**
 * The frequent names and clients of the last seconds. It consists of two halves: when the newer one is complete, the
 * older one is dropped.
 */
export class TrafficWindow {
  #older = emptyHalf()
  #newer = emptyHalf()
  #newerMs: number
  readonly #beganMs: number

  constructor(nowMs: number) {
    this.#beganMs = nowMs
    this.#newerMs = nowMs
  }

  add({ name, rcode, client }: AnsweredQuery, weight: number, nowMs: number): void {
    this.#turn(nowMs)
    this.#newer.clients.add(client, weight)
    if (name === '') return
    this.#newer.names.add(name, weight)
    if (rcode === 'NXDOMAIN') this.#newer.missing.add(name, weight)
  }

  /** The counts are per second. */
  read(nowMs: number): TrafficSample {
    this.#turn(nowMs)
    const coveredMs = Math.min(nowMs - this.#beganMs, halfMs + nowMs - this.#newerMs)
    const seconds = Math.max(1, coveredMs) / 1000
    const listOf = (of: TrafficList): readonly Hitter[] =>
      mergeHitters([this.#older[of].list(), this.#newer[of].list()], rowsMax).map((hitter) => ({
        key: hitter.key,
        count: hitter.count / seconds,
        error: hitter.error / seconds,
      }))
    return eachList(listOf)
  }

  #turn(nowMs: number): void {
    const halves = Math.floor((nowMs - this.#newerMs) / halfMs)
    if (halves < 1) return
    this.#older = halves === 1 ? this.#newer : emptyHalf()
    this.#newer = emptyHalf()
    this.#newerMs += halves * halfMs
  }
}

function emptyHalf(): TrafficLists<HeavyHitters> {
  return eachList(() => new HeavyHitters(keysMax))
}

/** The samples of all threads together. */
export function mergeSamples(samples: readonly TrafficSample[], rows: number): TrafficSample {
  return eachList((of) =>
    mergeHitters(
      samples.map((sample) => sample[of]),
      rows,
    ),
  )
}

function eachList<T>(of: (list: TrafficList) => T): TrafficLists<T> {
  return { names: of('names'), missing: of('missing'), clients: of('clients') }
}
