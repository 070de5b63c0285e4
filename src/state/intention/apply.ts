import type { Database } from 'better-sqlite3'
import type { Change } from '../machine/change.ts'
import type { Outcome } from '../machine/command.ts'
import type { Applier } from '../machine/family.ts'
import { isSameRow } from '../machine/table.ts'
import type { IntentionCommand, IntentionPutCommand, IntentionRefusal } from './commands.ts'
import { keyOf } from './model.ts'
import { rowOf } from './rows.ts'
import { intentionSubject } from './subjects.ts'
import { intentionsTable } from './tables.ts'
import type { IntentionRow } from './tables.ts'

export function openIntentions(db: Database, gate: Change): Applier<IntentionCommand> {
  const sql = prepare(db)
  return {
    apply(body): Outcome {
      const { index } = gate
      const refusal =
        body.kind === 'intention-put' ? put(body, gate, sql) : remove(body.id, gate, sql)
      return refusal === undefined ? { ok: true, index } : { ok: true, index, value: refusal }
    },
  }
}

type Statements = ReturnType<typeof prepare>

function prepare(db: Database) {
  return {
    intention: db.prepare<[string], IntentionRow>('SELECT * FROM intentions WHERE id = ?'),
    between: db.prepare<[string, string], IntentionRow>(
      'SELECT * FROM intentions WHERE source_key = ? AND destination_key = ?',
    ),
  }
}

function put(
  { id, mode, intention, times }: IntentionPutCommand,
  gate: Change,
  sql: Statements,
): IntentionRefusal | undefined {
  const same = sql.between.get(keyOf(intention.source), keyOf(intention.destination))
  const before =
    mode === 'upsert' && same !== undefined ? same : sql.intention.get(id.toLowerCase())
  if (mode === 'create' && before !== undefined) return 'taken-id'
  if (mode === 'upsert' && before !== same) return 'taken-id'
  if (mode === 'update' && before === undefined) return 'unknown-id'
  if (same !== undefined && same.id !== before?.id) return 'taken-pair'
  const { index, timeMs } = gate
  const createTimeMs = times?.createTimeMs ?? before?.create_time_ms ?? timeMs
  const rowAt = (updateTimeMs: number): IntentionRow =>
    rowOf(
      before?.id ?? id.toLowerCase(),
      intention,
      { createTimeMs, updateTimeMs },
      { create: before?.create_index ?? index, modify: index },
    )
  // An update that changes nothing keeps its time.
  const isSame =
    before !== undefined && isSameRow(before, rowAt(times?.updateTimeMs ?? before.update_time_ms))
  if (isSame) return undefined
  gate.put(intentionsTable, rowAt(times?.updateTimeMs ?? timeMs), before)
  gate.touch(intentionSubject.all)
  return undefined
}

function remove(id: string, gate: Change, sql: Statements): IntentionRefusal | undefined {
  const row = sql.intention.get(id.toLowerCase())
  if (row === undefined) return 'unknown-id'
  gate.remove(intentionsTable, row)
  gate.touch(intentionSubject.all)
  return undefined
}
