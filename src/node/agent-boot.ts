import type { Backend, Identity } from '../api/backend.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import type { Check, CheckDefinition, Service } from '../catalog/model.ts'
import type { CatalogReader } from '../catalog/query.ts'
import type { AgentStore, StoredCheck, StoredService } from '../storage/agent-store.ts'
import type { AgentSync } from './agent-sync.ts'
import { runOf } from './check-definition.ts'
import type { CheckRun } from './check-definition.ts'
import type { CheckRunner } from './check-runner.ts'
import { isSame } from './node-registration.ts'

export interface AgentBootParts {
  readonly identity: Identity
  readonly store: AgentStore<CheckRun>
  readonly runner: CheckRunner
  readonly sync: AgentSync
  readonly read: Backend['read']
  readonly clock: Clock
  readonly logger: Logger
}

/** Services are compared by pages: a hundred thousand of them must not be in memory at once. */
const pageSize = 256

/**
 * Brings agent.db and the catalog together after a start, and runs the checks again. The agent is
 * the authority for what it registered, but a write that the catalog acknowledged is never undone:
 *
 * | in agent.db | in the catalog | then |
 * |---|---|---|
 * | never acknowledged | any | proposed again |
 * | acknowledged at N | missing, and it applied N | removed by a later write: dropped here |
 * | acknowledged at N | missing, and it did not apply N yet | proposed again |
 * | acknowledged at N | changed after N by somebody else | proposed again |
 * | missing | owned by this agent | adopted |
 */
export async function bootAgent(parts: AgentBootParts): Promise<void> {
  const counts = { proposed: 0, dropped: 0, adopted: 0 }
  parts.sync.resumeRemovals()
  await judgeServices(parts, counts)
  await adoptServices(parts, counts)
  startChecks(parts, counts)
  adoptChecks(parts, counts)
  if (counts.proposed + counts.dropped + counts.adopted > 0) {
    parts.logger.info(counts, "the agent's services were compared with the catalog")
  }
}

interface Counts {
  proposed: number
  dropped: number
  adopted: number
}

type Judgement = 'same' | 'propose' | 'drop'

async function judgeServices(parts: AgentBootParts, counts: Counts): Promise<void> {
  const { store, sync, identity, read } = parts
  for (let afterId = ''; ;) {
    const page = store.servicesAfter(afterId, pageSize)
    const last = page.at(-1)
    if (last === undefined) return
    afterId = last.service.id
    const judgements = read((catalog) =>
      page.map((stored) => judgeService(stored, catalog, identity.nodeName)),
    )
    for (const [at, { service }] of page.entries()) {
      if (judgements[at] === 'propose') {
        counts.proposed++
        sync.later('service', service.id)
      } else if (judgements[at] === 'drop') {
        counts.dropped++
        store.dropService(service.id)
      }
    }
    await nextTurn()
  }
}

function judgeService(
  { service, syncedIndex }: StoredService,
  catalog: CatalogReader,
  nodeName: string,
): Judgement {
  if (syncedIndex === undefined) return 'propose'
  const row = catalog.service(nodeName, service.id)
  if (row === undefined) return catalog.appliedIndex() >= syncedIndex ? 'drop' : 'propose'
  return row.modifyIndex <= syncedIndex || isSame(service, row) ? 'same' : 'propose'
}

async function adoptServices(parts: AgentBootParts, counts: Counts): Promise<void> {
  const { store, sync, identity, read } = parts
  for (let afterId = ''; ;) {
    const page = read((catalog) =>
      catalog.servicesOfNodeAfter(identity.nodeName, afterId, pageSize),
    )
    const last = page.at(-1)
    if (last === undefined) return
    afterId = last.id
    for (const row of page) {
      if (row.owner !== 'agent' || store.service(row.id) !== undefined) continue
      if (sync.isRemoving({ kind: 'service', id: row.id })) continue
      counts.adopted++
      putServiceRow(store, row)
    }
    await nextTurn()
  }
}

function startChecks(parts: AgentBootParts, counts: Counts): void {
  const { store, sync, identity, read } = parts
  for (const stored of store.checks()) {
    const { checkId } = stored.check
    const [row, applied] = read((catalog) => [
      catalog.check(identity.nodeName, checkId),
      catalog.appliedIndex(),
    ])
    if (row === undefined && stored.syncedIndex !== undefined && applied >= stored.syncedIndex) {
      counts.dropped++
      store.dropCheck(checkId)
      continue
    }
    resume(parts, stored, row)
    if (row === undefined || stored.syncedIndex === undefined || !isSameCheck(stored.check, row)) {
      counts.proposed++
      sync.later('check', checkId)
    }
  }
}

/**
 * Runs a check again. Where the catalog has a status it is the one that counts: it may hold a report
 * that was acknowledged and that a power cut took from agent.db.
 */
function resume(
  parts: AgentBootParts,
  stored: StoredCheck<CheckRun>,
  row: Check | undefined,
): void {
  const { check, run } = stored
  if (run.plan.kind === 'none') return
  const { status, output } = row ?? check
  parts.runner.resume(
    {
      checkId: check.checkId,
      serviceId: check.serviceId,
      plan: run.plan,
      rules: run,
      status,
      output,
    },
    status === check.status ? check.output : output,
    ttlLeftMs(stored, parts.clock.wallMs()),
  )
}

/**
 * A TTL has what was left of it if this agent was away for less than that: while it was, nobody could
 * report to it. Otherwise it has all its time, whatever the wall clock did meanwhile.
 */
function ttlLeftMs(stored: StoredCheck<CheckRun>, wallMs: number): number | undefined {
  const leftMs = stored.ttlLeftMs ?? 0
  return wallMs - stored.savedWallMs < leftMs ? leftMs : undefined
}

function adoptChecks(parts: AgentBootParts, counts: Counts): void {
  const { store, sync, identity, read } = parts
  for (const row of read((catalog) => catalog.checksOfNode(identity.nodeName))) {
    const run = runOf(row.definition)
    if (run === undefined || store.check(row.checkId) !== undefined) continue
    if (row.serviceId !== '' && store.service(row.serviceId) === undefined) continue
    if (sync.isRemoving({ kind: 'check', id: row.checkId })) continue
    counts.adopted++
    const check = putCheckRow(parts, row, run)
    const synced = { ttlLeftMs: undefined, savedWallMs: 0, syncedIndex: row.modifyIndex }
    resume(parts, { check, run, ...synced }, row)
  }
}

/** Writes a service to agent.db as the catalog has it. */
export function putServiceRow(store: AgentStore<CheckRun>, row: Service): void {
  const { node: _node, createIndex: _create, modifyIndex, ...service } = row
  store.putService(service)
  store.serviceSynced(row.id, modifyIndex)
}

/** Writes a check to agent.db as the catalog has it. */
export function putCheckRow(
  { store, clock }: Pick<AgentBootParts, 'store' | 'clock'>,
  row: Check,
  run: CheckRun,
): CheckDefinition {
  const { node: _node, serviceName: _name, serviceTags: _tags, ...rest } = row
  const { createIndex: _create, modifyIndex, ...check } = rest
  store.putCheck({ check, run, ttlLeftMs: undefined, savedWallMs: clock.wallMs() })
  store.checkSynced(row.checkId, modifyIndex)
  return check
}

/** As {@link isSame}, what a check came to aside. */
function isSameCheck(check: CheckDefinition, row: CheckDefinition): boolean {
  return isSame({ ...check, status: row.status, output: row.output }, row)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
