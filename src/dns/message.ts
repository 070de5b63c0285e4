import type { Name } from './name.ts'
import type { Rcode, ResourceRecord } from './record.ts'

export interface Question {
  /** In the case of the query. */
  readonly name: Name
  readonly type: number
  readonly class: number
}

/** The OPT record of an answer (RFC 6891). Its version is always 0. */
export interface Edns {
  /** The size of a UDP payload that the sender of this record can take. */
  readonly udpSize: number
  readonly dnssecOk: boolean
  /** Extended DNS Errors (RFC 8914) by INFO-CODE; they carry no text. */
  readonly extendedErrors: readonly number[]
}

/**
 * An answer, without the parts that are copied from the query packet: the id, RD, CD and the octets
 * of the question.
 */
export interface Message {
  readonly question: Question
  readonly rcode: Rcode
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly answer: readonly ResourceRecord[]
  readonly authority: readonly ResourceRecord[]
  readonly additional: readonly ResourceRecord[]
  /** The name that other servers know: the one in question, or that which the answer is an alias of. */
  readonly outside?: Name | undefined
  /** How many of the first records of the last RRset of the answer stay in front; default none. */
  readonly leading?: number | undefined
  /** How often each record of the last RRset of the answer comes first, in proportion; default equally often. */
  readonly weights?: readonly number[] | undefined
  /** Undefined if the query had no OPT record; the answer then has none either. */
  readonly edns?: Edns | undefined
}

/** INFO-CODEs of RFC 8914 that svcd sends. */
export const extendedError = {
  staleAnswer: 3,
  notReady: 14,
  prohibited: 18,
  noReachableAuthority: 22,
  networkError: 23,
} as const
