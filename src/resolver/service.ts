import type { Rights } from '../access/rights.ts'
import { IpPrefixes } from '../base/ip-prefixes.ts'
import { SvcdError, reasonOf } from '../base/errors.ts'
import type { BoundAddress } from '../base/host-port.ts'
import type { Zone } from '../dns/zone.ts'
import type { ConnectionGate } from '../net/connections/gate.ts'
import { listenTcp } from '../net/tcp/dns-tcp.ts'
import type { DnsTcpListener } from '../net/tcp/dns-tcp.ts'
import type { TcpLimits } from '../net/tcp/dns-tcp-connection.ts'
import { countedResponder, openAnswerer } from './answering.ts'
import type { Answerer } from './answering.ts'
import { dnsRightsOf } from './dns-rights.ts'
import { forwardingOf } from './recursion/forwarding-responder.ts'
import { RecursorClient } from './recursion/recursor-client.ts'
import { RecursorWorker } from './recursion/recursor-worker.ts'
import type { RecursionFigures, RecursionOptions } from './recursion/recursor-worker.ts'
import { DnsCounters } from './threads/counters.ts'
import type { DnsFigures } from './threads/counters.ts'
import { DnsUdp } from './threads/udp.ts'
import type { DnsUdpOptions } from './threads/udp.ts'

/** `port`: 0 = any one that is free for both UDP and TCP. */
export interface DnsServiceOptions extends DnsUdpOptions {
  readonly tcpGate: ConnectionGate
  readonly tcpLimits?: Partial<TcpLimits>
  /** Absent: queries for outside names are refused. */
  readonly recursion?: RecursionOptions | undefined
}

/** Recursion, and the main thread's end of it: TCP is answered there. */
interface Recursion {
  readonly recursor: RecursorWorker
  readonly client: RecursorClient
}

function openRecursion({ recursion, logger, onDeath }: DnsServiceOptions): Recursion | undefined {
  if (recursion === undefined) return undefined
  const recursor = new RecursorWorker(recursion, logger, onDeath)
  const client = new RecursorClient(recursor.connect(), recursor.memory)
  recursor.onRestart(() => client.setPort(recursor.connect()))
  return { recursor, client }
}

/** Tries to find one port that is free for TCP and for UDP, when any will do. */
const anyPortAttempts = 10

/** DNS of one node: TCP on the main thread, UDP on threads of its own. */
export class DnsService {
  readonly endpoints: readonly BoundAddress[]
  readonly #answerer: Answerer
  readonly #tcp: readonly DnsTcpListener[]
  readonly #udp: DnsUdp
  readonly #counters: DnsCounters
  readonly #recursion: Recursion | undefined

  private constructor(
    answerer: Answerer,
    tcp: readonly DnsTcpListener[],
    udp: DnsUdp,
    endpoints: readonly BoundAddress[],
    counters: DnsCounters,
    recursion: Recursion | undefined,
  ) {
    this.#recursion = recursion
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
    const { onSuspicion } = options
    const recursion = openRecursion(options)
    const { cache } = recursion?.recursor.settings ?? {}
    const share = cache && { cache, allow: options.recursion?.allow ?? [] }
    const answering = { ...options.answering, recursion: share }
    const answerer = openAnswerer(answering, { onError, onSuspicion })
    const inner = { ...options, answering, recursor: recursion?.recursor }
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await DnsService.#listen(inner, answerer, recursion)
        } catch (error) {
          const isTaken = error instanceof SvcdError && error.code === 'port-in-use'
          if (options.port !== 0 || !isTaken || attempt === anyPortAttempts) throw error
        }
      }
    } catch (error) {
      recursion?.client.close()
      await recursion?.recursor.stop()
      answerer.close()
      throw error
    }
  }

  /** The TCP port comes first: unlike a UDP port it can be bound once only, so it is the lock. */
  static async #listen(
    options: DnsServiceOptions,
    answerer: Answerer,
    recursion: Recursion | undefined,
  ): Promise<DnsService> {
    const counters = new DnsCounters()
    const onQueued = (): void => recursion?.client.flushLater()
    const through = forwardingOf(options.answering, answerer.responder, recursion?.client, onQueued)
    const responder = countedResponder(answerer.responder, counters, { through })
    const tcp: DnsTcpListener[] = []
    let { port } = options
    const { tcpGate: gate, tcpLimits: limits } = options
    const allow = recursion && new IpPrefixes(options.recursion?.allow ?? [])
    const common = { responder, gate, limits, recursion: allow }
    try {
      for (const address of options.addresses) {
        const listener = await listenTcp({ ...common, address, port })
        tcp.push(listener)
        port = listener.port
      }
      const udp = await DnsUdp.start({ ...options, port })
      const endpoints = options.addresses.map((address) => ({ address, port }))
      return new DnsService(answerer, tcp, udp, endpoints, counters, recursion)
    } catch (error) {
      await Promise.all(tcp.map((listener) => listener.close()))
      throw error
    }
  }

  /** The figures of each thread: the UDP threads, and the thread for TCP. */
  get figures(): {
    readonly udp: readonly DnsFigures[]
    readonly tcp: DnsFigures
    readonly recursion: RecursionFigures | undefined
  } {
    const recursion = this.#recursion?.recursor.figures
    return { udp: this.#udp.figures, tcp: this.#counters.read(), recursion }
  }

  async setZone(zone: Zone): Promise<void> {
    this.#answerer.setZone(zone)
    await this.#udp.setZone(zone)
    this.#recursion?.recursor.clear()
  }

  /** Resolves when all threads show no more than these rights allow. */
  async setRights(rights: Rights): Promise<void> {
    const sent = dnsRightsOf(rights)
    this.#answerer.setRights(sent)
    await this.#udp.setRights(sent)
  }

  async stop(): Promise<void> {
    // It answers through the sockets of the others, so it ends before they are closed.
    this.#recursion?.client.close()
    await this.#recursion?.recursor.stop()
    await Promise.all([...this.#tcp.map((listener) => listener.close()), this.#udp.stop()])
    this.#answerer.close()
  }
}
