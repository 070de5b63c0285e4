import type { Database } from 'better-sqlite3'
import type { EventRow } from './tables.ts'

/** A user event, as Consul calls it: something that somebody fired, for others to see once. */
export interface UserEvent {
  /** Lamport time: events are ordered by it. */
  readonly ltime: number
  /** A UUID. */
  readonly id: string
  readonly name: string
  readonly payload: Uint8Array
  // Regular expressions; '' for none.
  readonly nodeFilter: string
  readonly serviceFilter: string
  readonly tagFilter: string
  /** The names of the nodes that it is for; undefined: all nodes. */
  readonly nodes: readonly string[] | undefined
}

/** Reads the events over one connection. */
export class EventReader {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  /** The oldest first: at most 256. */
  all(): readonly UserEvent[] {
    return this.#sql.all.all().map(eventOf)
  }

  withId(id: string): UserEvent | undefined {
    const row = this.#sql.withId.get(id)
    return row === undefined ? undefined : eventOf(row)
  }

  /** The Lamport time of the last one; 0: none was fired yet. */
  lastTime(): number {
    return this.#sql.last.get() ?? 0
  }
}

function prepare(db: Database) {
  return {
    all: db.prepare<[], EventRow>('SELECT * FROM events ORDER BY ltime'),
    withId: db.prepare<[string], EventRow>('SELECT * FROM events WHERE id = ?'),
    last: db.prepare<[], number | null>('SELECT max(ltime) FROM events').pluck(),
  }
}

function eventOf(row: EventRow): UserEvent {
  return {
    ltime: row.ltime,
    id: row.id,
    name: row.name,
    payload: row.payload,
    nodeFilter: row.node_filter,
    serviceFilter: row.service_filter,
    tagFilter: row.tag_filter,
    nodes: row.nodes === '' ? undefined : (JSON.parse(row.nodes) as readonly string[]),
  }
}
