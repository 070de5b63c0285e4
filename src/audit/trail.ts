import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../base/errors.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { must } from '../base/assert.ts'
import { decodeConfig, members } from '../raft/config.ts'
import type { Entry, Index } from '../raft/entry.ts'
import type { LogReader } from '../raft/storage.ts'
import { decodeCommand } from '../state/families.ts'
import type { Command, Outcome } from '../state/machine/command.ts'
import { changeLine, gapLine, indexIn, leftOutLine, membersLine, openedLine } from './lines.ts'
import { LogFile } from '../process/log-file.ts'

export interface AuditSettings {
  readonly path: string
  /** 0: never. */
  readonly rotateBytes: number
  readonly rotateMs: number
  /** 0: all are kept. */
  readonly rotateMaxFiles: number
}

export interface AuditFigures {
  /** Why the file cannot be written now. */
  readonly failure?: string | undefined
  readonly failures: number
  readonly lines: number
  /** Requests that have no line. */
  readonly requestsLeftOut: number
  /** Entries that have no line, because the log did not have them any more. */
  readonly entriesLeftOut: number
  /** The last entry that is in the file. */
  readonly writtenIndex: Index
}

export interface AuditTrailParts {
  readonly settings: AuditSettings
  /** The name of this node. */
  readonly node: string
  /** The log from which entries without a line are read. */
  readonly log: Pick<LogReader, 'state' | 'entries'>
  readonly appliedIndex: () => Index
  /** The outcome of a request. Undefined if it is not known any more. */
  readonly outcomeOf: (requestId: string) => Outcome | undefined
  readonly logger: Logger
  readonly clock: Clock
  /** It has failed, or recovered. */
  readonly onChange: () => void
}

/** An entry that was just applied. */
export interface AppliedEntry {
  readonly entry: Entry
  readonly command: Command | undefined
  readonly outcome: Outcome | undefined
}

interface Batch {
  readonly text: string
  readonly lines: number
  readonly lastIndex: Index
  readonly requests: readonly string[]
  readonly requestsLost: number
}

/** Lines of entries that may wait. Above it they are read from the log again when their turn comes. */
const waitingCharsMax = 4 * 1024 * 1024
const requestsMax = 2000
const refillBytes = 256 * 1024
const retryMs = 1000
const syncMs = 1000
/** A write that takes longer counts as failed. */
const stallMs = 5000
/** A stop does not wait longer for it. The next start reads the missing entries from the log. */
const closeMs = 2000

/**
 * Writes changes to the audit log, without delaying the thread that applies them: that thread only makes the lines.
 * Entries have a durable source, the log of the cluster, so after a crash, a failure or a slow moment the trail
 * reads from there what the file does not have yet. The file itself says what it has.
 */
export class AuditTrail {
  readonly #parts: AuditTrailParts
  readonly #file: LogFile
  readonly #timer: NodeJS.Timeout
  /** Without any file, the trail begins after this entry. */
  readonly #startIndex: Index
  #changes: string[] = []
  #changeChars = 0
  #requests: string[] = []
  #requestsLost = 0
  /** The last entry that is in the file; undefined: it was not read yet. */
  #writtenIndex: Index | undefined
  /** The last entry that is in the file, on its way there, or in {@link #changes}. */
  #queuedIndex = 0
  #failure: string | undefined
  #figures = { failures: 0, lines: 0, requestsLeftOut: 0, entriesLeftOut: 0 }
  #running: Promise<void> | undefined
  #stepAtMs = 0
  #checkedAtMs = 0
  #syncedAtMs = 0
  #isDirty = false
  #mustReopen = false
  #isClosed = false

  constructor(parts: AuditTrailParts) {
    this.#parts = parts
    const { settings, clock } = parts
    this.#startIndex = parts.appliedIndex()
    this.#file = new LogFile({ ...settings, indexIn, wallMs: () => clock.wallMs() })
    this.#timer = setInterval(() => this.#tick(), retryMs)
    this.#timer.unref()
    this.#kick()
  }

  get figures(): AuditFigures {
    return {
      ...this.#figures,
      failure: this.#failure,
      writtenIndex: this.#writtenIndex ?? 0,
    }
  }

  get failure(): string | undefined {
    return this.#failure
  }

  /** Entries were applied, and that is committed. */
  applied(entries: readonly AppliedEntry[]): void {
    if (this.#writtenIndex !== undefined && this.#failure === undefined) {
      for (const applied of entries) this.#queue(applied)
    }
    this.#kick()
  }

  /** `line`: of a request that this agent has answered; undefined: it is only counted. */
  request(line: string | undefined): void {
    if (line === undefined || this.#requests.length >= requestsMax) {
      this.#requestsLost++
      this.#figures.requestsLeftOut++
    } else this.#requests.push(line)
    this.#kick()
  }

  /** Another program has moved the file: continues in a new one. */
  reopen(): void {
    this.#mustReopen = true
    this.#kick()
  }

  /** Writes what waits, unless that fails. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    await Promise.race([this.#finish(), sleep(closeMs, undefined, { ref: false })])
  }

  async #finish(): Promise<void> {
    await this.#running
    if (this.#failure === undefined) await this.#run()
    await this.#file.close().catch(() => {})
  }

  #queue({ entry, command, outcome }: AppliedEntry): void {
    const { index } = entry
    // In the file already: it is applied again after a restart. Or read from the log when its turn comes.
    if (index !== this.#queuedIndex + 1) return
    if (this.#changeChars > waitingCharsMax) return
    this.#queuedIndex = index
    this.#add(this.#lineOf(entry, command, outcome))
  }

  #add(line: string | undefined): void {
    if (line === undefined) return
    this.#changes.push(line)
    this.#changeChars += line.length
  }

  #lineOf(
    { index, kind, data }: Entry,
    command: Command | undefined,
    outcome: Outcome | undefined,
  ): string | undefined {
    if (kind === 'noop') return undefined
    if (command !== undefined) return changeLine(index, command, outcome)
    const config = must(decodeConfig(data), 'a committed configuration can be read')
    const all = members(config).map((id) => `${id} ${config.addresses[id] ?? ''}`.trimEnd())
    return membersLine(index, all, this.#parts.clock.wallMs())
  }

  #kick(): void {
    if (this.#failure === undefined && !this.#isClosed) void this.#run()
  }

  #tick(): void {
    if (this.#running === undefined) void this.#run()
    else if (this.#parts.clock.monotonicMs() - this.#stepAtMs > stallMs) {
      this.#fail(`no answer from the file system for ${stallMs / 1000} s`)
    }
  }

  #run(): Promise<void> {
    return (this.#running ??= this.#work().finally(() => {
      this.#running = undefined
    }))
  }

  async #work(): Promise<void> {
    // Lines of one turn become one write.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    try {
      await this.#prepare()
      for (let batch = this.#take(); batch !== undefined; batch = this.#take()) {
        await this.#write(batch)
        if (this.#file.isFull) await this.#rotate()
      }
      await this.#sync()
      this.#recover()
    } catch (error) {
      await this.#file.close().catch(() => {})
      this.#fail(reasonOf(error))
    }
  }

  #step<T>(work: Promise<T>): Promise<T> {
    this.#stepAtMs = this.#parts.clock.monotonicMs()
    return work
  }

  /** Opens the file if it is not open, or not at its path any more. */
  async #prepare(): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs()
    if (this.#file.isOpen && (this.#mustReopen || nowMs - this.#checkedAtMs >= retryMs)) {
      this.#checkedAtMs = nowMs
      const mustReopen = this.#mustReopen || (await this.#step(this.#file.isMoved()))
      if (mustReopen) {
        await this.#step(this.#file.sync())
        await this.#step(this.#file.close())
      }
    }
    this.#mustReopen = false
    if (!this.#file.isOpen) await this.#open()
    if (this.#file.isFull) await this.#rotate()
  }

  async #open(): Promise<void> {
    const found = await this.#step(this.#file.open())
    this.#checkedAtMs = this.#parts.clock.monotonicMs()
    this.#setWritten(this.#continuesAt(found))
    if (this.#file.isEmpty) await this.#begin()
  }

  /** The entry after which the file continues. */
  #continuesAt(found: Index | undefined): Index {
    const known = this.#writtenIndex
    const { lastIndex } = this.#parts.log.state()
    if (found === undefined) return known ?? this.#startIndex
    // What this process has written is somewhere, even if only an older file was found.
    if (found <= Math.max(lastIndex, this.#parts.appliedIndex())) return Math.max(found, known ?? 0)
    const { path } = this.#parts.settings
    this.#parts.logger.warn(
      { file: path, found, lastIndex },
      'the audit log has entries that the log of this server does not have; it continues with the present ones',
    )
    return known ?? this.#startIndex
  }

  #setWritten(index: Index): void {
    this.#writtenIndex = index
    this.#queuedIndex = index
    this.#changes = []
    this.#changeChars = 0
  }

  async #begin(): Promise<void> {
    const { node, clock } = this.#parts
    await this.#append(openedLine(node, this.#writtenIndex ?? 0, clock.wallMs()), 1)
  }

  async #rotate(): Promise<void> {
    await this.#step(this.#file.rotate())
    await this.#step(this.#file.open())
    await this.#begin()
  }

  /** The next lines; undefined when nothing waits. */
  #take(): Batch | undefined {
    if (this.#changes.length === 0) this.#refill()
    const changes = this.#changes
    const requests = this.#requests
    this.#changes = []
    this.#changeChars = 0
    this.#requests = []
    const lost = this.#requestsLost
    this.#requestsLost = 0
    const rest = lost === 0 ? [] : [leftOutLine(lost, this.#parts.clock.wallMs())]
    const lines = [...changes, ...requests, ...rest]
    if (lines.length === 0) return undefined
    return {
      text: lines.join(''),
      lines: lines.length,
      lastIndex: this.#queuedIndex,
      requests,
      requestsLost: lost,
    }
  }

  async #write({ text, lines, lastIndex, requests, requestsLost }: Batch): Promise<void> {
    try {
      await this.#append(text, lines)
    } catch (error) {
      const all = [...requests, ...this.#requests]
      this.#requests = all.slice(0, requestsMax)
      const dropped = all.length - this.#requests.length
      this.#requestsLost += requestsLost + dropped
      this.#figures.requestsLeftOut += dropped
      throw error
    }
    this.#writtenIndex = lastIndex
  }

  async #append(text: string, lines: number): Promise<void> {
    await this.#step(this.#file.append(text))
    this.#figures.lines += lines
    this.#isDirty = true
  }

  /** Reads from the log what was applied and has no line. */
  #refill(): void {
    const { log, appliedIndex, clock, outcomeOf } = this.#parts
    const { base, lastIndex } = log.state()
    const to = Math.min(appliedIndex(), lastIndex)
    while (this.#queuedIndex < to && this.#changes.length === 0) {
      if (this.#queuedIndex < base.index) {
        const from = this.#queuedIndex + 1
        this.#figures.entriesLeftOut += base.index - this.#queuedIndex
        this.#queuedIndex = base.index
        this.#add(gapLine(from, base.index, clock.wallMs()))
        continue
      }
      for (const entry of log.entries(this.#queuedIndex + 1, to, refillBytes)) {
        this.#queuedIndex = entry.index
        const command = entry.kind === 'command' ? decodeCommand(entry.data) : undefined
        const outcome = command === undefined ? undefined : outcomeOf(command.requestId)
        this.#add(this.#lineOf(entry, command, outcome))
      }
    }
  }

  async #sync(): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs()
    if (!this.#isDirty || (nowMs - this.#syncedAtMs < syncMs && !this.#isClosed)) return
    this.#isDirty = false
    this.#syncedAtMs = nowMs
    await this.#step(this.#file.sync())
  }

  #fail(reason: string): void {
    if (this.#failure === reason) return
    const wasFailing = this.#failure !== undefined
    this.#failure = reason
    if (!wasFailing) this.#figures.failures++
    const { settings, logger, onChange } = this.#parts
    logger.error({ file: settings.path, reason }, 'cannot write the audit log; trying again')
    onChange()
  }

  #recover(): void {
    if (this.#failure === undefined) return
    this.#failure = undefined
    const { settings, logger, onChange } = this.#parts
    logger.info({ file: settings.path }, 'the audit log is written again')
    onChange()
  }
}
