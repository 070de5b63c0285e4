import type { Database } from 'better-sqlite3'
import type { Outcome } from '../machine/command.ts'
import type { Change } from '../machine/change.ts'
import type { Applier, Family } from '../machine/family.ts'
import { keptEvidence, openChange, touchCheck } from './change.ts'
import type { CatalogChange } from './change.ts'
import { catalogCommands } from './commands.ts'
import type { CatalogCommand, UpdateCheckCommand } from './commands.ts'
import { deregister } from './deregister.ts'
import { CatalogReader } from './query.ts'
import { register } from './register.ts'
import { restoreCommands } from './restore.ts'
import { catalogMigrations } from './schema.ts'
import { addressesTable, checksTable, nodesTable, servicesTable } from './tables.ts'

/** Nodes, the services on them and their checks. */
export const catalogFamily: Family<CatalogCommand, CatalogReader> = {
  name: 'catalog',
  migrations: catalogMigrations,
  tables: [nodesTable, servicesTable, checksTable, addressesTable],
  commands: catalogCommands,
  keepsIndexes: true,
  open: openApplier,
  reader: (db) => new CatalogReader(db),
  restore: restoreCommands,
}

function openApplier(db: Database, gate: Change): Applier<CatalogCommand> {
  const change = openChange(db, gate)
  return {
    apply(body): Outcome {
      switch (body.kind) {
        case 'register':
          return register(body, change)
        case 'deregister':
          return deregister(body, change)
        case 'update-check':
          return updateCheck(body, change)
      }
    },
  }
}

function updateCheck(body: UpdateCheckCommand, change: CatalogChange): Outcome {
  const { sql, gate } = change
  const { index } = gate
  const nodeKey = body.nodeName.toLowerCase()
  const check = sql.check.get(nodeKey, body.checkId)
  if (check === undefined) {
    return { ok: false, index, error: 'unknown-check', subject: body.checkId }
  }
  const { status, output } = body
  const evidence = keptEvidence(body, gate)
  const isSame = check.status === status && check.output === output && check.evidence === evidence
  if (isSame) return { ok: true, index }
  change.setStatus({ ...check, status, output, modify_index: index, evidence }, check)
  touchCheck(nodeKey, check.service_id, change)
  return { ok: true, index }
}
