import { must } from '../../src/base/assert.ts'
import { defineAddressKeys } from '../../src/state/catalog/schema.ts'
import type { EventFireCommand } from '../../src/state/event/commands.ts'
import { EventReader } from '../../src/state/event/reader.ts'
import { openMachine, stateMigrations, stateTables } from '../../src/state/families.ts'
import { initializeSums, scanSums, tablesText } from '../../src/state/machine/sums.ts'
import { Sqlite } from './sqlite.ts'

/** The ID of the event with this number. */
export function eventId(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}

/** A command that fires an event without a payload and without filters. */
export function fireEvent(
  number: number,
  name = 'deploy',
  rest: Partial<EventFireCommand> = {},
): EventFireCommand {
  const filters = { nodeFilter: '', serviceFilter: '', tagFilter: '' }
  return { kind: 'event-fire', id: eventId(number), name, payload: '', ...filters, ...rest }
}

/** Events in memory, and the log that fired them. */
export class MemoryEvents {
  readonly db = new Sqlite(':memory:')
  readonly reader: EventReader
  readonly #machine
  #index = 0

  constructor() {
    defineAddressKeys(this.db)
    for (const migration of stateMigrations) this.db.exec(migration)
    initializeSums(this.db, stateTables)
    this.#machine = openMachine(this.db)
    this.reader = new EventReader(this.db)
  }

  /** Applies one command; returns the subjects that it touched. */
  apply(body: EventFireCommand): ReadonlySet<string> {
    const index = ++this.#index
    const origin = { version: 1, requestId: `r${index}`, actor: 'test', cause: 'test' } as const
    const command = { ...origin, timeMs: 0, body }
    const { outcomes, subjects } = this.#machine.applyBatch([{ index, term: 1, command }])
    if (!must(outcomes[0]).ok) throw new Error('it was refused')
    return subjects.get('event') ?? new Set()
  }

  /** Name and Lamport time of all that there are. */
  list(): readonly (readonly [string, number])[] {
    return this.reader.all().map(({ name, ltime }) => [name, ltime])
  }

  /** The sums that apply keeps, and those of the rows that are there. */
  sums(): readonly [string, string] {
    return [this.#machine.sums.now.text, tablesText(scanSums(this.db, stateTables))]
  }
}
