import { svcdError } from '../base/errors.ts'
import type { StreamEvent } from '../client/event-reader.ts'
import type { Io } from './io.ts'
import { runChild } from './watch-command.ts'

/** So many user events wait for the command at most: a server does not keep more, either. */
const eventsMax = 256

export interface RunsOptions {
  readonly words: readonly string[]
  readonly hasShell: boolean
  readonly exitsOnFailure: boolean
  /** What is watched are user events: none of them may be left out. Otherwise the latest state counts. */
  readonly isOfEvents: boolean
  readonly terminated: AbortSignal
}

/** Runs a command for what is seen, one after the other. */
export class Runs {
  readonly #options: RunsOptions
  readonly #io: Io
  readonly #fail: (error: Error) => void
  #waiting: StreamEvent | undefined
  /** What the command got last. */
  #handled = ''
  #isRunning = false
  #all = Promise.resolve()
  #hasEnded = false

  /** `fail`: called when the watch should end, because the command failed. */
  constructor(options: RunsOptions, io: Io, fail: (error: Error) => void) {
    this.#options = options
    this.#io = io
    this.#fail = fail
  }

  offer(seen: StreamEvent): void {
    this.#waiting = this.#options.isOfEvents ? this.#joined(seen) : seen
    if (!this.#isRunning) this.#all = this.#runAll()
  }

  /** Runs the command no more. Resolves when it has ended. */
  async end(): Promise<void> {
    this.#hasEnded = true
    await this.#all
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting !== undefined && !this.#hasEnded) {
      const { id, text } = this.#waiting
      this.#waiting = undefined
      // After a reconnect, the agent usually sends a state that was handled already.
      if (text === this.#handled) continue
      this.#handled = text
      await this.#run(id, text)
    }
    this.#isRunning = false
  }

  async #run(id: string, input: string): Promise<void> {
    const { exitsOnFailure, terminated } = this.#options
    const env = { ...this.#io.env, CONSUL_INDEX: id }
    const reason = await runChild({ ...this.#options, env, input })
    if (reason === undefined || (this.#hasEnded && terminated.aborted)) return
    const error = svcdError('watch-command-failed', { reason })
    if (exitsOnFailure) this.#fail(error)
    else this.#io.err(`svcd: ${error.message}\n`)
  }

  #joined(seen: StreamEvent): StreamEvent {
    if (this.#waiting === undefined) return seen
    const [before, after] = [this.#waiting, seen].map(({ text }) => JSON.parse(text) as unknown[])
    const all = [...(before ?? []), ...(after ?? [])]
    const left = all.length - eventsMax
    if (left > 0) this.#io.err(`svcd: The command is too slow: it misses ${left} events.\n`)
    return { id: seen.id, text: JSON.stringify(all.slice(-eventsMax)) }
  }
}
