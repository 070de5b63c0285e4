import { svcdError } from '../../base/errors.ts'
import { passedOn } from '../packet-responder.ts'
import { idleMsOf, laterOf, streamAsker, waitingMax } from '../tcp/stream-asker.ts'
import { answerDoh, answerDohLater, refusedDoh } from './doh-answering.ts'
import { dohBytesMax, readDohHead, tooLarge } from './doh-request.ts'
import type { Readable } from 'node:stream'
import type { Socket } from 'node:net'
import type { IpPrefixes } from '../../base/ip-prefixes.ts'
import type { SvcdError } from '../../base/errors.ts'
import type { DohAnswer } from './doh-answering.ts'
import type { DohHead } from './doh-request.ts'
import type { AnswerBuffer, StreamAnswering } from '../tcp/answer-buffer.ts'
import type { TurnShare } from '../connections/turn-share.ts'
import type { TcpLimits } from '../tcp/dns-tcp-connection.ts'
import type { StreamClient, StreamCounters } from '../tcp/stream-port.ts'
import type { StreamResponder } from '../packet-responder.ts'

export interface DohConnectionParts {
  readonly responder: StreamResponder
  readonly answers: AnswerBuffer
  readonly limits: TcpLimits
  readonly counters: StreamCounters
  readonly share: TurnShare
  readonly nowMs: () => number
  readonly onQuery: () => void
  /** The clients whose queries for outside names are passed on; absent: none. */
  readonly recursion?: IpPrefixes | undefined
}

/** One request, whichever version of HTTP it came with. */
export interface DohExchange {
  readonly head: DohHead
  readonly body: Readable
  /** It must be safe to call it after the client has gone. */
  readonly send: (answer: DohAnswer) => void
}

/** What all unfinished bodies of one connection may take. */
const bodyBytesMax = 4 * dohBytesMax

/** What one client of DNS over HTTPS asks, and how long it may take. */
export class DohConnection implements StreamClient {
  deadlineMs: number
  /** Ends the connection, in the way of its version of HTTP. */
  onFinish: () => void
  readonly #socket: Socket
  readonly #parts: DohConnectionParts
  readonly #answering: StreamAnswering
  #bodyBytes = 0
  /** Queries that another thread will answer. */
  #waiting = 0

  constructor(socket: Socket, parts: DohConnectionParts) {
    this.#socket = socket
    this.#parts = parts
    this.onFinish = () => socket.end(() => socket.destroy())
    this.#answering = {
      responder: parts.responder,
      asker: streamAsker(socket, parts.recursion),
      // RFC 7828 is about TCP; over HTTP the client does not own the connection.
      policy: { keepaliveMs: undefined, isEncrypted: true },
    }
    this.deadlineMs = this.#idleEndMs
    socket.on('error', () => parts.counters.errors++)
  }

  finish(): void {
    this.onFinish()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  serve({ head, body, send }: DohExchange): void {
    const request = readDohHead(head)
    if (request === 'body') return this.#collect(body, send)
    // A body that is not read would keep the stream open.
    body.resume()
    if (request instanceof Uint8Array) return this.#answer(request, send)
    return this.#refuse(request, send)
  }

  get #idleEndMs(): number {
    const { nowMs, limits } = this.#parts
    return nowMs() + idleMsOf(limits.idleTimeoutMs, this.#waiting)
  }

  #refuse(error: SvcdError, send: DohExchange['send']): void {
    this.#parts.counters.errors++
    send(refusedDoh(error))
  }

  #collect(body: Readable, send: DohExchange['send']): void {
    const chunks: Buffer[] = []
    let length = 0
    body.on('data', (chunk: Buffer) => {
      length += chunk.length
      this.#bodyBytes += chunk.length
      if (this.#bodyBytes > bodyBytesMax) {
        this.#parts.counters.errors++
        this.#socket.destroy()
      } else if (length <= dohBytesMax) {
        chunks.push(chunk)
      }
    })
    body.on('end', () => {
      if (length > dohBytesMax) send(refusedDoh(tooLarge()))
      else this.#answer(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks), send)
    })
    body.on('close', () => (this.#bodyBytes -= length))
  }

  /** In a later turn, if the clients of this port have used up their share of this one. */
  #answer(query: Uint8Array, send: DohExchange['send']): void {
    const { share } = this.#parts
    if (share.isOver) share.later(() => this.#answer(query, send))
    else this.#answerNow(query, send)
  }

  #answerNow(query: Uint8Array, send: DohExchange['send']): void {
    const { answers, counters, onQuery } = this.#parts
    // It has gone while the query waited.
    if (this.#socket.destroyed) return
    counters.queries++
    onQuery()
    const answer = answerDoh(query, answers, this.#answering)
    if (answer === passedOn) this.#await(query, send)
    else send(answer)
    this.deadlineMs = this.#idleEndMs
  }

  /** A stream that its client has reset still counts: otherwise their number would not be limited. */
  #await(query: Uint8Array, send: DohExchange['send']): void {
    if (this.#waiting >= waitingMax) {
      return this.#refuse(svcdError('doh-waiting', { max: waitingMax }), send)
    }
    this.#waiting++
    void laterOf(this.#answering.responder).then((answer) => this.#answerLater(query, answer, send))
    return undefined
  }

  #answerLater(query: Uint8Array, answer: Uint8Array, send: DohExchange['send']): void {
    this.#waiting--
    if (this.#socket.destroyed) return
    this.deadlineMs = this.#idleEndMs
    send(answerDohLater(query, answer, this.#parts.answers, this.#answering))
  }
}
