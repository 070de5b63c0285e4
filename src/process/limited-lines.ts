import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'

export interface Line {
  readonly fields: object
  readonly message: string
}

/** Lines of one sort; `rest` says in words how many more there were in so many seconds. */
export interface LineKind {
  readonly level: 'info' | 'warn'
  readonly rest: (count: number, seconds: number) => string
}

interface Window {
  readonly startedMs: number
  written: number
  looked: number
  rest: number
  timer: NodeJS.Timeout | undefined
}

const windowMs = 10_000
const linesMax = 20
/** To see that a change is not worth a line costs reads, so not even that is done without end. */
const lookedMax = 200

/**
 * Log lines about what may happen thousands of times a second: of each kind at most 20 in 10 s are
 * written one by one. Those beyond are counted, which costs some nanoseconds, and one line says how many
 * they were when the 10 s are over.
 */
export class LimitedLines {
  readonly #logger: Logger
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #windows = new Map<LineKind, Window>()

  constructor(logger: Logger, clock: Pick<Clock, 'monotonicMs'>) {
    this.#logger = logger
    this.#clock = clock
  }

  /** Whether the next line of this kind is written rather than counted. */
  isOpen(kind: LineKind): boolean {
    if (!this.#isTaken(kind)) return false
    const { written, looked } = this.#window(kind)
    return written < linesMax && looked < lookedMax
  }

  /** `line` returns undefined when it turns out that there is nothing to say. */
  write(kind: LineKind, line: () => Line | undefined): void {
    if (!this.#isTaken(kind)) return
    const window = this.#window(kind)
    if (window.written >= linesMax || window.looked >= lookedMax) {
      this.#count(kind, window)
      return
    }
    window.looked++
    const found = line()
    if (found === undefined) return
    window.written++
    this.#logger[kind.level](found.fields, found.message)
  }

  /** Writes what was only counted so far. */
  flush(): void {
    for (const [kind, window] of this.#windows) this.#end(kind, window)
  }

  /** Nothing is looked up, or counted, for a log without a reader. */
  #isTaken({ level }: LineKind): boolean {
    return this.#logger.isLevelEnabled?.(level) !== false
  }

  #window(kind: LineKind): Window {
    const open = this.#windows.get(kind)
    const nowMs = this.#clock.monotonicMs()
    if (open !== undefined && nowMs - open.startedMs < windowMs) return open
    if (open !== undefined) this.#end(kind, open)
    const window = { startedMs: nowMs, written: 0, looked: 0, rest: 0, timer: undefined }
    this.#windows.set(kind, window)
    return window
  }

  #count(kind: LineKind, window: Window): void {
    if (window.rest++ > 0) return
    const leftMs = window.startedMs + windowMs - this.#clock.monotonicMs()
    window.timer = setTimeout(() => this.#end(kind, window), leftMs)
    window.timer.unref()
  }

  #end(kind: LineKind, window: Window): void {
    clearTimeout(window.timer)
    if (this.#windows.get(kind) === window) this.#windows.delete(kind)
    if (window.rest === 0) return
    const seconds = Math.max(1, Math.round((this.#clock.monotonicMs() - window.startedMs) / 1000))
    this.#logger[kind.level]({}, kind.rest(window.rest, seconds))
  }
}
