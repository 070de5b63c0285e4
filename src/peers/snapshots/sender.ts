import { setTimeout as sleep } from 'node:timers/promises'
import { InvariantError } from '../../base/assert.ts'
import { reasonOf } from '../../base/errors.ts'
import { frameTypes } from '../frame.ts'
import { printable } from '../hello.ts'
import { decodeAck, decodeDone, encodeChunk, encodeOffer } from './transfer.ts'
import type { SnapshotRequest } from '../../raft/message.ts'
import type { PeerLimits } from '../limits.ts'
import type { PeerSession } from '../session.ts'
import type { SnapshotFiles, SnapshotSource } from './transfer.ts'

export interface SenderParts {
  readonly limits: PeerLimits
  readonly files: SnapshotFiles
  /** A new connection to the receiver, for this snapshot alone. */
  readonly dial: () => Promise<PeerSession>
  readonly onAttemptFailed: (attempt: number, reason: string) => void
}

/** Sends one snapshot to one server; a stream that breaks begins again, a few times. */
export class SnapshotSender {
  readonly request: SnapshotRequest
  readonly #parts: SenderParts
  readonly #stop = new AbortController()

  constructor(request: SnapshotRequest, parts: SenderParts) {
    this.request = request
    this.#parts = parts
  }

  cancel(): void {
    this.#stop.abort(new Error('sending was stopped'))
  }

  /** Whether the receiver has it in place; undefined after `cancel`. Never rejects. */
  async run(): Promise<boolean | undefined> {
    const { snapshotAttempts, snapshotRetryMs } = this.#parts.limits
    let refusal: string | undefined
    for (let attempt = 1; attempt <= snapshotAttempts; attempt++) {
      try {
        await this.#attempt()
        return true
      } catch (error) {
        if (error instanceof InvariantError) throw error
        if (this.#stop.signal.aborted) return undefined
        this.#parts.onAttemptFailed(attempt, reasonOf(error))
        // What a receiver says twice, such as that it cannot read it, it will say again.
        if (error instanceof Refusal && error.message === refusal) return false
        refusal = error instanceof Refusal ? error.message : undefined
      }
      if (attempt < snapshotAttempts) await this.#pause(snapshotRetryMs * attempt)
      if (this.#stop.signal.aborted) return undefined
    }
    return false
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {})
  }

  async #attempt(): Promise<void> {
    const { files, dial, limits } = this.#parts
    const source = await files.open(this.request.snapshot)
    try {
      const session = await dial()
      const stream = new Stream(session, limits.snapshotStallMs, this.#stop.signal)
      try {
        await send(session, stream, source, this.request, limits)
      } finally {
        stream.close()
      }
    } finally {
      await source.close()
    }
  }
}

async function send(
  session: PeerSession,
  stream: Stream,
  source: SnapshotSource,
  request: SnapshotRequest,
  limits: PeerLimits,
): Promise<void> {
  const { version } = session.connection
  const { size, sha256 } = source
  const { snapshotChunkBytes, snapshotWindow } = limits
  session.connection.write(encodeOffer({ size, sha256, request }, version))
  let acked = await stream.nextAck()
  if (acked !== 0) throw new Error('the receiver acknowledged data that was not sent')
  let sent = 0
  while (acked < size) {
    while (sent < size && sent - acked < snapshotChunkBytes * snapshotWindow) {
      const length = Math.min(snapshotChunkBytes, size - sent)
      const data = await source.read(sent, length)
      if (data.length !== length) throw new Error('the snapshot file became shorter')
      session.connection.write(encodeChunk(sent, data, version))
      sent += length
    }
    const next = await stream.nextAck()
    if (next <= acked || next > sent) throw new Error('an acknowledgement is out of order')
    acked = next
  }
  await stream.done()
}

interface Frame {
  readonly type: number
  readonly body: Buffer
}

/** What the receiver says, one frame after the other. */
class Stream {
  readonly #session: PeerSession
  readonly #stallMs: number
  readonly #signal: AbortSignal
  readonly #frames: Frame[] = []
  readonly #onAbort = (): void => this.#fail(reasonOf(this.#signal.reason))
  #fault: string | undefined
  #wake: (() => void) | undefined

  constructor(session: PeerSession, stallMs: number, signal: AbortSignal) {
    this.#session = session
    this.#stallMs = stallMs
    this.#signal = signal
    session.onStreamFrame = (type, body) => {
      this.#frames.push({ type, body })
      this.#wake?.()
    }
    session.onClosed = (reason) => this.#fail(reason)
    signal.addEventListener('abort', this.#onAbort)
    if (!session.isOpen) this.#fail('the connection closed')
    if (signal.aborted) this.#onAbort()
  }

  async nextAck(): Promise<number> {
    const { type, body } = await this.#next()
    const offset = type === frameTypes.snapshotAck ? decodeAck(body) : undefined
    if (offset === undefined) throw faultOf(type, body)
    return offset
  }

  async done(): Promise<void> {
    const { type, body } = await this.#next()
    if (type !== frameTypes.snapshotDone || decodeDone(body)?.ok !== true) throw faultOf(type, body)
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#session.connection.part('the snapshot stream has ended')
  }

  async #next(): Promise<Frame> {
    let timer: NodeJS.Timeout | undefined
    while (this.#frames.length === 0 && this.#fault === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        timer ??= setTimeout(() => this.#fail(`no progress for ${this.#stallMs} ms`), this.#stallMs)
      })
    }
    clearTimeout(timer)
    const frame = this.#frames.shift()
    // What came before the end still counts: it may be the word that all is well.
    if (frame === undefined) throw new Error(this.#fault)
    return frame
  }

  #fail(reason: string): void {
    this.#fault ??= reason
    this.#wake?.()
  }
}

function faultOf(type: number, body: Buffer): Error {
  const done = type === frameTypes.snapshotDone ? decodeDone(body) : undefined
  if (done === undefined || done.ok) return new Error('the receiver answered out of order')
  return new Refusal(`the receiver reports: ${printable(done.fault)}`)
}

/** In the receiver's own words. */
class Refusal extends Error {}
