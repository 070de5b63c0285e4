import { randomInt } from 'node:crypto'
import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Socket } from 'node:net'
import type { Exchange, UpstreamServer } from './exchange.ts'

/** RFC 7766 §6.2.3: a connection without queries is closed after a while. */
const idleMs = 10_000
/** One connection carries so many queries at a time; RFC 7766 §6.2.1.1. */
const waitingMax = 1000
const idMax = 0x10000

interface Waiting {
  readonly exchange: Exchange
  readonly timer: NodeJS.Timeout
}

/** Asks one server over TCP or TLS, on one connection that is opened when it is needed. */
export class UpstreamStream {
  readonly #server: UpstreamServer
  readonly #ca: readonly string[] | undefined
  readonly #waiting = new Map<number, Waiting>()
  #socket: Socket | undefined
  #received: Buffer = Buffer.alloc(0)
  #session: Buffer | undefined
  #idle: NodeJS.Timeout | undefined

  /** `ca`: certificates of the authorities to trust, in PEM; undefined: those of Node. */
  constructor(server: UpstreamServer, ca: readonly string[] | undefined) {
    this.#server = server
    this.#ca = ca
  }

  ask(exchange: Exchange): void {
    if (this.#waiting.size >= waitingMax) return exchange.fail('network')
    let id = randomInt(idMax)
    while (this.#waiting.has(id)) id = randomInt(idMax)
    const timer = setTimeout(() => {
      this.#settle(id)
      exchange.fail('timeout')
      // A connection that is dead without a sign must not be used again.
      if (this.#waiting.size === 0) this.#drop()
    }, exchange.timeoutMs)
    this.#waiting.set(id, { exchange, timer })
    clearTimeout(this.#idle)
    const query = exchange.build(id)
    const frame = Buffer.allocUnsafe(2 + query.length)
    frame.writeUInt16BE(query.length)
    frame.set(query, 2)
    this.#socket ??= this.#open()
    this.#socket.write(frame)
    return undefined
  }

  close(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
    this.#drop()
  }

  #open(): Socket {
    const { address: host, port, tls } = this.#server
    this.#received = Buffer.alloc(0)
    const socket =
      tls === undefined
        ? connect({ host, port, noDelay: true })
        : this.#openTls(host, port, tls.name)
    socket.on('data', (chunk: Buffer) => {
      if (socket === this.#socket) this.#receive(chunk)
    })
    const lost = (): void => {
      if (socket === this.#socket) this.#lose()
    }
    socket.on('error', lost)
    socket.on('close', lost)
    socket.on('end', () => socket.destroy())
    socket.unref()
    return socket
  }

  /** RFC 8310 §8: the strict profile. The certificate must be valid for the name, or else for the address. */
  #openTls(host: string, port: number, name: string | undefined): Socket {
    const socket = connectTls({
      host,
      port,
      ALPNProtocols: ['dot'],
      minVersion: 'TLSv1.2',
      ...(name === undefined || isIP(name) !== 0 ? {} : { servername: name }),
      ...(this.#ca === undefined ? {} : { ca: [...this.#ca] }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    })
    socket.on('session', (session) => (this.#session = session))
    socket.setNoDelay(true)
    return socket
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    let at = 0
    while (this.#received.length - at >= 2) {
      const length = this.#received.readUInt16BE(at)
      if (this.#received.length - at < 2 + length) break
      this.#answer(this.#received.subarray(at + 2, at + 2 + length))
      at += 2 + length
    }
    this.#received = this.#received.subarray(at)
  }

  #answer(bytes: Buffer): void {
    const id = bytes.length < 2 ? -1 : bytes.readUInt16BE()
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    if (waiting.exchange.take(bytes)) this.#settle(id)
  }

  #settle(id: number): void {
    clearTimeout(this.#waiting.get(id)?.timer)
    this.#waiting.delete(id)
    if (this.#waiting.size > 0) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.#drop(), idleMs).unref()
  }

  /** The connection has ended, with or without an error: what waits is asked elsewhere. */
  #lose(): void {
    const failed = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#drop()
    for (const { exchange, timer } of failed) {
      clearTimeout(timer)
      exchange.fail('network')
    }
  }

  #drop(): void {
    clearTimeout(this.#idle)
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }
}
