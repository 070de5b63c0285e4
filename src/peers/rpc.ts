import { InvariantError } from '../base/assert.ts'
import { errorTable, reasonOf, SvcdError, svcdError } from '../base/errors.ts'
import { ByteReader, ByteWriter, lengthAndText } from './bytes.ts'
import { buildFrame, frameBytesMax, frameTypes } from './frame.ts'
import type { ErrorCode } from '../base/errors.ts'

/** What requests and answers travel on. */
export interface RpcChannel {
  /** How an error calls the other side. */
  readonly peer: () => string
  readonly version: () => number
  /** False: dropped. */
  readonly write: (frame: Buffer) => boolean
  readonly serve: (kind: string, body: Buffer) => Promise<Buffer>
  /** The other side asks and does not take its answers: no more is to be read from it. */
  readonly onOverflow: () => void
  readonly requestsMax: number
}

interface Pending {
  readonly kind: string
  readonly timer: NodeJS.Timeout
  readonly resolve: (body: Buffer) => void
  readonly reject: (error: Error) => void
}

/** Room for the id and the kind, or the error, beside a body. */
export const rpcBodyBytesMax = frameBytesMax - 64 * 1024

/**
 * Requests in both directions of one connection, many at a time; answers come in any order. The ids of
 * the two directions have nothing to do with each other.
 */
export class PeerRpc {
  readonly #channel: RpcChannel
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #serving = 0

  constructor(channel: RpcChannel) {
    this.#channel = channel
  }

  /** Requests under way, in both directions. */
  get count(): number {
    return this.#pending.size + this.#serving
  }

  /**
   * Rejects with `peer-timeout`, `peer-lost`, `peer-unreachable` (it never left), `busy`, the code that
   * the other side's handler rejected with, or `peer-failed` when that had none.
   */
  request(kind: string, body: Buffer, timeoutMs: number): Promise<Buffer> {
    const { peer, version, write, requestsMax } = this.#channel
    return new Promise((resolve, reject) => {
      if (body.length > rpcBodyBytesMax) {
        const reason = `the request has ${body.length} bytes; the limit is ${rpcBodyBytesMax}`
        return reject(svcdError('peer-failed', { peer: peer(), kind, reason }))
      }
      if (this.#pending.size >= requestsMax) {
        return reject(svcdError('busy', { waiting: this.#pending.size }))
      }
      const id = this.#takeId()
      if (!write(idFrame(frameTypes.request, version(), id, [lengthAndText(kind, 1), body]))) {
        const reason = 'too much data is waiting to be sent to it'
        return reject(svcdError('peer-unreachable', { peer: peer(), reason }))
      }
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(svcdError('peer-timeout', { peer: peer(), kind, seconds: timeoutMs / 1000 }))
      }, timeoutMs)
      this.#pending.set(id, { kind, timer, resolve, reject })
    })
  }

  /** Takes a frame of type request, response or failure; false when it is malformed. */
  handle(type: number, body: Buffer): boolean {
    const reader = new ByteReader(body)
    const id = reader.u32()
    if (type === frameTypes.request) {
      const kind = reader.text(1)
      if (reader.isBad) return false
      void this.#serve(id, kind, reader.rest())
      return true
    }
    if (reader.isBad) return false
    // After the timeout the caller does not wait any more.
    const pending = this.#take(id)
    if (type === frameTypes.response) {
      pending?.resolve(reader.rest())
      return true
    }
    const code = reader.text(1)
    const text = reader.text(2)
    if (!reader.isBad) pending?.reject(this.#remoteError(pending.kind, code, text))
    else pending?.reject(this.#remoteError(pending.kind, '', 'its answer was malformed'))
    return !reader.isBad
  }

  /** The connection is gone: the fate of the waiting requests is unknown. */
  close(reason: string): void {
    const peer = this.#channel.peer()
    for (const [id, { kind, reject }] of this.#pending) {
      this.#take(id)
      reject(svcdError('peer-lost', { peer, kind, reason }))
    }
  }

  async #serve(id: number, kind: string, body: Buffer): Promise<void> {
    const { version, write, serve, requestsMax } = this.#channel
    if (this.#serving >= requestsMax) {
      return this.#fail(id, svcdError('busy', { waiting: this.#serving }))
    }
    this.#serving++
    try {
      const answer = await serve(kind, body)
      if (answer.length > rpcBodyBytesMax) throw new Error(`an answer of ${answer.length} bytes`)
      if (!write(idFrame(frameTypes.response, version(), id, [answer]))) this.#channel.onOverflow()
    } catch (error) {
      // A defect here is not the caller's affair: it ends this process.
      if (error instanceof InvariantError) throw error
      this.#fail(id, error)
    } finally {
      this.#serving--
    }
  }

  #fail(id: number, error: unknown): void {
    const code = error instanceof SvcdError ? error.code : ''
    const texts = [lengthAndText(code, 1), lengthAndText(reasonOf(error), 2)]
    const frame = idFrame(frameTypes.failure, this.#channel.version(), id, texts)
    if (!this.#channel.write(frame)) this.#channel.onOverflow()
  }

  #remoteError(kind: string, code: string, text: string): SvcdError {
    if (Object.hasOwn(errorTable, code)) return new SvcdError(code as ErrorCode, text)
    return svcdError('peer-failed', { peer: this.#channel.peer(), kind, reason: text })
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    clearTimeout(pending?.timer)
    return pending
  }

  #takeId(): number {
    do {
      this.#nextId = (this.#nextId + 1) >>> 0
    } while (this.#pending.has(this.#nextId))
    return this.#nextId
  }
}

function idFrame(type: number, version: number, id: number, parts: readonly Buffer[]): Buffer {
  const writer = new ByteWriter(4)
  writer.u32(id)
  return buildFrame(type, version, [writer.buffer, ...parts])
}
