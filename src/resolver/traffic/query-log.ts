import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../base/clock.ts'
import { reasonOf } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import { LogFile } from '../../process/log-file.ts'
import { writeToOutput } from '../../process/standard-output.ts'
import { LogBudget } from './log-budget.ts'
import { droppedLine } from './query-line.ts'

export interface QueryLogSettings {
  /** `-`: standard output. */
  readonly path: string
  /** One query of so many gets a line. */
  readonly every: number
  /** 0: never. */
  readonly rotateBytes: number
  readonly rotateMs: number
  /** 0: all are kept. */
  readonly rotateMaxFiles: number
}

export interface QueryLogFigures {
  readonly lines: number
  /** Queries without a line, because lines could not be written fast enough, or not at all. */
  readonly dropped: number
  readonly isFailing: boolean
}

type Parts = { readonly logger: Logger; readonly clock: Clock }

/** After a failure, lines are dropped for so long before the file is tried again. */
const retryMs = 1000
/** How often the path is looked at: another program may have moved the file. */
const checkMs = 1000
/** A stop does not wait longer for the file. */
const closeMs = 2000
const standardOutput = '-'

/**
 * Writes the lines of all threads to a file, or to standard output. It never delays an answer: the budget bounds what
 * waits, and what does not fit is counted and dropped.
 */
export class QueryLog {
  readonly budget = new LogBudget()
  readonly #parts: Parts
  #settings: QueryLogSettings | undefined
  #file: LogFile | undefined
  #waiting: string[] = []
  #running: Promise<void> | undefined
  #figures = { lines: 0, dropped: 0 }
  #failedMs: number | undefined
  #checkedMs = 0
  #mustReopen = false

  constructor(settings: QueryLogSettings | undefined, parts: Parts) {
    this.#settings = settings
    this.#parts = parts
  }

  /** One query of so many is to get a line; 0: the log is off. */
  get every(): number {
    return this.#settings?.every ?? 0
  }

  /** Undefined: the log is off. */
  get figures(): QueryLogFigures | undefined {
    if (this.#settings === undefined) return undefined
    const { lines, dropped } = this.#figures
    const isFailing = this.#failedMs !== undefined
    return { lines, dropped: dropped + this.budget.dropped, isFailing }
  }

  /** Takes whole lines for which the budget had room. */
  take(text: string): void {
    this.#waiting.push(text)
    this.#run()
  }

  /** Lines from now on go there. */
  use(settings: QueryLogSettings | undefined): void {
    this.#settings = settings
    this.reopen()
  }

  /** Another program has moved the file: continues in a new one. */
  reopen(): void {
    this.#mustReopen = true
    this.#failedMs = undefined
  }

  /** Writes what waits, unless that takes too long. */
  async close(): Promise<void> {
    const finish = async (): Promise<void> => {
      await this.#running
      await this.#file?.close().catch(() => {})
    }
    await Promise.race([finish(), sleep(closeMs, undefined, { ref: false })])
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
      if (this.#waiting.length > 0) this.#run()
    })
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const text = this.#waiting.join('')
      this.#waiting = []
      const dropped = this.budget.takeDropped()
      this.#figures.dropped += dropped
      await this.#write(text, dropped)
      this.budget.giveBack(text.length)
    }
  }

  async #write(text: string, dropped: number): Promise<void> {
    const { clock } = this.#parts
    const lines = text.split('\n').length - 1
    const settings = this.#settings
    const nowMs = clock.monotonicMs()
    const isPause = this.#failedMs !== undefined && nowMs - this.#failedMs < retryMs
    if (settings === undefined || isPause) {
      this.#figures.dropped += lines
      return
    }
    try {
      const whole = dropped === 0 ? text : `${droppedLine(dropped, clock.wallMs())}${text}`
      await this.#append(whole, settings)
      this.#figures.lines += lines
      this.#recover(settings)
    } catch (error) {
      this.#figures.dropped += lines
      await this.#file?.close().catch(() => {})
      this.#file = undefined
      this.#fail(settings, reasonOf(error))
    }
  }

  async #append(text: string, settings: QueryLogSettings): Promise<void> {
    if (settings.path === standardOutput) return writeToOutput(text)
    const file = await this.#opened(settings)
    await file.append(text)
    if (!file.isFull) return undefined
    this.#file = undefined
    return file.rotate()
  }

  async #opened(settings: QueryLogSettings): Promise<LogFile> {
    const { clock } = this.#parts
    const nowMs = clock.monotonicMs()
    if (this.#file !== undefined && (this.#mustReopen || nowMs - this.#checkedMs >= checkMs)) {
      this.#checkedMs = nowMs
      if (this.#mustReopen || (await this.#file.isMoved())) {
        await this.#file.close()
        this.#file = undefined
      }
    }
    this.#mustReopen = false
    if (this.#file !== undefined) return this.#file
    const file = new LogFile({ ...settings, wallMs: () => clock.wallMs() })
    await file.open()
    this.#file = file
    return file
  }

  #fail({ path }: QueryLogSettings, reason: string): void {
    const isFirst = this.#failedMs === undefined
    this.#failedMs = this.#parts.clock.monotonicMs()
    if (!isFirst) return
    const text = 'cannot write the query log; its lines are dropped until that works again'
    this.#parts.logger.error({ file: path, reason }, text)
  }

  #recover({ path }: QueryLogSettings): void {
    if (this.#failedMs === undefined) return
    this.#failedMs = undefined
    this.#parts.logger.info({ file: path }, 'the query log is written again')
  }
}
