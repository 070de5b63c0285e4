import { Sqlite } from './sqlite.ts'
import type { BatchResult, Machine } from '../../src/state/machine/apply.ts'
import { initializeSums } from '../../src/state/machine/sums.ts'
import type { RegisterCommand } from '../../src/state/catalog/commands.ts'
import type { CommandBody } from '../../src/state/families.ts'
import type { Command } from '../../src/state/machine/command.ts'
import type {
  CheckDefinition,
  NodeDefinition,
  ServiceDefinition,
} from '../../src/state/catalog/model.ts'
import { CatalogReader } from '../../src/state/catalog/query.ts'
import {
  openMachine,
  stateMigrations,
  stateTables,
  stateVersion,
} from '../../src/state/families.ts'
import { defineAddressKeys, widenServiceIndex } from '../../src/state/catalog/schema.ts'

// Builders of catalog data with everything defaulted, and a catalog in memory to apply them to.

export function nodeDefinition(name: string, rest: Partial<NodeDefinition> = {}): NodeDefinition {
  return { name, id: '', address: '10.0.0.1', taggedAddresses: {}, meta: {}, ...rest }
}

export function serviceDefinition(
  name: string,
  rest: Partial<ServiceDefinition> = {},
): ServiceDefinition {
  return {
    id: name,
    name,
    address: '',
    port: 0,
    tags: [],
    meta: {},
    weights: { passing: 1, warning: 1 },
    taggedAddresses: {},
    enableTagOverride: false,
    owner: 'catalog',
    extra: {},
    ...rest,
  }
}

export function checkDefinition(
  checkId: string,
  rest: Partial<CheckDefinition> = {},
): CheckDefinition {
  return {
    checkId,
    name: checkId,
    status: 'passing',
    evidence: '',
    notes: '',
    output: '',
    serviceId: '',
    type: '',
    interval: '',
    timeout: '',
    definition: {},
    ...rest,
  }
}

export function registerCommand(
  nodeName: string,
  rest: Partial<Omit<RegisterCommand, 'kind' | 'nodeName'>> = {},
): RegisterCommand {
  return {
    kind: 'register',
    nodeName,
    node: nodeDefinition(nodeName),
    checks: [],
    replaceChecks: false,
    ...rest,
  }
}

/** As a {@link BatchResult}, of the catalog's subjects. */
export interface CatalogResult extends Pick<BatchResult, 'outcomes'> {
  readonly subjects: ReadonlySet<string>
}

/** A catalog in memory that applies command bodies one by one, as a log would. */
export class MemoryCatalog {
  readonly db = new Sqlite(':memory:')
  readonly machine: Machine
  readonly reader: CatalogReader
  #index = 0

  /** `usedFormat`: what the log of the catalog has taken into use; the present one unless given. */
  constructor(usedFormat = stateVersion) {
    defineAddressKeys(this.db)
    for (const migration of stateMigrations) this.db.exec(migration)
    widenServiceIndex(this.db)
    if (usedFormat > 0) this.db.exec(`INSERT INTO used_formats VALUES (${usedFormat})`)
    initializeSums(this.db, stateTables)
    this.machine = openMachine(this.db)
    this.reader = new CatalogReader(this.db)
  }

  command(body: CommandBody, requestId = `r${this.#index + 1}`): Command<CommandBody> {
    return { version: 1, requestId, actor: 'test', cause: 'test', timeMs: this.#index * 1000, body }
  }

  apply(...bodies: readonly CommandBody[]): CatalogResult {
    return this.applyCommands(
      ...bodies.map((body, at) => this.command(body, `r${this.#index + at + 1}`)),
    )
  }

  applyCommands(...commands: readonly Command[]): CatalogResult {
    const entries = commands.map((command) => ({ index: ++this.#index, term: 1, command }))
    const { outcomes, subjects } = this.machine.applyBatch(entries)
    return { outcomes, subjects: subjects.get('catalog') ?? new Set() }
  }
}
