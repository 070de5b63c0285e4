import { addTransportOptions, transportOptionBytesMax } from '../../dns/transport-options.ts'
import type { TransportPolicy } from '../../dns/transport-options.ts'
import type { PacketAsker, StreamResponder } from '../packet-responder.ts'

const frameBytes = 2
const messageBytesMax = 65_535
const roomBytes = frameBytes + messageBytesMax + transportOptionBytesMax
const bufferBytes = 4 * roomBytes

/** Answers one message of a stream, with what its connection adds. */
export interface StreamAnswering {
  readonly responder: StreamResponder
  readonly asker: PacketAsker
  readonly policy: TransportPolicy
}

/**
 * Collects answers as they are framed over TCP (RFC 1035 §4.2.2), so that those to one chunk of queries
 * leave in one write. One buffer serves all connections of a thread: each connection takes its answers
 * out before it returns to the event loop.
 */
export class AnswerBuffer {
  readonly #bytes = Buffer.allocUnsafeSlow(bufferBytes)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** It must be emptied before the next answer is added. */
  get isFull(): boolean {
    return this.#length + roomBytes > bufferBytes
  }

  /** Adds the answer to `query`. Returns its length before transport options; otherwise as `respondInto`. */
  add(query: Uint8Array, { responder, asker, policy }: StreamAnswering): number {
    const bare = responder.respondInto(query, asker, this.#bytes, this.#length + frameBytes)
    if (bare > 0) this.#frame(query, bare, policy)
    return bare
  }

  /** Adds an answer that another thread has given to `query`. */
  addLater(query: Uint8Array, answer: Uint8Array, { policy }: StreamAnswering): void {
    this.#bytes.set(answer, this.#length + frameBytes)
    this.#frame(query, answer.length, policy)
  }

  /** The answers since the last call, in a buffer of their own. */
  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.#length)
    this.#bytes.copy(taken, 0, 0, this.#length)
    this.#length = 0
    return taken
  }

  /** An answer of `bare` octets stands in its place: adds what the connection adds, and the length. */
  #frame(query: Uint8Array, bare: number, policy: TransportPolicy): void {
    const start = this.#length + frameBytes
    const length = addTransportOptions(query, this.#bytes, start, bare, policy)
    this.#bytes[start - 2] = length >> 8
    this.#bytes[start - 1] = length & 0xff
    this.#length = start + length
  }
}
