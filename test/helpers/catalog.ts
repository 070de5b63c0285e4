import { Sqlite } from './sqlite.ts'
import { CatalogMachine } from '../../src/state/machine/apply.ts'
import type { BatchResult } from '../../src/state/machine/apply.ts'
import { initializeSums } from '../../src/state/machine/state-sums.ts'
import type { Command, CommandBody, RegisterCommand } from '../../src/state/machine/command.ts'
import type {
  CheckDefinition,
  NodeDefinition,
  ServiceDefinition,
} from '../../src/state/catalog/model.ts'
import { CatalogReader } from '../../src/state/catalog/query.ts'
import { catalogMigrations, defineAddressKeys } from '../../src/state/catalog/schema.ts'

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

/** A catalog in memory that applies command bodies one by one, as a log would. */
export class MemoryCatalog {
  readonly db = new Sqlite(':memory:')
  readonly machine: CatalogMachine
  readonly reader: CatalogReader
  #index = 0

  constructor() {
    defineAddressKeys(this.db)
    for (const migration of catalogMigrations) this.db.exec(migration)
    initializeSums(this.db)
    this.machine = new CatalogMachine(this.db)
    this.reader = new CatalogReader(this.db)
  }

  command(body: CommandBody, requestId = `r${this.#index + 1}`): Command {
    return { version: 1, requestId, actor: 'test', cause: 'test', timeMs: this.#index * 1000, body }
  }

  apply(...bodies: readonly CommandBody[]): BatchResult {
    return this.applyCommands(
      ...bodies.map((body, at) => this.command(body, `r${this.#index + at + 1}`)),
    )
  }

  applyCommands(...commands: readonly Command[]): BatchResult {
    const entries = commands.map((command) => ({ index: ++this.#index, term: 1, command }))
    return this.machine.applyBatch(entries)
  }
}
