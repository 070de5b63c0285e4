import type { Name } from './name.ts'
import type { RecordData, ResourceRecord } from './record.ts'

/** The records at one existing name of the registry's domain. */
export interface Contents {
  /** The name that it is an alias of; an alias has no addresses. */
  readonly alias: Name | undefined
  /** The types that it can have, in the order in which ANY lists them. */
  readonly types: readonly number[]
  readonly ttl: number
  data(type: number): readonly RecordData[]
  /** How many of the first records stay in front when the others change places. */
  leading?(type: number): number
  /**
   * How often each of its records comes first, in proportion; undefined: equally often. `count` is the number
   * of the records, which the caller has read.
   */
  weights?(type: number, count: number): readonly number[] | undefined
  /** Additional records that save the client a query. */
  additional(type: number, owner: Name): readonly ResourceRecord[]
}
