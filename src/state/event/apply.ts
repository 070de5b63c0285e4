import type { Database } from 'better-sqlite3'
import type { Change } from '../machine/change.ts'
import type { Applier } from '../machine/family.ts'
import { eventsMax } from './commands.ts'
import type { EventCommand, EventFireCommand } from './commands.ts'
import { eventSubject } from './subjects.ts'
import { eventsTable } from './tables.ts'
import type { EventRow } from './tables.ts'

export function openEvents(db: Database, gate: Change): Applier<EventCommand> {
  const sql = prepare(db)
  return {
    apply(body) {
      const { index } = gate
      const last = sql.last.get() ?? 0
      const ltime = body.ltime ?? last + 1
      if (ltime <= last || sql.withId.get(body.id) !== undefined) return { ok: true, index }
      gate.put(eventsTable, rowOf(body, ltime, index), undefined)
      for (const row of sql.surplus.all(eventsMax)) gate.remove(eventsTable, row)
      gate.touch(eventSubject.all)
      gate.touch(eventSubject.named(body.name))
      return { ok: true, index }
    },
  }
}

function prepare(db: Database) {
  return {
    last: db.prepare<[], number | null>('SELECT max(ltime) FROM events').pluck(),
    withId: db.prepare<[string], number>('SELECT ltime FROM events WHERE id = ?').pluck(),
    surplus: db.prepare<[number], EventRow>(
      'SELECT * FROM events ORDER BY ltime DESC LIMIT -1 OFFSET ?',
    ),
  }
}

function rowOf(body: EventFireCommand, ltime: number, index: number): EventRow {
  return {
    ltime,
    id: body.id,
    name: body.name,
    node_filter: body.nodeFilter,
    service_filter: body.serviceFilter,
    tag_filter: body.tagFilter,
    nodes: body.nodes === undefined ? '' : JSON.stringify(body.nodes),
    create_index: index,
    payload: Buffer.from(body.payload, 'base64'),
  }
}
