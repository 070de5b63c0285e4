import type { Resource } from '../access/rules/resource.ts'

/** A record as a zone file writes it. */
export interface AnsweredRecord {
  readonly name: string
  readonly ttl: number
  readonly type: string
  readonly data: string
}

/** What DNS answers to a question. */
export interface DnsAnswer {
  /** `NOERROR`, `NXDOMAIN`, … */
  readonly rcode: string
  /** The header bits that are set, in lower case: `qr aa tc rd ra`. */
  readonly flags: readonly string[]
  readonly answer: readonly AnsweredRecord[]
  readonly authority: readonly AnsweredRecord[]
  readonly additional: readonly AnsweredRecord[]
}

/** A name or a client, and how often it was asked for or asked; estimated from a sample. */
export interface TrafficRow {
  readonly name: string
  readonly perSecond: number
  /** What a reader of the name must be allowed to read; without a name, everything of that kind. */
  readonly rights: readonly { readonly resource: Resource; readonly name?: string }[]
}

/** The queries of the last seconds. The lists have the most frequent first. */
export interface DnsTraffic {
  readonly seconds: number
  readonly perSecond: number
  /** The share of the answers that came from a cache, from 0 to 1. */
  readonly cachedShare: number
  readonly transports: readonly {
    readonly transport: string
    readonly perSecond: number
    /** Half, and 99 % of the answers were ready within so many milliseconds; undefined: not known. */
    readonly p50Ms: number | undefined
    readonly p99Ms: number | undefined
  }[]
  /** Per second, by name. */
  readonly rcodes: Readonly<Record<string, number>>
  readonly types: Readonly<Record<string, number>>
  readonly names: readonly TrafficRow[]
  /** Names that do not exist. */
  readonly missing: readonly TrafficRow[]
  readonly clients: readonly TrafficRow[]
}

/** The DNS server of this agent. */
export interface LocalDns {
  /** Where clients on this machine can send queries. */
  readonly address: string
  readonly port: number
  /**
   * Answers a question as over TCP. Rejects with `invalid-field` for a name or a type that cannot be asked. Undefined:
   * it sends no answer.
   */
  ask(name: string, type: string): Promise<DnsAnswer | undefined>
  /** The queries of the last seconds, of all clients. The first call waits until there is something to see. */
  traffic(): Promise<DnsTraffic>
}
