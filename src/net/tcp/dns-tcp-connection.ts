import type { Socket } from 'node:net'
import type { IpPrefixes } from '../../base/ip-prefixes.ts'
import { passedOn } from '../packet-responder.ts'
import { idleMsOf, laterOf, streamAsker, waitingMax } from './stream-asker.ts'
import { sendTransfer, transferStallMs } from './transfer-sender.ts'
import type { TurnShare } from '../connections/turn-share.ts'
import type { StreamResponder, TransferDoor } from '../packet-responder.ts'
import type { AnswerBuffer, StreamAnswering } from './answer-buffer.ts'
import type { StreamClient, StreamCounters } from './stream-port.ts'

export interface TcpLimits {
  /** How long a connection may stay without a query (RFC 7766 §6.2.3). */
  readonly idleTimeoutMs: number
  /** How long a client may take to send a query it has begun. */
  readonly frameTimeoutMs: number
  /** How long a client may leave answers unread. */
  readonly drainTimeoutMs: number
  /** Unread answers of one connection in octets before its queries have to wait. */
  readonly unreadBytesMax: number
}

const headerBytes = 12
/** How long one client may delay the others; `TurnShare` is for all of them together. */
const sliceMs = 0.5

export interface DnsConnectionParts {
  readonly responder: StreamResponder
  readonly answers: AnswerBuffer
  readonly isEncrypted: boolean
  readonly limits: TcpLimits
  readonly counters: StreamCounters
  readonly share: TurnShare
  /** The monotonic clock of the deadlines. */
  readonly nowMs: () => number
  /** One or more whole queries have come. */
  readonly onQuery: () => void
  /** The clients whose queries for outside names are passed on; absent: none. */
  readonly recursion?: IpPrefixes | undefined
  /** Absent: zone transfers are refused. */
  readonly transfers?: TransferDoor | undefined
}

/** One client: cuts its stream into queries (RFC 1035 §4.2.2) and answers them; outside names later. */
export class DnsConnection implements StreamClient {
  deadlineMs = 0
  readonly #socket: Socket
  readonly #answers: AnswerBuffer
  readonly #answering: StreamAnswering
  readonly #limits: TcpLimits
  readonly #counters: StreamCounters
  readonly #share: TurnShare
  readonly #nowMs: () => number
  readonly #onQuery: () => void
  readonly #transfers: TransferDoor | undefined
  /** Queries that another thread will answer. */
  #waiting = 0
  /** A zone transfer is under way. Further queries wait until it has ended. */
  #isTransferring = false
  /** Octets of the length that came so far: 0 or 1 of 2. */
  #lengthBytes = 0
  #length = 0
  /** The query that is being received. */
  #frame: Buffer | undefined
  #filled = 0
  /** Data that waits until the client reads its answers, or until other clients had their turn. */
  #backlog: Buffer | undefined
  #sliceEndMs = 0
  #isSliceOver = false
  /** The client has sent its last query. */
  #hasEnded = false
  #isFinishing = false

  constructor(socket: Socket, parts: DnsConnectionParts) {
    const { responder, answers, isEncrypted, limits, counters, share, onQuery, recursion } = parts
    this.#onQuery = onQuery
    this.#transfers = parts.transfers
    this.#socket = socket
    this.#answers = answers
    this.#answering = {
      responder,
      asker: streamAsker(socket, recursion),
      policy: { keepaliveMs: limits.idleTimeoutMs, isEncrypted },
    }
    this.#limits = limits
    this.#counters = counters
    this.#share = share
    this.#nowMs = parts.nowMs
    this.#rest()
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('drain', () => this.#resume())
    socket.on('end', () => this.#end())
    socket.on('error', () => counters.errors++)
  }

  get #isReceiving(): boolean {
    return this.#frame !== undefined || this.#lengthBytes > 0
  }

  finish(): void {
    this.#isFinishing = true
    this.#backlog = undefined
    // Further data is read and dropped: closing with unread octets would reset the connection, and the
    // client could lose its last answers.
    this.#socket.resume()
    this.#socket.end(() => this.#socket.destroy())
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    if (this.#isFinishing) return
    const answered = this.#counters.queries
    this.#sliceEndMs = performance.now() + sliceMs
    this.#isSliceOver = this.#share.isOver
    const taken = this.#readFrames(chunk)
    this.#send()
    if (this.#socket.destroyed) return
    if (this.#counters.queries > answered) this.#onQuery()
    if (taken < chunk.length || this.#socket.writableNeedDrain) {
      this.#backlog = taken < chunk.length ? chunk.subarray(taken) : undefined
      this.#socket.pause()
      if (this.#waiting >= waitingMax || this.#isTransferring) return this.#rest()
      this.deadlineMs = this.#nowMs() + this.#limits.drainTimeoutMs
      if (!this.#socket.writableNeedDrain) this.#share.later(() => this.#resume())
    } else if (!this.#isReceiving) {
      this.#rest()
    }
  }

  #rest(): void {
    if (this.#isTransferring) return
    this.deadlineMs = this.#nowMs() + idleMsOf(this.#limits.idleTimeoutMs, this.#waiting)
  }

  /** Whether the rest of what has come must wait. */
  get #isBusy(): boolean {
    const unread = this.#socket.writableLength + this.#answers.length
    const hasMany = this.#waiting >= waitingMax || unread > this.#limits.unreadBytesMax
    return hasMany || this.#isSliceOver || this.#isTransferring
  }

  /** Handles what is complete in `chunk`; returns how much of it was taken. */
  #readFrames(chunk: Buffer): number {
    let at = 0
    while (at < chunk.length && !this.#socket.destroyed) {
      if (this.#isBusy) return at
      at = this.#frame === undefined ? this.#readLength(chunk, at) : this.#fill(chunk, at)
    }
    return chunk.length
  }

  #readLength(chunk: Buffer, at: number): number {
    // The time for a query counts from its first octet: more octets do not prolong it.
    if (this.#lengthBytes === 0) {
      this.deadlineMs = this.#nowMs() + this.#limits.frameTimeoutMs
    }
    this.#length = (this.#length << 8) | (chunk[at] ?? 0)
    this.#lengthBytes++
    if (this.#lengthBytes < 2) return at + 1
    const length = this.#length
    this.#length = 0
    this.#lengthBytes = 0
    // A frame this short has no header, so there is no id to answer.
    if (length < headerBytes) {
      this.#reject()
      return chunk.length
    }
    const end = at + 1 + length
    if (end <= chunk.length) {
      this.#answer(chunk.subarray(at + 1, end))
      return end
    }
    this.#frame = Buffer.allocUnsafe(length)
    this.#filled = 0
    return at + 1
  }

  #fill(chunk: Buffer, at: number): number {
    const frame = this.#frame
    if (frame === undefined) return at
    const taken = chunk.copy(frame, this.#filled, at)
    this.#filled += taken
    if (this.#filled === frame.length) {
      this.#frame = undefined
      this.#answer(frame)
    }
    return at + taken
  }

  #answer(packet: Buffer): void {
    this.#counters.queries++
    const transfer = this.#transfers?.take(packet, this.#answering.asker)
    if (transfer !== undefined) return this.#transfer(transfer)
    const bare = this.#answers.add(packet, this.#answering)
    this.#isSliceOver = performance.now() > this.#sliceEndMs || this.#share.isOver
    // Only data that is not a query gets no answer, and well-behaved clients do not send any.
    if (bare === 0) this.#reject()
    else if (bare === passedOn) this.#await(packet)
    else if (this.#answers.isFull) this.#send()
  }

  #transfer(messages: AsyncIterable<Uint8Array>): void {
    this.#isTransferring = true
    // The answers to earlier queries leave first.
    this.#send()
    const onProgress = (): void => {
      this.deadlineMs = this.#nowMs() + transferStallMs
      // It is in use: it must not be closed to make room for another.
      this.#onQuery()
    }
    void sendTransfer(this.#socket, messages, onProgress).then(() => {
      this.#isTransferring = false
      this.#resume()
    })
  }

  #await(query: Buffer): void {
    const later = laterOf(this.#answering.responder)
    this.#waiting++
    // The query may be a small part of a large buffer.
    const kept = Buffer.from(query)
    void later.then((answer) => this.#answerLater(kept, answer))
  }

  /** RFC 7766 §6.2.1.1: answers may leave in another order than the queries came. */
  #answerLater(query: Buffer, answer: Uint8Array): void {
    this.#waiting--
    if (this.#socket.destroyed || this.#isFinishing) return
    this.#answers.addLater(query, answer, this.#answering)
    this.#send()
    const hasBacklog = this.#backlog !== undefined
    if (hasBacklog && this.#waiting === waitingMax - 1) this.#resume()
    else if (!hasBacklog && !this.#isReceiving && !this.#socket.writableNeedDrain) this.#rest()
    if (this.#hasEnded) this.#endIfAnswered()
  }

  /** The client has sent its last query. */
  #endIfAnswered(): void {
    if (this.#isTransferring || this.#backlog !== undefined || this.#waiting > 0) return
    this.#socket.end()
  }

  /** Nothing of it leaves if the connection has been destroyed. */
  #send(): void {
    if (this.#answers.length === 0) return
    const bytes = this.#answers.take()
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  }

  #reject(): void {
    this.#counters.errors++
    this.#socket.destroy()
  }

  #resume(): void {
    if (this.#isFinishing || this.#socket.destroyed || this.#isTransferring) return
    const backlog = this.#backlog
    this.#backlog = undefined
    this.#rest()
    if (backlog !== undefined) this.#receive(backlog)
    if (this.#backlog !== undefined || this.#socket.writableNeedDrain) return
    this.#socket.resume()
    if (this.#hasEnded) this.#endIfAnswered()
  }

  #end(): void {
    this.#hasEnded = true
    this.#endIfAnswered()
  }
}
