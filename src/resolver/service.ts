import type { Rights } from '../access/rights.ts'
import { IpPrefixes } from '../base/ip-prefixes.ts'
import { SvcdError, reasonOf } from '../base/errors.ts'
import type { BoundAddress } from '../base/host-port.ts'
import type { Zone } from '../dns/zone.ts'
import type { StreamCertificate } from '../net/tcp/stream-port.ts'
import { openAnswerer } from './answering.ts'
import type { Answerer } from './answering.ts'
import { dnsRightsOf } from './dns-rights.ts'
import { forwardingOf } from './recursion/forwarding-responder.ts'
import { forwardingStream } from './recursion/forwarding-stream.ts'
import { RecursorClient } from './recursion/recursor-client.ts'
import { RecursorWorker } from './recursion/recursor-worker.ts'
import type { RecursionFigures, RecursionOptions } from './recursion/recursor-worker.ts'
import { DnsStreams } from './streams.ts'
import type { StreamFigures, StreamOptions, StreamRecursion } from './streams.ts'
import type { TrafficReport } from './traffic/dns-traffic.ts'
import { Observation } from './traffic/observation.ts'
import type { QueryLogFigures, QueryLogSettings } from './traffic/query-log.ts'
import type { DnsFigures } from './threads/counters.ts'
import { DnsUdp } from './threads/udp.ts'
import { Transfers } from './transfer/transfers.ts'
import type { TransferFigures, TransferOptions } from './transfer/transfer-options.ts'
import type { DnsUdpOptions } from './threads/udp.ts'

/** `port`: 0 = any one that is free for both UDP and TCP. */
export interface DnsServiceOptions extends DnsUdpOptions, StreamOptions {
  /** Absent: queries for outside names are refused. */
  readonly recursion?: RecursionOptions | undefined
  /** Absent: there is no query log. */
  readonly queryLog?: QueryLogSettings | undefined
  /** Absent: zone transfers are refused. */
  readonly transfers?: TransferOptions | undefined
}

/** Recursion, and the main thread's end of it: streams are answered there. */
interface Recursion {
  readonly recursor: RecursorWorker
  readonly client: RecursorClient
}

function openRecursion(
  { recursion, logger, onDeath }: DnsServiceOptions,
  { share, takeLines }: Observation,
): Recursion | undefined {
  if (recursion === undefined) return undefined
  const recursor = new RecursorWorker(recursion, logger, onDeath, share, takeLines)
  const client = new RecursorClient(recursor.connect(), recursor.memory)
  recursor.onRestart(() => client.setPort(recursor.connect()))
  return { recursor, client }
}

function streamRecursion(
  { answering, recursion: options }: DnsServiceOptions,
  { responder }: Answerer,
  recursion: Recursion | undefined,
): StreamRecursion | undefined {
  const client = recursion?.client
  const forwarding = forwardingOf(answering, responder, client, () => client?.flushLater())
  if (client === undefined || forwarding === undefined) return undefined
  const allow = new IpPrefixes(options?.allow ?? [])
  return { responder: forwardingStream(forwarding, client), allow }
}

/** Parts that work beside the answers. */
interface Extras {
  readonly recursion: Recursion | undefined
  readonly transfers: Transfers | undefined
  readonly observation: Observation
}

/** Tries to find one port that is free for TCP and for UDP, when any will do. */
const anyPortAttempts = 10

/** DNS of one node: streams on the main thread, UDP on threads of its own. */
export class DnsService {
  readonly #answerer: Answerer
  readonly #streams: DnsStreams
  readonly #udp: DnsUdp
  readonly #recursion: Recursion | undefined
  readonly #observation: Observation
  readonly #transfers: Transfers | undefined

  private constructor(
    answerer: Answerer,
    streams: DnsStreams,
    udp: DnsUdp,
    { recursion, transfers, observation }: Extras,
  ) {
    this.#observation = observation
    this.#recursion = recursion
    this.#transfers = transfers
    this.#answerer = answerer
    this.#streams = streams
    this.#udp = udp
    const recursor = recursion?.recursor
    observation.begin([udp, ...(recursor === undefined ? [] : [recursor])], () => this.figures)
  }

  /** Where clients reach it over UDP and TCP. */
  get endpoints(): readonly BoundAddress[] {
    return this.#streams.endpoints('tcp')
  }

  /** The same for DNS over TLS and over HTTPS; empty if it is off. */
  get encrypted(): Readonly<Record<'tls' | 'https', readonly BoundAddress[]>> {
    return { tls: this.#streams.endpoints('tls'), https: this.#streams.endpoints('https') }
  }

  /** Rejects with `port-in-use` or `bind-failed`. */
  static async start(options: DnsServiceOptions): Promise<DnsService> {
    const onError = (error: unknown, packet: Uint8Array, unsaid: number): void => {
      const hex = Buffer.from(packet).subarray(0, 128).toString('hex')
      options.logger.warn({ reason: reasonOf(error), hex, unsaid }, 'failed to answer a DNS query')
    }
    const { onSuspicion, queryLog, logger } = options
    const observation = new Observation({ zone: options.answering.zone, queryLog, logger })
    const recursion = openRecursion(options, observation)
    const { cache } = recursion?.recursor.settings ?? {}
    const share = cache && { cache, allow: options.recursion?.allow ?? [] }
    const answering = {
      ...options.answering,
      recursion: share,
      observing: observation.share,
    }
    const answerer = openAnswerer(answering, { onError, onSuspicion })
    const onLines = observation.takeLines
    const inner = { ...options, answering, recursor: recursion?.recursor, onLines }
    const transfers = options.transfers && new Transfers({ ...inner, ...options.transfers })
    const extras = { recursion, transfers, observation }
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await DnsService.#listen(inner, answerer, extras)
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
    extras: Extras,
  ): Promise<DnsService> {
    const { recursion, transfers, observation } = extras
    const through = streamRecursion(options, answerer, recursion)
    const { observer } = observation
    const streams = new DnsStreams(options, answerer, observer, through, transfers?.door)
    try {
      const port = await streams.openTcp(options.port)
      await streams.openEncrypted()
      const udp = await DnsUdp.start({ ...options, port })
      transfers?.begin()
      return new DnsService(answerer, streams, udp, extras)
    } catch (error) {
      await streams.close()
      throw error
    }
  }

  /** The figures of each UDP thread, and of each transport on the main thread. */
  get figures(): {
    readonly udp: readonly DnsFigures[]
    readonly streams: readonly StreamFigures[]
    readonly recursion: RecursionFigures | undefined
    readonly queryLog: QueryLogFigures | undefined
    readonly transfers: TransferFigures | undefined
  } {
    return {
      udp: this.#udp.figures,
      streams: this.#streams.figures,
      recursion: this.#recursion?.recursor.figures,
      queryLog: this.#observation.logFigures,
      transfers: this.#transfers?.figures,
    }
  }

  /** The queries of the last seconds: the frequent names and clients, and rates. */
  traffic(): Promise<TrafficReport> {
    return this.#observation.traffic()
  }

  /** The query log of a new configuration; undefined: there is none. */
  useQueryLog(settings: QueryLogSettings | undefined): void {
    this.#observation.useLog(settings)
  }

  /** Another program has moved the file of the query log. */
  reopenQueryLog(): void {
    this.#observation.reopenLog()
  }

  /** New connections over TLS and HTTPS use this certificate. Throws OpenSSL's error. */
  useCertificate(certificate: StreamCertificate): void {
    this.#streams.use(certificate)
  }

  /** The answer to a query of this process, as a client over TCP gets it. */
  respond(query: Uint8Array): Buffer | undefined {
    const asker = { transport: 'tcp', client: '127.0.0.1', pathBytesMax: 65_535 } as const
    return this.#answerer.responder.respond(query, asker)
  }

  async setZone(zone: Zone): Promise<void> {
    this.#answerer.setZone(zone)
    this.#observation.setZone(zone)
    await this.#udp.setZone(zone)
    this.#recursion?.recursor.clear()
    this.#transfers?.setZone(zone)
  }

  /** Resolves when all threads show no more than these rights allow. */
  async setRights(rights: Rights): Promise<void> {
    const sent = dnsRightsOf(rights)
    this.#answerer.setRights(sent)
    this.#transfers?.setRights(sent)
    await this.#udp.setRights(sent)
  }

  async stop(): Promise<void> {
    // It answers through the sockets of the others, so it ends before they are closed.
    this.#recursion?.client.close()
    await this.#recursion?.recursor.stop()
    await Promise.all([this.#streams.close(), this.#udp.stop()])
    await this.#transfers?.stop()
    this.#answerer.close()
    await this.#observation.close()
  }
}
