import { TurnShare } from './turn-share.ts'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests behind another one of their connections, of all connections together. */
const waitingMaxDefault = 8192
/**
 * So many of one connection wait, and it is not read any more until it has none. Then its end is only noticed when an
 * answer is written; so a few, which an honest client may have, do not stop it.
 */
const readMax = 16

type Exchange = readonly [IncomingMessage, ServerResponse]

/** The requests of one connection. */
interface Line {
  readonly waiting: Exchange[]
  /** One of them is being answered, or has its turn soon. */
  isBusy: boolean
  isPaused: boolean
}

export interface RequestTurnsOptions {
  readonly waitingMax?: number
  /** Closes a connection whose requests are too many. */
  readonly onOverflow: (socket: Socket) => void
}

/**
 * Divides the event loop between the clients of HTTP. Node hands over all requests of a chunk in the same turn, which
 * may be a thousand of one client. Here the requests of a connection are handled one after another, as RFC 9112 §9.3.2
 * demands of those that change something. Each has a turn of its own, and all connections together have a share of
 * each turn, so that Raft gets the rest.
 */
export class RequestTurns {
  readonly #options: RequestTurnsOptions
  readonly #waitingMax: number
  readonly #share = new TurnShare()
  readonly #lines = new WeakMap<Socket, Line>()
  #waiting = 0

  constructor(options: RequestTurnsOptions) {
    this.#options = options
    this.#waitingMax = options.waitingMax ?? waitingMaxDefault
  }

  /** Of all connections. */
  get waiting(): number {
    return this.#waiting
  }

  /** From now on the listeners that `server` has for requests get them in turn. */
  order(server: Server): void {
    const listeners = server.listeners('request')
    server.removeAllListeners('request')
    const handle = ([request, response]: Exchange): void => {
      for (const listener of listeners) listener.call(server, request, response)
    }
    const next = (socket: Socket, line: Line): void => {
      const exchange = line.waiting.shift()
      if (exchange === undefined) {
        line.isBusy = false
        return
      }
      this.#waiting--
      this.#read(socket, line)
      begin(exchange, socket, line)
    }
    const begin = (exchange: Exchange, socket: Socket, line: Line): void => {
      exchange[1].on('close', () => {
        if (line.waiting.length === 0) line.isBusy = false
        else this.#share.later(() => next(socket, line))
      })
      handle(exchange)
    }
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request
      const line = this.#lineOf(socket)
      if (line.isBusy) return this.#wait([request, response], socket, line)
      line.isBusy = true
      if (!this.#share.isOver) return begin([request, response], socket, line)
      return this.#share.later(() => begin([request, response], socket, line))
    })
  }

  #lineOf(socket: Socket): Line {
    const known = this.#lines.get(socket)
    if (known !== undefined) return known
    const line: Line = { waiting: [], isBusy: false, isPaused: false }
    this.#lines.set(socket, line)
    socket.once('close', () => {
      this.#waiting -= line.waiting.length
      line.waiting.length = 0
    })
    return line
  }

  #wait(exchange: Exchange, socket: Socket, line: Line): void {
    if (socket.destroyed) return
    if (this.#waiting >= this.#waitingMax) {
      this.#options.onOverflow(socket)
      return
    }
    this.#waiting++
    line.waiting.push(exchange)
    if (line.waiting.length !== readMax) return
    // Node reads on at the end of each request of the chunk.
    setImmediate(() => {
      line.isPaused = line.waiting.length >= readMax
      if (line.isPaused) socket.pause()
    })
  }

  #read(socket: Socket, line: Line): void {
    if (!line.isPaused || line.waiting.length > 0) return
    line.isPaused = false
    socket.resume()
  }
}
