import { setTimeout as sleep } from 'node:timers/promises'
import type { Zone } from '../../dns/zone.ts'
import { nameRights } from './name-rights.ts'
import type { NameRight } from './name-rights.ts'
import { ratesBetween } from './traffic-rates.ts'
import type { CountersAt, TrafficRates } from './traffic-rates.ts'
import { mergeSamples, windowMs } from './traffic-window.ts'
import type { TrafficSample } from './traffic-window.ts'

/** A name or a client, and how often it asked or was asked for; estimated from a sample. */
export interface TrafficRow {
  readonly name: string
  readonly perSecond: number
  /** What a reader of the name must be allowed to read. */
  readonly rights: readonly NameRight[]
}

/** The DNS queries of the last seconds. */
export interface TrafficReport extends TrafficRates {
  readonly names: readonly TrafficRow[]
  /** Names that do not exist. */
  readonly missing: readonly TrafficRow[]
  readonly clients: readonly TrafficRow[]
}

export interface DnsTrafficParts {
  readonly counters: () => Omit<CountersAt, 'atMs'>
  /** Of each thread that answers. */
  readonly samples: () => Promise<readonly TrafficSample[]>
  readonly zone: () => Zone
  readonly nowMs: () => number
}

const rowsMax = 100
const stepMs = 1000
/** After so long without a read, nothing is counted any more. */
const idleMs = 60_000

/** Watches the traffic while somebody asks for it, and for a minute after that. */
export class DnsTraffic {
  readonly #parts: DnsTrafficParts
  #steps: readonly CountersAt[] = []
  #timer: NodeJS.Timeout | undefined
  #readMs = 0
  #opening: Promise<unknown> | undefined

  constructor(parts: DnsTrafficParts) {
    this.#parts = parts
  }

  /** The first call waits for a second, so that there is something to see. */
  async read(): Promise<TrafficReport> {
    this.#readMs = this.#parts.nowMs()
    await (this.#opening ??= this.#open())
    const { names, missing, clients } = mergeSamples(await this.#parts.samples(), rowsMax)
    const zone = this.#parts.zone()
    const row = ({ key, count }: { readonly key: string; readonly count: number }) => ({
      name: key,
      perSecond: count,
      rights: nameRights(key, zone),
    })
    const now = this.#counters()
    return {
      ...ratesBetween(this.#steps[0] ?? now, now),
      names: names.map(row),
      missing: missing.map(row),
      clients: clients.map(({ key, count }) => ({ name: key, perSecond: count, rights: [] })),
    }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#steps = []
    this.#opening = undefined
  }

  async #open(): Promise<void> {
    this.#steps = [this.#counters()]
    this.#timer = setInterval(() => this.#step(), stepMs).unref()
    await this.#parts.samples()
    await sleep(stepMs, undefined, { ref: false })
  }

  #step(): void {
    const now = this.#counters()
    if (now.atMs - this.#readMs > idleMs) return this.close()
    this.#steps = [...this.#steps.filter(({ atMs }) => now.atMs - atMs < windowMs), now]
    return undefined
  }

  #counters(): CountersAt {
    return { ...this.#parts.counters(), atMs: this.#parts.nowMs() }
  }
}
