import type { Rights } from '../access/rights.ts'
import { SvcdError, reasonOf } from '../base/errors.ts'
import type { BoundAddress } from '../base/host-port.ts'
import type { Zone } from '../dns/zone.ts'
import type { ConnectionGate } from '../net/connections/gate.ts'
import { listenTcp } from '../net/tcp/dns-tcp.ts'
import type { StreamPort } from '../net/tcp/stream-port.ts'
import type { TcpLimits } from '../net/tcp/dns-tcp-connection.ts'
import { countedStream, openAnswerer } from './answering.ts'
import type { Answerer } from './answering.ts'
import { dnsRightsOf } from './dns-rights.ts'
import { DnsCounters } from './threads/counters.ts'
import type { DnsFigures } from './threads/counters.ts'
import { DnsUdp } from './threads/udp.ts'
import type { DnsUdpOptions } from './threads/udp.ts'

/** `port`: 0 = any one that is free for both UDP and TCP. */
export interface DnsServiceOptions extends DnsUdpOptions {
  readonly tcpGate: ConnectionGate
  readonly tcpLimits?: Partial<TcpLimits>
}

/** Tries to find one port that is free for TCP and for UDP, when any will do. */
const anyPortAttempts = 10

/** DNS of one node: TCP on the main thread, UDP on threads of its own. */
export class DnsService {
  readonly endpoints: readonly BoundAddress[]
  readonly #answerer: Answerer
  readonly #tcp: readonly StreamPort[]
  readonly #udp: DnsUdp
  readonly #counters: DnsCounters

  private constructor(
    answerer: Answerer,
    tcp: readonly StreamPort[],
    udp: DnsUdp,
    endpoints: readonly BoundAddress[],
    counters: DnsCounters,
  ) {
    this.#counters = counters
    this.#answerer = answerer
    this.#tcp = tcp
    this.#udp = udp
    this.endpoints = endpoints
  }

  /** Rejects with `port-in-use` or `bind-failed`. */
  static async start(options: DnsServiceOptions): Promise<DnsService> {
    const onError = (error: unknown, packet: Uint8Array, unsaid: number): void => {
      const hex = Buffer.from(packet).subarray(0, 128).toString('hex')
      options.logger.warn({ reason: reasonOf(error), hex, unsaid }, 'failed to answer a DNS query')
    }
    const { answering, onSuspicion } = options
    const answerer = openAnswerer(answering, { onError, onSuspicion })
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await DnsService.#listen(options, answerer)
        } catch (error) {
          const isTaken = error instanceof SvcdError && error.code === 'port-in-use'
          if (options.port !== 0 || !isTaken || attempt === anyPortAttempts) throw error
        }
      }
    } catch (error) {
      answerer.close()
      throw error
    }
  }

  /** The TCP port comes first: unlike a UDP port it can be bound once only, so it is the lock. */
  static async #listen(options: DnsServiceOptions, answerer: Answerer): Promise<DnsService> {
    const counters = new DnsCounters()
    const responder = countedStream(answerer.responder, counters, { ownsCache: true })
    const tcp: StreamPort[] = []
    let { port } = options
    const { tcpGate: gate, tcpLimits: limits } = options
    try {
      for (const address of options.addresses) {
        const listener = await listenTcp({ address, port, responder, gate, limits })
        tcp.push(listener)
        port = listener.port
      }
      const udp = await DnsUdp.start({ ...options, port })
      const endpoints = options.addresses.map((address) => ({ address, port }))
      return new DnsService(answerer, tcp, udp, endpoints, counters)
    } catch (error) {
      await Promise.all(tcp.map((listener) => listener.close()))
      throw error
    }
  }

  /** The figures of each thread: the UDP threads, and the thread for TCP. */
  get figures(): { readonly udp: readonly DnsFigures[]; readonly tcp: DnsFigures } {
    return { udp: this.#udp.figures, tcp: this.#counters.read() }
  }

  async setZone(zone: Zone): Promise<void> {
    this.#answerer.setZone(zone)
    await this.#udp.setZone(zone)
  }

  /** Resolves when all threads show no more than these rights allow. */
  async setRights(rights: Rights): Promise<void> {
    const sent = dnsRightsOf(rights)
    this.#answerer.setRights(sent)
    await this.#udp.setRights(sent)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#tcp.map((listener) => listener.close()), this.#udp.stop()])
    this.#answerer.close()
  }
}
