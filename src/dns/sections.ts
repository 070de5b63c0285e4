import { rcode } from './record.ts'
import type { Name } from './name.ts'
import type { Rcode, ResourceRecord } from './record.ts'

/** The sections found for a name and type. */
export interface Sections {
  readonly rcode: Rcode
  readonly authoritative: boolean
  readonly answer: readonly ResourceRecord[]
  readonly authority: readonly ResourceRecord[]
  readonly additional: readonly ResourceRecord[]
  /** The target of the last alias, if no zone here contains it. */
  readonly outside?: Name | undefined
  /** How many of the first records of the last RRset stay in front; default none. */
  readonly leading?: number | undefined
  /** How often each record of the last RRset comes first, in proportion; default equally often. */
  readonly weights?: readonly number[] | undefined
}

export const noSections = { answer: [], authority: [], additional: [] } as const

/** NXDOMAIN or NODATA: the SOA limits how long it may be cached (RFC 2308 §3). */
export function negativeSections(
  code: typeof rcode.NXDOMAIN | typeof rcode.NOERROR,
  soa: ResourceRecord,
): Sections {
  return { rcode: code, authoritative: true, ...noSections, authority: [soa] }
}
