import type { Database, Statement } from 'better-sqlite3'
import { defaultAutopilot } from './model.ts'
import type { AutopilotConfiguration } from './model.ts'
import type { AutopilotRow } from './tables.ts'

/** Reads the settings of Autopilot over one connection. */
export class AutopilotReader {
  readonly #row: Statement<[], AutopilotRow>

  constructor(db: Database) {
    this.#row = db.prepare<[], AutopilotRow>('SELECT * FROM autopilot')
  }

  /** Undefined: no setting was changed. */
  stored(): AutopilotRow | undefined {
    return this.#row.get()
  }

  configuration(): AutopilotConfiguration {
    const row = this.stored()
    if (row === undefined) return defaultAutopilot
    return {
      cleanupDeadServers: row.cleanup_dead_servers === 1,
      minQuorum: row.min_quorum,
      createIndex: row.create_index,
      modifyIndex: row.modify_index,
    }
  }
}
