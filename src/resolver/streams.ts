import type { BoundAddress } from '../base/host-port.ts'
import type { IpPrefixes } from '../base/ip-prefixes.ts'
import type { ConnectionGate } from '../net/connections/gate.ts'
import { listenDnsHttps } from '../net/https/dns-https.ts'
import { listenTcp } from '../net/tcp/dns-tcp.ts'
import type { TcpOptions } from '../net/tcp/dns-tcp.ts'
import type { TcpLimits } from '../net/tcp/dns-tcp-connection.ts'
import type { StreamCertificate, StreamCounters, StreamPort } from '../net/tcp/stream-port.ts'
import type { StreamResponder, TransferDoor } from '../net/packet-responder.ts'
import { countedStream } from './answering.ts'
import type { Answerer } from './answering.ts'
import { cookieStream } from './protection/cookie-stream.ts'
import { DnsCounters } from './threads/counters.ts'
import type { StreamTransport } from './traffic/answered-query.ts'
import type { QueryObserver } from './traffic/query-observer.ts'
import type { DnsFigures } from './threads/counters.ts'

/** DNS over TLS and over HTTPS. */
export interface EncryptedDns {
  /** 0: any free one; below 0: it is off. */
  readonly tlsPort: number
  readonly httpsPort: number
  readonly certificate: StreamCertificate
  readonly handshakeTimeoutMs: number
  /** A client whose TLS connection failed. */
  readonly onFault: (what: string, address: string, reason: string) => void
}

export interface StreamOptions {
  readonly addresses: readonly string[]
  readonly tcpGate: ConnectionGate
  readonly tcpLimits?: Partial<TcpLimits>
  /** Undefined: both are off. */
  readonly encrypted?: EncryptedDns | undefined
}

/** How streams are answered for names outside the registry. */
export interface StreamRecursion {
  readonly responder: StreamResponder
  /** The clients that may ask for them. */
  readonly allow: IpPrefixes
}

export interface StreamFigures {
  readonly transport: StreamTransport
  readonly answers: DnsFigures
  readonly openConnections: number
  readonly connections: Readonly<StreamCounters>
}

interface Opened {
  readonly counters: DnsCounters
  readonly ports: readonly StreamPort[]
}

/** What the main thread answers: DNS over TCP, TLS and HTTPS, with one responder and its cache. */
export class DnsStreams {
  readonly #options: StreamOptions
  readonly #answerer: Pick<Answerer, 'responder' | 'cookies'>
  readonly #recursion: StreamRecursion | undefined
  readonly #observer: QueryObserver
  readonly #transfers: TransferDoor | undefined
  readonly #opened = new Map<StreamTransport, Opened>()

  constructor(
    options: StreamOptions,
    answerer: Pick<Answerer, 'responder' | 'cookies'>,
    observer: QueryObserver,
    recursion?: StreamRecursion,
    transfers?: TransferDoor,
  ) {
    this.#transfers = transfers
    this.#options = options
    this.#answerer = answerer
    this.#observer = observer
    this.#recursion = recursion
  }

  /** In the order in which they were opened. */
  get figures(): readonly StreamFigures[] {
    return [...this.#opened].map(([transport, { counters, ports }]) => ({
      transport,
      answers: counters.read(),
      openConnections: ports.reduce((sum, port) => sum + port.connectionCount, 0),
      connections: sumOf(ports.map((port) => port.counters)),
    }))
  }

  /** Where clients reach a transport; empty if it is off. */
  endpoints(transport: StreamTransport): readonly BoundAddress[] {
    const ports = this.#opened.get(transport)?.ports ?? []
    return this.#options.addresses.flatMap((address, at) => {
      const port = ports[at]?.port
      return port === undefined ? [] : [{ address, port }]
    })
  }

  /** Opens DNS over TCP; with port 0 resolves with the one that it has found. */
  async openTcp(port: number): Promise<number> {
    await this.#open('tcp', port, listenTcp)
    return this.endpoints('tcp')[0]?.port ?? port
  }

  async openEncrypted(): Promise<void> {
    const { encrypted } = this.#options
    if (encrypted === undefined) return
    const { tlsPort, httpsPort, certificate, handshakeTimeoutMs, onFault } = encrypted
    const tlsOf = (what: string): NonNullable<TcpOptions['tls']> => ({
      certificate,
      handshakeTimeoutMs,
      onFault: (address, reason) => onFault(what, address, reason),
    })
    if (tlsPort >= 0) {
      const tls = tlsOf('DNS over TLS')
      await this.#open('tls', tlsPort, (each) => listenTcp({ ...each, tls }))
    }
    if (httpsPort >= 0) {
      const tls = tlsOf('DNS over HTTPS')
      await this.#open('https', httpsPort, (each) => listenDnsHttps({ ...each, tls }))
    }
  }

  /** New connections use this certificate. Throws OpenSSL's error. */
  use(certificate: StreamCertificate): void {
    for (const { ports } of this.#opened.values()) {
      for (const port of ports) port.use(certificate)
    }
  }

  async close(): Promise<void> {
    const all = [...this.#opened.values()].flatMap(({ ports }) => ports)
    this.#opened.clear()
    await Promise.all(all.map((port) => port.close()))
  }

  /** On all addresses; with port 0 the first address chooses it for the others. */
  async #open(
    transport: StreamTransport,
    port: number,
    listen: (options: TcpOptions) => Promise<StreamPort>,
  ): Promise<void> {
    const { addresses, tcpGate: gate, tcpLimits: limits } = this.#options
    const counters = new DnsCounters()
    const ownsCache = transport === 'tcp'
    const recursion = this.#recursion
    const { responder: own, cookies } = this.#answerer
    const through = cookieStream(recursion?.responder ?? own, own, cookies)
    const seen = { transport, observer: this.#observer }
    const responder = countedStream(own, counters, { ownsCache, through, ...seen })
    // DNS over HTTPS has one answer per query.
    const common = {
      responder,
      gate,
      limits,
      recursion: recursion?.allow,
      transfers: this.#transfers,
    }
    const ports: StreamPort[] = []
    this.#opened.set(transport, { counters, ports })
    for (const address of addresses) {
      const same = ports[0]?.port ?? port
      ports.push(await listen({ ...common, address, port: same }))
    }
  }
}

function sumOf(all: readonly Readonly<StreamCounters>[]): StreamCounters {
  const sum = { connections: 0, queries: 0, timeouts: 0, errors: 0, resumed: 0 }
  for (const each of all) {
    sum.connections += each.connections
    sum.queries += each.queries
    sum.timeouts += each.timeouts
    sum.errors += each.errors
    sum.resumed += each.resumed
  }
  return sum
}
