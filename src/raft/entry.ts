/** Names a server permanently: an id is never used again, not even after its removal. */
export type NodeId = string
/** A term of the paper's §5.1: a whole number, at most 2^53 - 1 (u64 on the wire). */
export type Term = number
/** A position in the log. The first entry has index 1; 0 stands before it. */
export type Index = number

/** What an entry is for. A `noop` opens a term (§8); a `config` changes the members (§6). */
export type EntryKind = 'command' | 'noop' | 'config'

/** One entry of the log (§5.3). `data` is opaque, except in a `config`; see config.ts. */
export interface Entry {
  readonly index: Index
  readonly term: Term
  readonly kind: EntryKind
  readonly data: Uint8Array
}

/** Entries hold their data in memory and on the wire; this is what the limits count. */
export function entryBytes(entry: Entry): number {
  return entry.data.length + 32
}
