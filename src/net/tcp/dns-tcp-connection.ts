import type { Socket } from 'node:net'
import type { IpPrefixes } from '../../base/ip-prefixes.ts'
import type { PacketAsker, PacketResponder } from '../packet-responder.ts'

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

export interface TcpCounters {
  connections: number
  queries: number
  timeouts: number
  /** Connections closed for what they sent, or lost. */
  errors: number
}

const headerBytes = 12
/** Queries of one connection that another thread has not answered yet. More wait. */
const unansweredMax = 100
/** How long one client may delay the others, and all clients together the rest of the thread. */
const sliceMs = 0.5
const shareMs = 3

/** The share of each turn of the event loop that the clients of one port may use. */
export class TurnShare {
  /** 0 if nothing was used in this turn; otherwise when the share ends. */
  #endMs = 0
  readonly #waiting: (() => void)[] = []

  get isOver(): boolean {
    if (this.#endMs > 0) return performance.now() > this.#endMs
    this.#endMs = performance.now() + shareMs
    setImmediate(() => this.#next())
    return false
  }

  /** Calls `resume` in a later turn; for callers that found {@link isOver}. */
  later(resume: () => void): void {
    this.#waiting.push(resume)
  }

  #next(): void {
    this.#endMs = 0
    for (let left = this.#waiting.length; left > 0 && !this.isOver; left--) {
      this.#waiting.shift()?.()
    }
  }
}

export interface DnsConnectionParts {
  readonly responder: PacketResponder
  readonly limits: TcpLimits
  readonly counters: TcpCounters
  readonly share: TurnShare
  /** One or more whole queries have come. */
  readonly onQuery: () => void
  /** The clients whose queries for outside names are passed on; absent: none. */
  readonly recursion?: IpPrefixes | undefined
}

/** One client: cuts its stream into queries (RFC 1035 §4.2.2) and answers them in order. */
export class DnsConnection {
  /** When it will be closed, on the monotonic clock, unless something happens before. */
  deadlineMs = 0
  readonly #socket: Socket
  readonly #responder: PacketResponder
  readonly #limits: TcpLimits
  readonly #counters: TcpCounters
  readonly #share: TurnShare
  readonly #onQuery: () => void
  readonly #asker: PacketAsker
  /** Queries that another thread will answer. */
  #unanswered = 0
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
    const { responder, limits, counters, share, onQuery, recursion } = parts
    this.#onQuery = onQuery
    this.#socket = socket
    this.#responder = responder
    this.#limits = limits
    this.#counters = counters
    this.#share = share
    const client = socket.remoteAddress ?? ''
    const mayRecurse = recursion?.containsText(client) ?? false
    this.#asker = { transport: 'tcp', client, pathBytesMax: 65_535, mayRecurse }
    this.#rest()
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('drain', () => this.#resume())
    socket.on('end', () => this.#end())
    socket.on('error', () => counters.errors++)
  }

  get #isReceiving(): boolean {
    return this.#frame !== undefined || this.#lengthBytes > 0
  }

  /** Ends the connection once the answers given so far are sent; takes no more queries. */
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
    this.#socket.cork()
    const taken = this.#readFrames(chunk)
    this.#socket.uncork()
    if (this.#socket.destroyed) return
    if (this.#counters.queries > answered) this.#onQuery()
    if (taken < chunk.length || this.#socket.writableNeedDrain) {
      this.#backlog = taken < chunk.length ? chunk.subarray(taken) : undefined
      this.#socket.pause()
      this.deadlineMs = performance.now() + this.#limits.drainTimeoutMs
      if (this.#unanswered >= unansweredMax) return
      if (!this.#socket.writableNeedDrain) this.#share.later(() => this.#resume())
    } else if (!this.#isReceiving) {
      this.#rest()
    }
  }

  #rest(): void {
    this.deadlineMs = performance.now() + this.#limits.idleTimeoutMs
  }

  /** Whether the rest of what has come must wait. */
  get #isBusy(): boolean {
    const hasMany = this.#unanswered >= unansweredMax
    return hasMany || this.#socket.writableLength > this.#limits.unreadBytesMax || this.#isSliceOver
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
      this.deadlineMs = performance.now() + this.#limits.frameTimeoutMs
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
    const answer = this.#responder.respond(packet, this.#asker)
    this.#isSliceOver = performance.now() > this.#sliceEndMs || this.#share.isOver
    if (answer instanceof Promise) {
      this.#unanswered++
      void answer.then((later) => this.#answerLater(later))
      return undefined
    }
    // Only data that is not a query gets no answer, and well-behaved clients do not send any.
    return answer === undefined ? this.#reject() : this.#write(answer)
  }

  /** RFC 7766 §6.2.1.1: answers may leave in another order than the queries came. */
  #answerLater(answer: Buffer | undefined): void {
    this.#unanswered--
    if (this.#socket.destroyed || this.#isFinishing) return
    if (answer !== undefined) this.#write(answer)
    if (!this.#isReceiving) this.#rest()
    if (this.#unanswered === unansweredMax - 1 && this.#backlog !== undefined) this.#resume()
    if (this.#hasEnded && this.#backlog === undefined) this.#endIfAnswered()
  }

  #endIfAnswered(): void {
    if (this.#unanswered === 0) this.#socket.end()
  }

  #write(answer: Buffer): void {
    const length = Buffer.allocUnsafe(2)
    length.writeUInt16BE(answer.length)
    this.#socket.write(length)
    this.#socket.write(answer)
  }

  #reject(): void {
    this.#counters.errors++
    this.#socket.destroy()
  }

  #resume(): void {
    if (this.#isFinishing || this.#socket.destroyed) return
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
    if (this.#backlog === undefined) this.#endIfAnswered()
  }
}
