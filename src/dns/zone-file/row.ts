import type { ResourceRecord } from '../record.ts'

/** A record and its place in the file. Its TTL becomes that of its set. */
export interface Row {
  readonly file: string
  readonly line: number
  record: ResourceRecord
}
