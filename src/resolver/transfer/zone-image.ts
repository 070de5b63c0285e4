import { closeSync, openSync, read, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { threadFile } from '../../base/package-files.ts'
import { startThread } from '../../process/threads.ts'
import type { FromImageThread, ImageSource, ImageThreadData } from './image-messages.ts'

const readAt = promisify(read)
let imageCount = 0

/** Why an image could not be written. */
export interface ImageFailure {
  readonly reason: string
  readonly isDamage: boolean
}

/**
 * The messages of one zone at one moment, in a file that has no name any more. A thread writes it, and any
 * number of transfers read it at their own pace, also while it is written.
 */
export class ZoneImage {
  /** Resolves when its thread has ended: it is complete, or has failed. */
  readonly written: Promise<void>
  /** Known when it is complete. */
  serial = 0
  records = 0
  failure: ImageFailure | undefined
  readonly #fd: number
  readonly #worker: Worker
  /** Where each message ends in the file. */
  readonly #ends: number[] = []
  #isWritten = false
  #hasStarted = false
  #hasExited = false
  #holders = 0
  #wake: (() => void)[] = []

  readonly #onClosed: () => void

  /** Throws an error of the file system. Somebody must hold it until its thread has ended. */
  constructor(directory: string, source: ImageSource, onClosed: () => void) {
    this.#onClosed = onClosed
    imageCount++
    const path = join(directory, `zone-image-${process.pid}-${imageCount}.tmp`)
    this.#fd = openSync(path, 'wx+', 0o600)
    // The space is free as soon as it is closed, whatever ends the process.
    unlinkSync(path)
    this.#worker = startThread(threadFile('resolver/transfer/image-thread'), {
      workerData: { source, fd: this.#fd } satisfies ImageThreadData,
    })
    this.written = new Promise((resolve) => {
      this.#worker.on('message', (message: FromImageThread) => this.#take(message))
      this.#worker.on('error', (error: Error) => {
        this.failure ??= { reason: error.message, isDamage: false }
      })
      this.#worker.once('exit', () => {
        if (!this.#isWritten) this.failure ??= { reason: 'its thread has ended', isDamage: false }
        this.#isWritten = true
        this.#hasExited = true
        this.#notify()
        resolve()
        this.#closeIfUnused()
      })
    })
  }

  /** The octets written so far. */
  get bytes(): number {
    return this.#ends.at(-1) ?? 0
  }

  get isWritten(): boolean {
    return this.#isWritten
  }

  /** It stays open as long as somebody holds it. */
  hold(): this {
    this.#holders++
    return this
  }

  /** To be called once for each {@link hold}. */
  drop(): void {
    this.#holders--
    this.#closeIfUnused()
  }

  /** Its messages, each in a buffer of its own. Throws an error if it cannot be completed. */
  async *messages(): AsyncGenerator<Buffer, void> {
    for (let next = 0; ; next++) {
      while (next >= this.#ends.length && !this.#isWritten) await this.#progress()
      if (this.failure !== undefined) throw new Error(this.failure.reason)
      const end = this.#ends[next]
      if (end === undefined) return
      const start = this.#ends[next - 1] ?? 0
      const message = Buffer.allocUnsafe(end - start)
      await readAt(this.#fd, message, 0, message.length, start)
      yield message
    }
  }

  /** Ends its thread. */
  async stop(): Promise<void> {
    // A thread that still loads its addons must not be ended; see process/threads.ts.
    if (this.#hasStarted && !this.#isWritten) await this.#worker.terminate()
    await this.written
  }

  #take(message: FromImageThread): void {
    this.#hasStarted = true
    if (message.type === 'message') this.#ends.push(message.end)
    if (message.type === 'failed') this.failure = message
    if (message.type === 'done') {
      this.serial = message.serial
      this.records = message.records
    }
    if (message.type === 'done' || message.type === 'failed') this.#isWritten = true
    this.#notify()
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve)
    })
  }

  #notify(): void {
    const waiting = this.#wake
    this.#wake = []
    for (const wake of waiting) wake()
  }

  /** The thread may still write to it until it has ended. */
  #closeIfUnused(): void {
    if (this.#holders > 0 || !this.#hasExited) return
    closeSync(this.#fd)
    this.#onClosed()
  }
}
