import type { Outcome } from '../../src/state/machine/command.ts'
import type { AnyTable } from '../../src/state/machine/table.ts'
import type { ReadableFamily } from '../../src/state/machine/family.ts'
import type { CommandBody } from '../../src/state/families.ts'
import { must } from '../../src/base/assert.ts'
import {
  openMachine,
  stateMigrations,
  stateTables,
  stateVersion,
} from '../../src/state/families.ts'
import { catalogFamily } from '../../src/state/catalog/family.ts'
import type { CatalogReader } from '../../src/state/catalog/query.ts'
import { defineAddressKeys } from '../../src/state/catalog/schema.ts'
import { initializeSums } from '../../src/state/machine/sums.ts'
import type { StateReader } from '../../src/storage/state.ts'
import { Sqlite } from './sqlite.ts'

const untold = ['create_index', 'modify_index', 'lock_index']

/** The state of all families in memory, and the log that fills it. */
export class MemoryState implements Pick<StateReader, 'of' | 'read'> {
  readonly db = new Sqlite(':memory:')
  readonly #machine
  #index = 0

  constructor() {
    defineAddressKeys(this.db)
    for (const migration of stateMigrations) this.db.exec(migration)
    this.db.exec(`INSERT INTO used_formats VALUES (${stateVersion})`)
    initializeSums(this.db, stateTables)
    this.#machine = openMachine(this.db)
  }

  apply(body: CommandBody, timeMs = this.#index + 1): Outcome {
    const index = ++this.#index
    const origin = { version: 1, requestId: `r${index}`, actor: 'test', cause: 'test' } as const
    const command = { ...origin, timeMs, body }
    return must(this.#machine.applyBatch([{ index, term: 1, command }]).outcomes[0])
  }

  of<R>(family: ReadableFamily<R>): R {
    return family.reader(this.db)
  }

  read<T>(query: (catalog: CatalogReader) => T): T {
    return query(this.of(catalogFamily))
  }

  /** Without its indexes of the log, and without fencing tokens: a restore never lowers one. */
  rows({ name, columns }: AnyTable): readonly unknown[] {
    const told = columns.filter((column) => !untold.includes(column))
    return this.db
      .prepare(`SELECT ${told.join(', ')} FROM ${name}`)
      .raw()
      .all()
  }
}
