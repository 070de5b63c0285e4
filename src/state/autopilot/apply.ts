import type { Database } from 'better-sqlite3'
import type { Change } from '../machine/change.ts'
import type { Applier } from '../machine/family.ts'
import { isSameRow } from '../machine/table.ts'
import type { AutopilotCommand, AutopilotSetCommand } from './commands.ts'
import { AutopilotReader } from './reader.ts'
import { autopilotSubject } from './subjects.ts'
import { autopilotTable } from './tables.ts'

export function openAutopilot(db: Database, gate: Change): Applier<AutopilotCommand> {
  const reader = new AutopilotReader(db)
  return {
    apply(body) {
      const { index } = gate
      if (body.kind === 'autopilot-reset') {
        reset(reader, gate)
        return { ok: true, index }
      }
      return { ok: true, index, value: set(reader, gate, body) }
    },
  }
}

/** Whether it was done: the settings had the index that was asked for. */
function set(reader: AutopilotReader, gate: Change, body: AutopilotSetCommand): boolean {
  const before = reader.stored()
  const now = reader.configuration()
  if (body.cas !== undefined && body.cas !== now.modifyIndex) return false
  const { cleanupDeadServers = now.cleanupDeadServers, minQuorum = now.minQuorum } = body
  const row = {
    id: 1,
    cleanup_dead_servers: cleanupDeadServers ? 1 : 0,
    min_quorum: minQuorum,
    create_index: before?.create_index ?? gate.index,
    modify_index: gate.index,
  }
  if (before !== undefined && isSameRow(before, row)) return true
  gate.put(autopilotTable, row, before)
  gate.touch(autopilotSubject)
  return true
}

function reset(reader: AutopilotReader, gate: Change): void {
  const row = reader.stored()
  if (row === undefined) return
  gate.remove(autopilotTable, row)
  gate.touch(autopilotSubject)
}
