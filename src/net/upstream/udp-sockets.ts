import { randomInt } from 'node:crypto'
import { connectUdp } from './connected-udp.ts'
import type { ConnectedUdp } from './connected-udp.ts'
import type { Exchange, UpstreamServer } from './exchange.ts'

/** Open sockets to one server. */
const socketsMax = 32
/** A socket is replaced after so many queries, so that its port cannot be found out and used. */
const queriesMax = 64
const idMax = 0x10000

interface Waiting {
  readonly exchange: Exchange
  readonly timer: NodeJS.Timeout
}

/**
 * Asks one server over UDP, with random ids from random ports (RFC 5452 §9.2). The sockets are connected:
 * the system drops packets from other addresses, and reports a closed port.
 */
export class UdpSockets {
  readonly #server: UpstreamServer
  readonly #onStray: () => void
  readonly #sockets: QuerySocket[] = []

  /** `onStray` is called for each packet that has the id of no query that waits. */
  constructor(server: UpstreamServer, onStray: () => void) {
    this.#server = server
    this.#onStray = onStray
  }

  ask(exchange: Exchange): void {
    this.#choose().ask(exchange)
  }

  close(): void {
    for (const socket of this.#sockets) socket.close()
  }

  #choose(): QuerySocket {
    const place = randomInt(socketsMax)
    const known = this.#sockets[place]
    if (known !== undefined && !known.isWorn) return known
    known?.retire()
    const socket = new QuerySocket(this.#server, this.#onStray)
    // Places are filled in order, so that few queries need few sockets.
    const at = known === undefined ? this.#sockets.length : place
    this.#sockets[at] = socket
    return socket
  }
}

class QuerySocket {
  readonly #socket: ConnectedUdp
  readonly #onStray: () => void
  readonly #waiting = new Map<number, Waiting>()
  #isClosed = false
  #isRetired = false
  #queries = 0

  constructor(server: UpstreamServer, onStray: () => void) {
    this.#onStray = onStray
    this.#socket = connectUdp(server, {
      onMessage: (bytes) => this.#receive(bytes),
      onError: () => this.#fail(),
    })
  }

  /** It takes no more queries. */
  get isWorn(): boolean {
    return this.#isClosed || this.#queries >= queriesMax
  }

  ask(exchange: Exchange): void {
    this.#queries++
    let id = randomInt(idMax)
    while (this.#waiting.has(id)) id = randomInt(idMax)
    const timer = setTimeout(() => {
      this.#settle(id)
      exchange.fail('timeout')
    }, exchange.timeoutMs)
    this.#waiting.set(id, { exchange, timer })
    this.#socket.send(exchange.build(id))
  }

  /** Closes when the last answer has come. */
  retire(): void {
    this.#isRetired = true
    if (this.#waiting.size === 0) this.close()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
    this.#socket.close()
  }

  #receive(bytes: Uint8Array): void {
    const id = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return this.#onStray()
    if (waiting.exchange.take(bytes)) this.#settle(id)
    return undefined
  }

  #settle(id: number): void {
    const waiting = this.#waiting.get(id)
    clearTimeout(waiting?.timer)
    this.#waiting.delete(id)
    if (this.#isRetired && this.#waiting.size === 0) this.close()
  }

  /** The port is closed, or there is no route to the server. */
  #fail(): void {
    const failed = [...this.#waiting.values()]
    this.close()
    for (const { exchange } of failed) exchange.fail('network')
  }
}
