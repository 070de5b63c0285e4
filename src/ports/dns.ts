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
}
