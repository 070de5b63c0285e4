import type { Database } from 'better-sqlite3'
import type { Shape } from '../../base/shape.ts'
import type { Change } from './change.ts'
import type { Json, Outcome } from './command.ts'
import type { AnyTable } from './table.ts'

/** Brings state.db to a format from the one before. */
export interface Migration {
  /** No two families may have the same, and none may be left out. */
  readonly format: number
  /** It may add tables, and change the rows of those that it names in `changes`. */
  readonly sql: string
  /** Tables that were there before, whose rows are others afterwards (a new column is enough). */
  readonly changes?: readonly string[]
}

/** A kind of command. */
export interface CommandKind {
  /** Of its fields. A command of another shape never reaches the log. */
  readonly shape: Shape
  /** The first format whose servers know it. */
  readonly since: number
  /**
   * The space that it needs when a disk is nearly full. `none`: it makes room, and is always taken. `little`: it is
   * taken down to a quarter of the reserve, because the answers depend on it. Default `space`.
   */
  readonly needs?: 'none' | 'little' | 'space'
  /** Left out: entries of the kind have all of its fields. */
  readonly terse?: Terse<never>
  /** What the audit trail says of a command. Left out: its kind only. */
  readonly about?: (body: never) => About
}

/** What a command changes, by names and IDs. Never a value, an output of a check or a secret. */
export type About = Readonly<Record<string, Json | undefined>>

/** How the log has commands of a kind from a format on: shorter than they are. */
export interface Terse<Body> {
  /** Used once the log has taken this format into use: servers of older releases cannot read them. */
  readonly since: number
  readonly write: (body: Body) => object
  /** Makes `body`, just parsed, whole. A whole body stays as it is. */
  readonly read: (body: Body) => void
}

/** What a family makes of the connection of the one thread that writes. */
export interface Applier<Body extends { readonly kind: string }> {
  /** Deterministic: it reads no clock, no random source and no option. */
  readonly apply: (body: Body) => Outcome
  /**
   * Called before each entry whose index is a multiple of 256: removes what is kept for a while only.
   * Until which entry, the index alone may decide.
   */
  readonly forget?: (index: number) => void
}

/**
 * One kind of replicated data: its tables, the commands that change them, and how they are read. All
 * that is done to the whole state (migration, decoding, sums, hash, counts, restore) is a fold over the
 * families; `state/families.ts` lists them.
 */
export interface Family<Body extends { readonly kind: string }, Reader> {
  readonly name: string
  readonly migrations: readonly Migration[]
  readonly tables: readonly AnyTable[]
  readonly commands: Readonly<Record<Body['kind'], CommandKind>>
  /** Whether the index of each subject is stored: readers then need not look for it among the rows. */
  readonly keepsIndexes: boolean
  /** Called once for a connection. Everything is written through `change`. */
  readonly open: (db: Database, change: Change) => Applier<Body>
  /** Reads over one connection; within one read transaction all is of one moment. */
  readonly reader: (db: Database) => Reader
  /**
   * The commands that turn `present` into `archived`. Those of one list are applied at one moment.
   * Undefined: something was compared and is the same; the caller may pause at every step.
   */
  readonly restore: (
    archived: Reader,
    present: Reader,
    context: RestoreContext,
  ) => Generator<readonly Body[] | undefined>
}

export interface RestoreContext {
  /** IDs of the servers of the cluster: no archive overrules what these say of themselves. */
  readonly memberIds: ReadonlySet<string>
}

/** What reads need of a family. */
export type ReadableFamily<Reader> = Pick<Family<never, Reader>, 'name' | 'reader'>
