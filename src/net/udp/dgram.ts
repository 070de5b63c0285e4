import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { reasonOf } from '../../base/errors.ts'
import type { IpPrefixes } from '../../base/ip-prefixes.ts'
import { bindError, codeOf, dnsUdp } from '../connections/bind-error.ts'
import { sourceOf } from '../client-source.ts'
import { loopbackBytesMax, pathBytesDefault } from '../packet-responder.ts'
import { SlowLane } from './slow-lane.ts'
import type { RemoteInfo, Socket } from 'node:dgram'
import type { PacketResponder, UdpCounters } from '../packet-responder.ts'

export interface UdpOptions {
  /** An IP address of this host, `0.0.0.0` for all of IPv4, `::` for all of both families. */
  readonly address: string
  /** 0: any free one. */
  readonly port: number
  readonly responder: PacketResponder
  /** The largest answer to a client on another machine, in octets; 1232 unless given. */
  readonly pathBytesMax?: number
  /** The clients whose queries for outside names are passed on; absent: none. */
  readonly recursion?: IpPrefixes | undefined
}

const receiveBufferBytes = 4 * 1024 * 1024
const rescanMs = 5000
const freePortAttempts = 10
/** As many packets node takes from a socket in one turn of the event loop. */
const packetsOfTurn = 32

/**
 * Opens the DNS port over UDP. Rejects with `port-in-use` or `bind-failed`. For a wildcard address
 * every address of the host gets a socket of its own, so that an answer leaves from the address
 * that was asked (RFC 2181 §4); addresses that come or go later are noticed within 5 s.
 */
export async function listenUdp(options: UdpOptions): Promise<UdpListener> {
  for (let attempt = 1; ; attempt++) {
    const listener = new UdpListener(options)
    try {
      await listener.open()
      return listener
    } catch (error) {
      await listener.close()
      // A port that was free on one address may be taken on the next.
      const mayRetry = options.port === 0 && isWildcard(options.address)
      if (!mayRetry || attempt === freePortAttempts) throw error
    }
  }
}

export class UdpListener {
  readonly counters: UdpCounters = { received: 0, sent: 0, errors: 0, deferred: 0, overflowed: 0 }
  readonly #options: UdpOptions
  readonly #sockets = new Map<string, Socket>()
  #port: number
  readonly #slow = new SlowLane<() => void>()
  #receivedBefore = 0
  #unsent = 0
  #isClosing = false
  #whenSent: (() => void) | undefined
  #rescan: NodeJS.Timeout | undefined
  #isScanning = false

  constructor(options: UdpOptions) {
    this.#options = options
    this.#port = options.port
  }

  get port(): number {
    return this.#port
  }

  /** The addresses that are listened on. */
  get addresses(): readonly string[] {
    return [...this.#sockets.keys()]
  }

  async open(): Promise<void> {
    const { address } = this.#options
    if (!isWildcard(address)) return this.#bind(address)
    for (const local of localAddresses(address)) await this.#bind(local, true)
    if (this.#sockets.size === 0) {
      throw bindError(dnsUdp, address, this.#port, new Error('this machine has no such address'))
    }
    this.#rescan = setInterval(() => void this.#scan(), rescanMs).unref()
    return undefined
  }

  /** Stops answering, waits until the answers in flight are sent, closes the sockets. */
  async close(): Promise<void> {
    this.#isClosing = true
    clearInterval(this.#rescan)
    // Closing a socket would cancel what it still has to send.
    if (this.#unsent > 0) await new Promise<void>((resolve) => (this.#whenSent = resolve))
    await Promise.all([...this.#sockets.keys()].map((address) => this.#unbind(address)))
  }

  /** `mayBeGone`: an address of an interface may vanish, or not be usable yet, while we look. */
  async #bind(address: string, mayBeGone = false): Promise<void> {
    const socket = createSocket({
      type: isIPv6(address) ? 'udp6' : 'udp4',
      ipv6Only: isIPv6(address),
      // Addresses only ever come from packets: there is nothing to resolve.
      lookup: (host, _options, done) => done(null, host, isIPv6(host) ? 6 : 4),
    })
    try {
      await bound(socket, address, this.#port)
    } catch (error) {
      socket.close()
      if (mayBeGone && codeOf(error) === 'EADDRNOTAVAIL') return
      throw bindError(dnsUdp, address, this.#port, error)
    }
    this.#port = socket.address().port
    this.#sockets.set(address, socket)
    socket.on('error', () => this.counters.errors++)
    this.#serve(socket, address)
  }

  #serve(socket: Socket, address: string): void {
    // Best effort: the system may allow less. It holds the packets that come during a pause.
    try {
      socket.setRecvBufferSize(receiveBufferBytes)
    } catch {
      this.counters.errors++
    }
    const onSent = (error: Error | null): void => this.#sent(error)
    const send = (answer: Buffer | undefined, to: RemoteInfo): void => {
      if (answer === undefined || answer.length === 0) return
      this.#unsent++
      try {
        socket.send(answer, to.port, to.address, onSent)
      } catch (error) {
        // A forged source port of 0 is refused before it reaches the system.
        onSent(error instanceof Error ? error : new Error(reasonOf(error)))
      }
    }
    const pathBytesMax = this.#options.pathBytesMax ?? pathBytesDefault
    // One object for all packets: the responder is synchronous and keeps nothing.
    const asker = {
      transport: 'udp' as const,
      client: '',
      source: sourceOf(''),
      pathBytesMax,
      mayRecurse: false,
    }
    const turnTo = (from: RemoteInfo): typeof asker => {
      asker.client = from.address
      asker.source = sourceOf(from.address)
      asker.pathBytesMax = isLocal(from.address, address) ? loopbackBytesMax : pathBytesMax
      asker.mayRecurse = recursion?.containsText(from.address) ?? false
      return asker
    }
    const answerTo = (packet: Buffer, from: RemoteInfo): void => {
      const answer = responder.respond(packet, turnTo(from))
      if (!(answer instanceof Promise)) return send(answer, from)
      void answer.then((later) => {
        if (!this.#isClosing) send(later, from)
      })
      return undefined
    }
    const { responder, recursion } = this.#options
    socket.on('message', (packet: Buffer, from: RemoteInfo) => {
      if (this.#isClosing) return
      this.counters.received++
      const answer = responder.hit(packet, turnTo(from))
      if (answer !== undefined) send(answer, from)
      else this.#defer(() => answerTo(packet, from))
    })
  }

  /** Misses are answered after all received packets whose answers are in the cache. */
  #defer(answer: () => void): void {
    if (this.#slow.length === 0) setImmediate(() => this.#work())
    if (this.#slow.push(answer)) this.counters.deferred++
    else this.counters.overflowed++
  }

  #work(): void {
    while (this.#slow.mayWork && this.#slow.length > 0) {
      const beganMs = performance.now()
      this.#slow.shift()?.()
      this.#slow.spend(performance.now() - beganMs)
    }
    this.#slow.grant(this.counters.received - this.#receivedBefore < packetsOfTurn)
    this.#receivedBefore = this.counters.received
    if (this.#slow.length > 0) setImmediate(() => this.#work())
  }

  #sent(error: Error | null): void {
    this.#unsent--
    if (error === null) this.counters.sent++
    else this.counters.errors++
    if (this.#unsent === 0) this.#whenSent?.()
  }

  async #scan(): Promise<void> {
    if (this.#isScanning) return
    this.#isScanning = true
    const present = new Set(localAddresses(this.#options.address))
    for (const address of this.#sockets.keys()) {
      if (!present.has(address)) await this.#unbind(address)
    }
    for (const address of present) {
      if (this.#sockets.has(address) || this.#isClosing) continue
      try {
        await this.#bind(address, true)
      } catch {
        // Somebody else holds the port there. It is tried again at the next scan.
        this.counters.errors++
      }
    }
    this.#isScanning = false
  }

  async #unbind(address: string): Promise<void> {
    const socket = this.#sockets.get(address)
    this.#sockets.delete(address)
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()))
  }
}

function bound(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject)
      resolve()
    })
  })
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

/** The addresses of this host that a wildcard stands for; link-local ones need a zone and are left out. */
function localAddresses(wildcard: string): string[] {
  const found = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return found
    .filter(({ family, address }) => {
      if (family === 'IPv4') return true
      return wildcard === '::' && !address.toLowerCase().startsWith('fe80:')
    })
    .map(({ address }) => address)
}

function isLocal(client: string, own: string): boolean {
  return client === own || client.startsWith('127.') || client === '::1'
}
