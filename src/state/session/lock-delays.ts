import type { Database, Statement } from 'better-sqlite3'
import type { Change } from '../machine/change.ts'
import { lockDelaysTable } from './tables.ts'
import type { LockDelayRow } from './tables.ts'

/** Which keys no session may lock yet. */
export class LockDelays {
  readonly #gate: Change
  readonly #delay: Statement<[string], LockDelayRow>

  constructor(db: Database, gate: Change) {
    this.#gate = gate
    this.#delay = db.prepare<[string], LockDelayRow>('SELECT * FROM lock_delays WHERE key = ?')
  }

  of(key: string): LockDelayRow | undefined {
    return this.#delay.get(key)
  }

  /** It begins now, and replaces one that there is. */
  begin(key: string, delayNs: number): void {
    const row = { key, delay_ns: delayNs, modify_index: this.#gate.index }
    this.#gate.put(lockDelaysTable, row, this.of(key))
  }

  /** Ends the one that began at entry `index`; a later one stays. */
  end(key: string, index: number): void {
    const row = this.of(key)
    if (row?.modify_index === index) this.#gate.remove(lockDelaysTable, row)
  }
}
