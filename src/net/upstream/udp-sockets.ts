import { randomInt } from 'node:crypto'
import type { After } from '../../base/timeouts.ts'
import { afterByEventLoop } from '../../process/after.ts'
import { connectUdp } from './connected-udp.ts'
import type { ConnectUdp, ConnectedUdp } from './connected-udp.ts'
import type { Exchange, UpstreamServer } from './exchange.ts'

/** What sockets are made of. */
export interface UdpSocketsOptions {
  readonly connect: ConnectUdp
  readonly after: After
  /** Open sockets to one server. */
  readonly socketsMax: number
}

const byEventLoop: UdpSocketsOptions = {
  connect: connectUdp,
  after: afterByEventLoop,
  socketsMax: 32,
}
/** A socket is replaced after so many queries, so that its port cannot be found out and used. */
const queriesMax = 64
const idMax = 0x10000

interface Waiting {
  readonly id: number
  readonly exchange: Exchange
  readonly cancelTimeout: () => void
}

/**
 * Asks one server over UDP, with random ids from random ports (RFC 5452 §9.2). The sockets are connected:
 * the system drops packets from other addresses, and reports a closed port.
 */
export class UdpSockets {
  readonly #server: UpstreamServer
  readonly #onStray: () => void
  readonly #options: UdpSocketsOptions
  readonly #sockets: QuerySocket[] = []

  /** `onStray` is called for each packet that has the id of no query that waits. */
  constructor(server: UpstreamServer, onStray: () => void, options = byEventLoop) {
    this.#server = server
    this.#onStray = onStray
    this.#options = options
  }

  ask(exchange: Exchange): void {
    this.#choose().ask(exchange)
  }

  close(): void {
    for (const socket of this.#sockets) socket.close()
  }

  #choose(): QuerySocket {
    const place = randomInt(this.#options.socketsMax)
    const known = this.#sockets[place]
    if (known !== undefined && !known.isWorn) return known
    known?.retire()
    const socket = new QuerySocket(this.#server, this.#onStray, this.#options)
    // Places are filled in order, so that few queries need few sockets.
    const at = known === undefined ? this.#sockets.length : place
    this.#sockets[at] = socket
    return socket
  }
}

class QuerySocket {
  readonly #socket: ConnectedUdp
  readonly #onStray: () => void
  readonly #after: After
  /** At most {@link queriesMax}. */
  readonly #waiting: Waiting[] = []
  #isClosed = false
  #isRetired = false
  #queries = 0

  constructor(server: UpstreamServer, onStray: () => void, { connect, after }: UdpSocketsOptions) {
    this.#onStray = onStray
    this.#after = after
    this.#socket = connect(server, {
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
    while (this.#find(id) !== undefined) id = randomInt(idMax)
    const cancelTimeout = this.#after(exchange.timeoutMs, () => {
      this.#settle(id)
      exchange.fail('timeout')
    })
    this.#waiting.push({ id, exchange, cancelTimeout })
    this.#socket.send(exchange.build(id))
  }

  /** Closes when the last answer has come. */
  retire(): void {
    this.#isRetired = true
    if (this.#waiting.length === 0) this.close()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { cancelTimeout } of this.#waiting) cancelTimeout()
    this.#waiting.length = 0
    this.#socket.close()
  }

  #receive(bytes: Uint8Array): void {
    const id = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
    const waiting = this.#find(id)
    if (waiting === undefined) return this.#onStray()
    if (waiting.exchange.take(bytes)) this.#settle(id)
    return undefined
  }

  #find(id: number): Waiting | undefined {
    return this.#waiting.find((waiting) => waiting.id === id)
  }

  #settle(id: number): void {
    const at = this.#waiting.findIndex((waiting) => waiting.id === id)
    if (at < 0) return
    this.#waiting[at]?.cancelTimeout()
    this.#waiting.splice(at, 1)
    if (this.#isRetired && this.#waiting.length === 0) this.close()
  }

  /** The port is closed, or there is no route to the server. */
  #fail(): void {
    const failed = [...this.#waiting]
    this.close()
    for (const { exchange } of failed) exchange.fail('network')
  }
}
