import { Worker } from 'node:worker_threads'
import { randomBytes } from 'node:crypto'
import { SvcdError, svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import { commandBytesMax } from '../catalog/command.ts'
import type { CommandBody, Outcome, Proposal } from '../catalog/command.ts'
import type { Versions } from '../catalog/versions.ts'
import { must } from '../base/assert.ts'
import { Stamp } from './replica-messages.ts'
import type { FromReplica, ReplicaWorkerData, ToReplica } from './replica-messages.ts'
import { workerUrl } from './worker-url.ts'

interface Waiting {
  readonly bytes: number
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: Error) => void
}

/** Bytes of proposals that may wait for the replica; more are refused as `busy`. */
const waitingBytesMax = 8 * 1024 * 1024
/** A disk write that takes longer than the longest election timeout fails what waits for it. */
const stallMs = 1200

export interface ReplicaOptions {
  readonly dataDirectory: string
  readonly versions: Versions
  readonly logger: Logger
  /** Called when the thread ended although nobody stopped it. */
  readonly onDeath: (error: Error) => void
  /** Called after every batch that was applied. */
  readonly onApplied: () => void
}

/** The main thread's end of the replica thread: takes proposals, hands back what they came to. */
export class Replica {
  readonly #options: ReplicaOptions
  readonly #worker: Worker
  readonly #stamp = new Stamp()
  /** In the order of proposal, which is the order of the results. */
  readonly #waiting: (Waiting | undefined)[] = []
  #waitingBytes = 0
  #unsent: string[] = []
  #stopping = false
  /** Unique to this run of the process; with a counter behind it, ids sort by time. */
  readonly #run = randomBytes(8).toString('hex')
  #requests = 0
  #stalledSince: { value: number; atMs: number } | undefined
  readonly #watch: NodeJS.Timeout

  private constructor(options: ReplicaOptions) {
    this.#options = options
    this.#worker = new Worker(workerUrl('replica-thread', import.meta.url), {
      workerData: {
        dataDirectory: options.dataDirectory,
        versions: options.versions.buffer,
        stamp: this.#stamp.buffer,
      } satisfies ReplicaWorkerData,
    })
    this.#watch = setInterval(() => this.#watchDisk(), stallMs / 4)
    this.#watch.unref()
  }

  /** Resolves when the log is replayed. Rejects with the `data-*` error that keeps it from starting. */
  static async start(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options)
    await new Promise<void>((resolve, reject) => {
      replica.#worker.on('error', (error) => {
        reject(error)
        options.onDeath(error)
      })
      replica.#worker.on('exit', () => replica.#onExit())
      replica.#worker.on('message', (message: FromReplica) => {
        if (message.type === 'ready') resolve()
        else if (message.type === 'refused') {
          replica.#stopping = true
          clearInterval(replica.#watch)
          reject(new SvcdError(message.code, message.message))
        } else replica.#settle(message.outcomes)
      })
    })
    return replica
  }

  /** Resolves when committed and applied here. Rejects: busy, stopping, command-too-large, write-stalled. */
  propose(body: CommandBody, origin: { actor: string; cause: string }): Promise<Outcome> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    this.#requests++
    const proposal: Proposal = {
      version: 1,
      requestId: `${this.#run}-${this.#requests.toString(36).padStart(8, '0')}`,
      actor: origin.actor,
      cause: origin.cause,
      body,
    }
    const json = JSON.stringify(proposal)
    if (json.length > commandBytesMax) {
      return Promise.reject(
        svcdError('command-too-large', { size: json.length, max: commandBytesMax }),
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes: json.length, resolve, reject })
      this.#waitingBytes += json.length
      // One message for all proposals of this turn of the event loop.
      if (this.#unsent.push(json) === 1) setImmediate(() => this.#send())
    })
  }

  /** Lets what was proposed finish, closes the databases, ends the thread. */
  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    this.#send()
    const ended = new Promise<void>((resolve) => {
      this.#worker.once('exit', () => resolve())
    })
    this.#worker.postMessage({ type: 'stop' } satisfies ToReplica)
    await ended
    clearInterval(this.#watch)
  }

  #refusal(): SvcdError | undefined {
    if (this.#stopping) return svcdError('stopping', {})
    if (this.#waitingBytes > waitingBytesMax) {
      return svcdError('busy', { waiting: this.#waiting.length })
    }
    return undefined
  }

  #send(): void {
    if (this.#unsent.length === 0) return
    this.#worker.postMessage({ type: 'propose', proposals: this.#unsent } satisfies ToReplica)
    this.#unsent = []
  }

  #settle(outcomes: readonly Outcome[]): void {
    for (const [at, outcome] of outcomes.entries()) {
      const waiting = must(this.#waiting[at], 'a result belongs to a proposal')
      this.#waitingBytes -= waiting.bytes
      waiting.resolve(outcome)
    }
    this.#waiting.splice(0, outcomes.length)
    this.#options.onApplied()
  }

  /** The replica cannot tell that its own disk hangs, for it hangs with it; its stamp can. */
  #watchDisk(): void {
    const { value } = this.#stamp
    const nowMs = performance.now()
    if (!this.#stamp.writing || this.#stalledSince?.value !== value) {
      this.#stalledSince = this.#stamp.writing ? { value, atMs: nowMs } : undefined
      return
    }
    const forMs = nowMs - this.#stalledSince.atMs
    if (forMs < stallMs) return
    this.#options.logger.error(
      { forMs: Math.round(forMs), waiting: this.#waiting.length },
      'the disk has not finished a write',
    )
    for (const waiting of this.#waiting) {
      waiting?.reject(svcdError('write-stalled', { seconds: (forMs / 1000).toFixed(1) }))
    }
  }

  #onExit(): void {
    clearInterval(this.#watch)
    for (const waiting of this.#waiting.splice(0)) waiting?.reject(svcdError('stopping', {}))
    if (!this.#stopping) this.#options.onDeath(new Error('the replica thread ended'))
  }
}
