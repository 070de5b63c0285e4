import type { Outcome } from '../machine/command.ts'
import type { Family } from '../machine/family.ts'
import { createTable } from '../machine/table.ts'
import { demoCommands } from './commands.ts'
import type { DemoCommand } from './commands.ts'
import { DemoReader } from './reader.ts'
import { demoFormat, demoTable } from './tables.ts'
import type { DemoRow } from './tables.ts'

/** Notes with a name. */
export const demoFamily: Family<DemoCommand, DemoReader> = {
  name: 'demo',
  migrations: [{ format: demoFormat, sql: createTable(demoTable) }],
  tables: [demoTable],
  commands: demoCommands,
  keepsIndexes: false,
  open: (db, gate) => {
    const note = db.prepare<[string], DemoRow>('SELECT * FROM demo WHERE name = ?')
    return {
      apply({ name, text }): Outcome {
        const { index } = gate
        const before = note.get(name)
        if (text !== '') {
          const row = { name, text, modify_index: index }
          gate.put(demoTable, row, before)
        } else if (before !== undefined) gate.remove(demoTable, before)
        gate.touch(name)
        return { ok: true, index }
      },
    }
  },
  reader: (db) => new DemoReader(db),
  *restore(archived, present) {
    const notes = new Map(archived.notes())
    for (const [name, text] of notes) yield [{ kind: 'demo-set', name, text }]
    for (const [name] of present.notes()) {
      yield notes.has(name) ? undefined : [{ kind: 'demo-set', name, text: '' }]
    }
  },
}
