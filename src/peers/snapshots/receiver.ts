import { createHash } from 'node:crypto'
import { InvariantError } from '../../base/assert.ts'
import { reasonOf } from '../../base/errors.ts'
import { frameTypes } from '../frame.ts'
import { decodeChunk, decodeOffer, encodeAck, encodeDone } from './transfer.ts'
import type { SnapshotRequest } from '../../raft/message.ts'
import type { PeerLimits } from '../limits.ts'
import type { PeerSession } from '../session.ts'
import type { SnapshotFiles, SnapshotOffer, SnapshotSink } from './transfer.ts'

export interface ReceiverParts {
  readonly limits: PeerLimits
  readonly files: SnapshotFiles
  readonly self: string
  /** Settles when no earlier stream of this sender is at work any more. */
  readonly previous: Promise<void>
  /** The snapshot is in place. */
  readonly onReceived: (request: SnapshotRequest) => void
  readonly onFailed: (reason: string) => void
}

/** Takes one snapshot from one connection. */
export class SnapshotReceiver {
  /** Settles when its sink was finished or aborted. */
  readonly ended: Promise<void>
  readonly #session: PeerSession
  readonly #parts: ReceiverParts
  readonly #hash = createHash('sha256')
  readonly #chunks: Buffer[] = []
  readonly #timer: NodeJS.Timeout
  #offer: SnapshotOffer | undefined
  /** Bytes that have arrived, and not all of them written. */
  #received = 0
  #fault: string | undefined
  #wake: (() => void) | undefined
  #begin: () => void = () => {}

  constructor(session: PeerSession, parts: ReceiverParts) {
    this.#session = session
    this.#parts = parts
    const stallMs = parts.limits.snapshotStallMs
    this.#timer = setTimeout(() => this.#fail(`no progress for ${stallMs} ms`), stallMs)
    session.onStreamFrame = (type, body) => this.#onFrame(type, body)
    session.onClosed = (reason) => this.#fail(reason)
    const begun = new Promise<void>((resolve) => {
      this.#begin = resolve
    })
    this.ended = this.#run(begun)
  }

  stop(reason: string): void {
    this.#fail(reason)
  }

  #onFrame(type: number, body: Buffer): void {
    this.#timer.refresh()
    if (this.#fault !== undefined) return
    if (this.#offer === undefined) {
      const envelope = { from: this.#session.peer?.id ?? '', to: this.#parts.self }
      const offer = type === frameTypes.snapshotOffer ? decodeOffer(body, envelope) : undefined
      if (offer === undefined) return this.#fail('a malformed offer')
      this.#offer = offer
      return this.#begin()
    }
    const chunk = type === frameTypes.snapshotChunk ? decodeChunk(body) : undefined
    if (chunk === undefined) return this.#fail('a damaged chunk')
    if (chunk.offset !== this.#received || chunk.offset + chunk.data.length > this.#offer.size) {
      return this.#fail(`a chunk at ${chunk.offset}, where ${this.#received} was expected`)
    }
    if (this.#chunks.length > this.#parts.limits.snapshotWindow) {
      return this.#fail('the sender did not wait for acknowledgements')
    }
    this.#received += chunk.data.length
    this.#chunks.push(chunk.data)
    this.#wake?.()
  }

  async #run(begun: Promise<void>): Promise<void> {
    await begun
    await this.#parts.previous
    const { connection } = this.#session
    let request: SnapshotRequest
    try {
      request = await this.#receive()
    } catch (error) {
      if (error instanceof InvariantError) throw error
      this.#fail(reasonOf(error))
      this.#parts.onFailed(this.#fault ?? '')
      connection.part(this.#fault ?? '', encodeDone(this.#fault, connection.version))
      return
    } finally {
      clearTimeout(this.#timer)
    }
    connection.write(encodeDone(undefined, connection.version))
    this.#parts.onReceived(request)
  }

  async #receive(): Promise<SnapshotRequest> {
    const offer = this.#offer
    const { peer } = this.#session
    if (this.#fault !== undefined || offer === undefined || peer === undefined) {
      throw new Error(this.#fault)
    }
    const { request, size, sha256 } = offer
    const sink = await this.#parts.files.receive(peer, request.snapshot, { size, sha256 })
    try {
      await this.#writeAll(sink, offer)
    } catch (error) {
      await sink.abort()
      throw error
    }
    await sink.finish()
    return request
  }

  async #writeAll(sink: SnapshotSink, { size, sha256 }: SnapshotOffer): Promise<void> {
    const { connection } = this.#session
    connection.write(encodeAck(0, connection.version))
    for (let written = 0; written < size;) {
      const chunk = await this.#next()
      this.#hash.update(chunk)
      await sink.write(written, chunk)
      written += chunk.length
      connection.write(encodeAck(written, connection.version))
    }
    if (this.#fault !== undefined) throw new Error(this.#fault)
    const found = this.#hash.digest('hex')
    if (found !== sha256) {
      throw new Error(`the snapshot is damaged: its SHA-256 is ${found}, not ${sha256}`)
    }
  }

  async #next(): Promise<Buffer> {
    while (this.#chunks.length === 0 && this.#fault === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const chunk = this.#chunks.shift()
    if (this.#fault !== undefined || chunk === undefined) throw new Error(this.#fault)
    return chunk
  }

  #fail(reason: string): void {
    this.#fault ??= reason
    this.#begin()
    this.#wake?.()
  }
}
