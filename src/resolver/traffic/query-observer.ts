import { readAnswered } from './answered-query.ts'
import type { AnswerPlace, AnsweredQuery, QueryTransport } from './answered-query.ts'
import type { LogBudget } from './log-budget.ts'
import { queryLine } from './query-line.ts'
import { Sampler } from './sampler.ts'
import { TrafficWindow } from './traffic-window.ts'
import type { TrafficSample } from './traffic-window.ts'

/** The window is dropped after so long without a read. */
const idleMs = 60_000
/** The samples of one thread for the window. */
const samplesPerSecond = 1000
/** More lines are not collected before they are sent. */
const textCharsMax = 64 * 1024

export interface QueryObserverOptions {
  /** Not 0; see `Sampler`. */
  readonly seed: number
  readonly budget: LogBudget
  /** Takes whole lines of the query log. */
  readonly send: (text: string) => void
  /** After the first line that waits, on a thread that does not flush by itself. */
  readonly onQueued?: () => void
  readonly nowMs: () => number
  readonly wallMs: () => number
}

/** How a query came to its answer. */
export interface Answered extends AnswerPlace {
  readonly transport: QueryTransport
  readonly client: string
  /** When it was received, by the clock of the observer. */
  readonly beganMs: number
  readonly isCached: boolean
}

/** How many queries a chosen one stands for in each sample; 0: it is not in that one. */
export interface Chosen {
  readonly windowWeight: number
  readonly logWeight: number
}

export const unchosen: Chosen = { windowWeight: 0, logWeight: 0 }

/**
 * What one thread sees of the queries that it answers: a window of the frequent ones while somebody looks, and lines
 * for the query log. A query that is in neither sample costs two subtractions.
 */
export class QueryObserver {
  readonly #options: QueryObserverOptions
  readonly #forWindow: Sampler
  readonly #forLog: Sampler
  #window: TrafficWindow | undefined
  #readMs = 0
  #text = ''
  #lines = 0

  constructor(options: QueryObserverOptions) {
    this.#options = options
    this.#forWindow = new Sampler(options.seed, samplesPerSecond)
    this.#forLog = new Sampler(~options.seed)
  }

  /** From now on one query of `every` gets a line; 0: none. */
  logEvery(every: number): void {
    this.#forLog.start(every, this.#options.nowMs())
  }

  /** What the window has. The first call opens it. */
  traffic(): TrafficSample {
    const nowMs = this.#options.nowMs()
    this.#readMs = nowMs
    if (this.#window === undefined) {
      this.#window = new TrafficWindow(nowMs)
      this.#forWindow.start(1, nowMs)
    } else this.#forWindow.adjust(nowMs)
    return this.#window.read(nowMs)
  }

  /** Counts an answered query. If it is chosen, it is to be passed to {@link note}, now or later. */
  choose(): Chosen {
    const isForWindow = this.#forWindow.count()
    const isForLog = this.#forLog.count()
    return isForWindow || isForLog ? this.#chosen(isForWindow, isForLog) : unchosen
  }

  note(packet: Uint8Array, answered: Answered, chosen: Chosen): void {
    const { transport, client, beganMs, isCached } = answered
    const nowMs = this.#options.nowMs()
    const how = { transport, client, latencyMs: nowMs - beganMs, isCached }
    const query = { ...readAnswered(packet, answered), ...how }
    if (chosen.windowWeight > 0) this.#window?.add(query, chosen.windowWeight, nowMs)
    if (chosen.logWeight > 0) this.#addLine(query, chosen.logWeight)
  }

  /** Sends the lines that wait. */
  flush(): void {
    if (this.#text === '') return
    const [text, lines] = [this.#text, this.#lines]
    this.#text = ''
    this.#lines = 0
    if (this.#options.budget.take(text.length, lines)) this.#options.send(text)
  }

  #chosen(isForWindow: boolean, isForLog: boolean): Chosen {
    const nowMs = this.#options.nowMs()
    if (isForWindow && nowMs - this.#readMs > idleMs) this.#closeWindow(nowMs)
    const [windowWeight, logWeight] = [this.#forWindow.weight, this.#forLog.weight]
    return {
      windowWeight: isForWindow && this.#forWindow.next(nowMs) ? windowWeight : 0,
      logWeight: isForLog && this.#forLog.next(nowMs) ? logWeight : 0,
    }
  }

  #closeWindow(nowMs: number): void {
    this.#window = undefined
    this.#forWindow.start(0, nowMs)
  }

  #addLine(query: AnsweredQuery, weight: number): void {
    if (this.#text === '') this.#options.onQueued?.()
    this.#text += queryLine(query, this.#options.wallMs(), weight)
    this.#lines++
    if (this.#text.length >= textCharsMax) this.flush()
  }
}
