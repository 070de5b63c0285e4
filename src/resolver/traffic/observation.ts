import { must } from '../../base/assert.ts'
import type { Logger } from '../../base/log.ts'
import type { Zone } from '../../dns/zone.ts'
import { DnsTraffic } from './dns-traffic.ts'
import type { TrafficReport } from './dns-traffic.ts'
import type { ObserverShare } from './messages.ts'
import { QueryLog } from './query-log.ts'
import type { QueryLogFigures, QueryLogSettings } from './query-log.ts'
import type { QueryObserver } from './query-observer.ts'
import { openObserver } from './thread-observer.ts'
import type { CountersAt } from './traffic-rates.ts'
import type { TrafficSample } from './traffic-window.ts'

/** Threads that answer queries, and observe them. */
export interface ObservingThreads {
  logEvery(every: number): void
  traffic(): Promise<readonly TrafficSample[]>
}

export interface ObservationOptions {
  readonly zone: Zone
  /** Undefined: there is no query log. */
  readonly queryLog: QueryLogSettings | undefined
  readonly logger: Logger
}

const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }

/** What a node sees of the queries of its clients, with all its threads: the frequent ones, and the query log. */
export class Observation {
  /** Of the main thread. */
  readonly observer: QueryObserver
  readonly #log: QueryLog
  #zone: Zone
  #threads: readonly ObservingThreads[] = []
  #traffic: DnsTraffic | undefined

  constructor({ zone, queryLog, logger }: ObservationOptions) {
    this.#zone = zone
    this.#log = new QueryLog(queryLog, { logger, clock })
    this.observer = openObserver(this.share, this.takeLines)
  }

  /** For the other threads. */
  get share(): ObserverShare {
    return { budget: this.#log.budget.buffer, logEvery: this.#log.every }
  }

  readonly takeLines = (text: string): void => this.#log.take(text)

  /** The other threads run. */
  begin(threads: readonly ObservingThreads[], counters: () => Omit<CountersAt, 'atMs'>): void {
    this.#threads = threads
    this.#traffic = new DnsTraffic({
      counters,
      samples: async () => {
        const others = await Promise.all(threads.map((each) => each.traffic()))
        return [this.observer.traffic(), ...others.flat()]
      },
      zone: () => this.#zone,
      nowMs: clock.monotonicMs,
    })
  }

  /** Names are understood by this zone from now on. */
  setZone(zone: Zone): void {
    this.#zone = zone
  }

  /** Undefined: there is no query log. */
  get logFigures(): QueryLogFigures | undefined {
    return this.#log.figures
  }

  /** After {@link begin}. */
  traffic(): Promise<TrafficReport> {
    return must(this.#traffic, 'the threads run').read()
  }

  /** The query log of a new configuration. */
  useLog(settings: QueryLogSettings | undefined): void {
    this.#log.use(settings)
    const { every } = this.#log
    this.observer.logEvery(every)
    for (const threads of this.#threads) threads.logEvery(every)
  }

  /** Another program has moved the file of the query log. */
  reopenLog(): void {
    this.#log.reopen()
  }

  /** After all threads have ended. */
  async close(): Promise<void> {
    this.#traffic?.close()
    this.observer.flush()
    await this.#log.close()
  }
}
