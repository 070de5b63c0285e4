import type { Reads } from '../ports/reads.ts'
import type { Identity } from '../ports/identity.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/log.ts'
import { isOfAgent } from '../state/catalog/model.ts'
import type { Check, CheckDefinition, Service } from '../state/catalog/model.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { AgentStore } from '../storage/agent/store.ts'
import type { Head, Standing, StoredCheck } from '../storage/agent/rows.ts'
import type { AgentSync } from './sync.ts'
import { runOf } from './checks/definition.ts'
import type { CheckRun } from './checks/definition.ts'
import type { CheckRunner } from './checks/runner.ts'
import { isSame } from '../state/catalog/is-same.ts'

export interface AgentBootParts {
  readonly identity: Identity
  readonly store: AgentStore<CheckRun>
  readonly runner: CheckRunner
  readonly sync: AgentSync
  readonly read: Reads<CatalogReader>['read']
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Services are compared by pages: a hundred thousand of them must not be in memory at the same
 * time.
 */
const pageSize = 256

/**
 * Brings agent.db and the catalog together after a start, and runs the checks again. The agent is
 * the authority for its registrations, so entries that the catalog lost come back. But a write of
 * its own that the catalog acknowledged is never undone, whatever a power cut took from agent.db:
 *
 * | in agent.db | in the catalog | then |
 * |---|---|---|
 * | never acknowledged | missing or older | proposed again |
 * | acknowledged | missing | proposed again |
 * | a check of a service that is adopted | missing | it was replaced: dropped here |
 * | any | different, and by somebody else | proposed again |
 * | any | different, by this agent, and newer than what it knew then | adopted |
 * | missing | owned by this agent | adopted |
 */
export async function bootAgent(agent: AgentBootParts): Promise<void> {
  const counts: Counts = { proposed: 0, dropped: 0, adopted: 0 }
  const adopted = new Set<string>()
  const nodeName = agent.read((catalog) => nameInCatalog(agent.identity, catalog))
  const parts = { ...agent, identity: { ...agent.identity, nodeName } }
  parts.sync.learnIndex(parts.read((catalog) => catalog.appliedIndex()))
  resumeRemovals(parts)
  await judgeServices(parts, counts, adopted)
  await adoptServices(parts, counts)
  startChecks(parts, counts, adopted)
  adoptChecks(parts, counts)
  if (counts.proposed + counts.dropped + counts.adopted > 0) {
    parts.logger.info(counts, "compared the agent's services with the catalog")
  }
}

/**
 * The name under which the catalog has this node: it may have been renamed. '' when the name is that of
 * another machine, whose place this one takes: nothing there is its own.
 */
function nameInCatalog({ nodeName, nodeId }: Identity, catalog: CatalogReader): string {
  const namesake = catalog.node(nodeName)
  if (namesake?.id === nodeId) return nodeName
  const before = catalog.nodeById(nodeId)
  if (before !== undefined) return before.name
  return namesake === undefined || namesake.id === '' ? nodeName : ''
}

interface Counts {
  proposed: number
  dropped: number
  adopted: number
}

type Judgement = 'same' | 'propose' | 'drop' | 'adopt'

/** The row of agent.db and the one of the catalog, by what they are held against each other. */
interface Pair {
  readonly standing: Standing
  readonly row: { readonly modifyIndex: number } | undefined
  readonly isSame: boolean
  /** Whether the catalog's row is one that an agent wrote. */
  readonly isOwn: boolean
  /** Whether it was replaced by a write that agent.db does not know of. */
  readonly isReplaced: boolean
}

function judge({ standing, row, isSame, isOwn, isReplaced }: Pair): Judgement {
  const { knownIndex, syncedIndex } = standing
  if (row === undefined) return isReplaced && syncedIndex !== undefined ? 'drop' : 'propose'
  if (isSame) return syncedIndex === undefined ? 'propose' : 'same'
  // A power cut may have taken agent.db back to before a registration that was acknowledged.
  const isNewer = row.modifyIndex > Math.max(knownIndex, syncedIndex ?? 0)
  return isOwn && isNewer ? 'adopt' : 'propose'
}

/**
 * Services that were deregistered here before the last start, unless they have been registered
 * again since.
 */
function resumeRemovals({ store, sync, identity, read }: AgentBootParts): void {
  for (const removal of store.removals()) {
    const { kind, id, knownIndex } = removal
    const row = read((catalog) =>
      kind === 'service'
        ? catalog.service(identity.nodeName, id)
        : catalog.check(identity.nodeName, id),
    )
    if (row !== undefined && row.modifyIndex <= knownIndex) sync.resumeRemoval(removal)
    else store.forgetRemoval(removal)
  }
}

async function judgeServices(
  parts: AgentBootParts,
  counts: Counts,
  adopted: Set<string>,
): Promise<void> {
  const { store, identity, read } = parts
  for (let afterId = ''; ;) {
    const page = store.serviceHeads(afterId, pageSize)
    const last = page.at(-1)
    if (last === undefined) return
    afterId = last.id
    read((catalog) => {
      for (const head of page) {
        const row = catalog.serviceHead(identity.nodeName, head.id)
        // Nothing changed since it was acknowledged: the rule, so contents are not even read.
        const isUnchanged =
          row !== undefined && isOfAgent(row) && row.modifyIndex <= (head.syncedIndex ?? -1)
        if (isUnchanged) continue
        const judgement = judgeService(parts, head, catalog)
        count(counts, judgement)
        if (judgement === 'adopt') adopted.add(head.id)
      }
    })
    await nextTurn()
  }
}

function judgeService(
  { store, sync, identity }: AgentBootParts,
  head: Head,
  catalog: CatalogReader,
): Judgement {
  const { id } = head
  const stored = store.service(id)
  const row = catalog.service(identity.nodeName, id)
  const judgement = judge({
    standing: head,
    row,
    isSame: stored !== undefined && isSame(stored.service, row),
    isOwn: row !== undefined && isOfAgent(row),
    isReplaced: false,
  })
  if (judgement === 'propose') {
    keepForeignTags(store, id, row)
    sync.later('service', id)
  } else if (judgement === 'adopt' && row !== undefined) putServiceRow(store, row)
  return judgement
}

/** Consul's EnableTagOverride: the tags are the only thing that others may write. */
export function keepForeignTags(
  store: AgentStore<CheckRun>,
  id: string,
  row: Service | undefined,
): void {
  const stored = store.service(id)
  if (row === undefined || stored?.service.enableTagOverride !== true) return
  store.putService({ ...stored.service, tags: row.tags }, stored.knownIndex)
}

function count(counts: Counts, judgement: Judgement): void {
  if (judgement === 'drop') counts.dropped++
  else if (judgement === 'propose') counts.proposed++
  else if (judgement === 'adopt') counts.adopted++
}

async function adoptServices(parts: AgentBootParts, counts: Counts): Promise<void> {
  const { store, sync, identity, read } = parts
  for (let afterId = ''; ;) {
    const page = read((catalog) => catalog.serviceHeads(identity.nodeName, afterId, pageSize))
    const last = page.at(-1)
    if (last === undefined) return
    afterId = last.id
    for (const head of page) {
      const { id } = head
      if (!isOfAgent(head) || store.hasService(id)) continue
      if (sync.isRemoving({ kind: 'service', id })) continue
      const row = read((catalog) => catalog.service(identity.nodeName, id))
      if (row === undefined) continue
      counts.adopted++
      putServiceRow(store, row)
    }
    await nextTurn()
  }
}

function startChecks(parts: AgentBootParts, counts: Counts, adopted: ReadonlySet<string>): void {
  const { store, sync, identity, read } = parts
  for (const stored of store.checks()) {
    const { checkId, serviceId } = stored.check
    const row = read((catalog) => catalog.check(identity.nodeName, checkId))
    const run = row === undefined ? undefined : runOf(row)
    const judgement = judge({
      standing: stored,
      row,
      isSame: row !== undefined && isSameCheck(stored.check, row),
      isOwn: run !== undefined,
      isReplaced: adopted.has(serviceId),
    })
    count(counts, judgement)
    if (judgement === 'drop') store.dropCheck(checkId)
    else if (judgement === 'adopt' && row !== undefined && run !== undefined) {
      adoptCheck(parts, row, run)
    } else resume(parts, stored, row)
    // A service is proposed with its checks.
    if (judgement === 'propose' && !sync.isBusy('service', serviceId)) sync.later('check', checkId)
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
  const { status, evidence = '', output } = row ?? check
  const isLocalNewer = status === check.status
  parts.runner.resume(
    {
      checkId: check.checkId,
      serviceId: check.serviceId,
      owner: run.owner,
      plan: run.plan,
      rules: run,
      status,
      evidence,
      output,
    },
    isLocalNewer ? { evidence: check.evidence ?? '', output: check.output } : { evidence, output },
    ttlLeftMs(stored, parts.clock.wallMs()),
  )
}

/**
 * A TTL has its remaining time if this agent was away for less than that: during that time no
 * service could report to it. Otherwise it has all its time, whatever the wall clock did.
 */
function ttlLeftMs(stored: StoredCheck<CheckRun>, wallMs: number): number | undefined {
  const leftMs = stored.ttlLeftMs ?? 0
  return wallMs - stored.savedWallMs < leftMs ? leftMs : undefined
}

function adoptChecks(parts: AgentBootParts, counts: Counts): void {
  const { store, sync, identity, read } = parts
  for (const row of read((catalog) => catalog.checksOfNode(identity.nodeName))) {
    const run = runOf(row)
    if (run === undefined || store.check(row.checkId) !== undefined) continue
    if (row.serviceId !== '' && store.service(row.serviceId) === undefined) continue
    if (sync.isRemoving({ kind: 'check', id: row.checkId })) continue
    counts.adopted++
    adoptCheck(parts, row, run)
  }
}

function adoptCheck(parts: AgentBootParts, row: Check, run: CheckRun): void {
  const check = putCheckRow(parts, row, run)
  const standing = { knownIndex: row.modifyIndex, syncedIndex: row.modifyIndex }
  resume(parts, { check, run, ttlLeftMs: undefined, savedWallMs: 0, ...standing }, row)
}

/** Writes a service to agent.db as the catalog has it. */
export function putServiceRow(store: AgentStore<CheckRun>, row: Service): void {
  const { node: _node, createIndex: _create, modifyIndex, ...service } = row
  store.putService(service, modifyIndex)
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
  const saved = { ttlLeftMs: undefined, savedWallMs: clock.wallMs() }
  store.putCheck({ check, run, ...saved, knownIndex: modifyIndex })
  store.checkSynced(row.checkId, modifyIndex)
  return check
}

/** As {@link isSame}, what a check came to aside. */
export function isSameCheck(check: CheckDefinition, row: CheckDefinition): boolean {
  const { status: _status, evidence: _evidence, output: _output, ...defined } = check
  return isSame(defined, row)
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
