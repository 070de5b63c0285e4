import type { Values } from '../../ports/history.ts'

/** Time between two values. */
export const stepMs = 10_000
/** An hour. */
export const stepsMax = 360
/** Response codes, requests, health, and a server each. */
const seriesMax = 64

/**
 * The values of the last hour, one per series and step. Its memory does not grow: a series is 360 numbers, and there
 * are at most 64 of them. A series without any value in the hour gives its place to a new one.
 */
export class HourRing {
  readonly #series = new Map<string, Float32Array>()
  #first = 0
  #last = -1

  /** The steps that have values, from the oldest to the newest. */
  get from(): number {
    return Math.max(this.#first, this.#last - stepsMax + 1)
  }

  get last(): number {
    return this.#last
  }

  /** Records the values of a step. Steps that were left out since the last one have none. */
  put(step: number, values: ReadonlyMap<string, number>): void {
    if (step <= this.#last) return
    if (this.#last < 0) this.#first = step
    const cleared = Math.max(this.#last + 1, step - stepsMax + 1)
    for (const each of this.#series.values()) {
      for (let at = cleared; at <= step; at++) each[at % stepsMax] = Number.NaN
    }
    this.#last = step
    for (const [name, value] of values) {
      const places = this.#series.get(name) ?? this.#newSeries(name)
      if (places !== undefined) places[step % stepsMax] = value
    }
  }

  /** The names of the series that have a value in the hour. */
  names(): readonly string[] {
    return [...this.#series].filter(([, each]) => hasValue(each)).map(([name]) => name)
  }

  /** The values of a series from the oldest step on; nothing but null if there is no such series. */
  values(name: string): Values {
    const places = this.#series.get(name)
    return Array.from({ length: this.#last - this.from + 1 }, (_none, at) => {
      const value = places?.[(this.from + at) % stepsMax] ?? Number.NaN
      // 32 bits hold seven digits. More would be noise.
      return Number.isNaN(value) ? null : Math.round(value * 100) / 100
    })
  }

  #newSeries(name: string): Float32Array | undefined {
    if (this.#series.size >= seriesMax) this.#dropEmpty()
    if (this.#series.size >= seriesMax) return undefined
    const places = new Float32Array(stepsMax).fill(Number.NaN)
    this.#series.set(name, places)
    return places
  }

  #dropEmpty(): void {
    for (const [name, each] of this.#series) if (!hasValue(each)) this.#series.delete(name)
  }
}

function hasValue(places: Float32Array): boolean {
  return places.some((value) => !Number.isNaN(value))
}
