import { isDeepStrictEqual } from 'node:util'
import type {
  AgentCheckDefinition,
  AgentServiceDefinition,
} from '../definition/agent-definition.ts'
import type { ServiceRegistered } from '../ports/agent.ts'
import type { Reads } from '../ports/reads.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { Identity } from '../ports/identity.ts'
import type { Origin } from '../ports/writes.ts'
import type { Clock } from '../base/clock.ts'
import { SvcdError, svcdError } from '../base/errors.ts'
import { isOfAgent } from '../state/catalog/model.ts'
import type { CheckDefinition } from '../state/catalog/model.ts'
import type { AgentStore } from '../storage/agent/store.ts'
import { putCheckRow, putServiceRow } from './boot.ts'
import type { AgentSync } from './sync.ts'
import { catalogDefinition, runOf } from './checks/definition.ts'
import type { CheckRun } from './checks/definition.ts'
import type { CheckRunner } from './checks/runner.ts'
import { scriptRefusal } from './checks/probes.ts'
import type { ScriptRights } from './checks/probes.ts'

export interface AgentRegistrationsParts {
  readonly identity: Identity
  readonly store: AgentStore<CheckRun>
  readonly read: Reads<CatalogReader>['read']
  readonly clock: Clock
  readonly runner: CheckRunner
  readonly sync: AgentSync
  readonly scripts: ScriptRights
  readonly isStopped: () => boolean
}

/** The registrations of this agent: agent.db, the checks that run, the catalog. */
export class AgentRegistrations {
  readonly #parts: AgentRegistrationsParts

  constructor(parts: AgentRegistrationsParts) {
    this.#parts = parts
  }

  async registerService(
    definition: AgentServiceDefinition,
    { replaceExistingChecks }: { readonly replaceExistingChecks: boolean },
    origin: Origin,
  ): Promise<ServiceRegistered> {
    const { store, identity } = this.#parts
    const { service } = definition
    for (const check of definition.checks) this.#refuseScript(check)
    this.#parts.sync.cancelRemoval({ kind: 'service', id: service.id })
    const replaced = store.putService(service, this.#parts.sync.knownIndex)
    const dropped = replaceExistingChecks ? this.#dropUnlisted(definition) : []
    const placed = definition.checks.map((check) => this.#place(check))
    const done = this.#parts.sync.registerService(
      {
        kind: 'register',
        nodeName: identity.nodeName,
        service,
        checks: placed.map(({ check }) => check),
        replaceChecks: replaceExistingChecks,
      },
      origin,
    )
    for (const check of placed) this.#run(check)
    try {
      await done
      return { replaced }
    } catch (error) {
      const checkIds = placed.map(({ check }) => check.checkId)
      if (isTooLarge(error)) this.#restoreService(service.id, [...checkIds, ...dropped])
      else await this.#removeLater(dropped)
      throw error
    }
  }

  async deregisterService(id: string, origin: Origin): Promise<void> {
    const { store } = this.#parts
    const removal = { kind: 'service', id } as const
    if (!this.#knowsService(id)) throw svcdError('unknown-service-id', { id })
    for (const checkId of store.checkIdsOfService(id)) this.#parts.runner.remove(checkId)
    const stored = store.removeService(id, this.#parts.sync.knownIndex)
    await Promise.all([stored, this.#parts.sync.remove(removal, origin)])
  }

  async registerCheck(definition: AgentCheckDefinition, origin: Origin): Promise<void> {
    const { serviceId } = definition.check
    this.#refuseScript(definition)
    if (serviceId !== '' && this.#parts.store.service(serviceId) === undefined) {
      throw svcdError('unknown-service-id', { id: serviceId })
    }
    const placed = this.#place(definition)
    const done = this.#parts.sync.registerCheck(placed.check, origin)
    this.#run(placed)
    try {
      await done
    } catch (error) {
      if (isTooLarge(error)) this.#restoreCheck(placed.check.checkId)
      throw error
    }
  }

  async deregisterCheck(id: string, origin: Origin): Promise<void> {
    const removal = { kind: 'check', id } as const
    if (!this.#knowsCheck(id)) throw svcdError('unknown-check-id', { id })
    this.#parts.runner.remove(id)
    const stored = this.#parts.store.removeCheck(id, this.#parts.sync.knownIndex)
    await Promise.all([stored, this.#parts.sync.remove(removal, origin)])
  }

  /** Writes a check to agent.db, with the status it has while it runs: no flap for coming again. */
  #place({ check, ...run }: AgentCheckDefinition): Placed {
    const { store, clock } = this.#parts
    const running = this.#parts.runner.get(check.checkId)
    const kept = running?.serviceId === check.serviceId ? running : undefined
    const { status, evidence = '', output } = kept?.state ?? check
    const definition = { ...check.definition, ...catalogDefinition(run) }
    const row = withState(check, { status, evidence, output }, definition)
    const ttlLeftMs = run.plan.kind === 'ttl' ? run.plan.ttlMs : undefined
    this.#parts.sync.cancelRemoval({ kind: 'check', id: check.checkId })
    const { knownIndex } = this.#parts.sync
    store.putCheck({ check: row, run, ttlLeftMs, savedWallMs: clock.wallMs(), knownIndex })
    return { check: row, run, unchanged: kept !== undefined && isDeepStrictEqual(kept.rules, run) }
  }

  #run({ check, run, unchanged }: Placed): void {
    const { checkId, serviceId, status, evidence = '', output } = check
    const running = this.#parts.runner.get(checkId)
    if (unchanged && running !== undefined) this.#parts.runner.renew(running)
    else if (run.plan.kind === 'none') this.#parts.runner.remove(checkId)
    else {
      const told = { status, evidence, output }
      this.#parts.runner.add({ checkId, serviceId, ...run, rules: run, ...told })
    }
  }

  #dropUnlisted({ service, checks }: AgentServiceDefinition): readonly string[] {
    const listed = new Set(checks.map(({ check }) => check.checkId))
    const ids = this.#parts.store.checkIdsOfService(service.id).filter((id) => !listed.has(id))
    for (const id of ids) this.#dropCheck(id)
    return ids
  }

  /** The command that replaced these checks failed, and what is tried later replaces none. */
  async #removeLater(checkIds: readonly string[]): Promise<void> {
    const { store } = this.#parts
    if (this.#parts.isStopped()) return
    const gone = checkIds.filter((id) => store.check(id) === undefined)
    for (const id of gone) this.#parts.sync.resumeRemoval({ kind: 'check', id })
    await Promise.all(gone.map((id) => store.removeCheck(id, this.#parts.sync.knownIndex)))
  }

  #dropCheck(id: string): void {
    this.#parts.runner.remove(id)
    this.#parts.store.dropCheck(id)
  }

  /** No server will ever take what was written: agent.db says again what the catalog says. */
  #restoreService(id: string, checkIds: readonly string[]): void {
    const { store, read, identity } = this.#parts
    const row = read((catalog) => catalog.service(identity.nodeName, id))
    if (row === undefined) {
      for (const checkId of store.checkIdsOfService(id)) this.#parts.runner.remove(checkId)
      store.dropService(id)
      return
    }
    putServiceRow(store, row)
    for (const checkId of checkIds) this.#restoreCheck(checkId)
  }

  #restoreCheck(id: string): void {
    const { read, identity } = this.#parts
    const row = read((catalog) => catalog.check(identity.nodeName, id))
    const run = row === undefined ? undefined : runOf(row)
    if (row === undefined || run === undefined) return this.#dropCheck(id)
    const check = putCheckRow(this.#parts, row, run)
    this.#run({ check, run, unchanged: false })
  }

  #knowsService(id: string): boolean {
    const { store, read, identity } = this.#parts
    if (store.service(id) !== undefined) return true
    if (this.#parts.sync.isRemoving({ kind: 'service', id })) return true
    const row = read((catalog) => catalog.service(identity.nodeName, id))
    return row !== undefined && isOfAgent(row)
  }

  #knowsCheck(id: string): boolean {
    const { store, read, identity } = this.#parts
    if (store.check(id) !== undefined) return true
    if (this.#parts.sync.isRemoving({ kind: 'check', id })) return true
    const row = read((catalog) => catalog.check(identity.nodeName, id))
    return row !== undefined && runOf(row) !== undefined
  }

  /** Takes a service over from a file; the sync writes it to the catalog. Throws `scripts-disabled`. */
  takeService({ service, checks }: AgentServiceDefinition): void {
    const { store, sync } = this.#parts
    for (const check of checks) this.#refuseScript(check)
    sync.cancelRemoval({ kind: 'service', id: service.id })
    store.putService(service, sync.knownIndex)
    for (const check of checks) this.#run(this.#place(check))
    sync.later('service', service.id)
  }

  /** As {@link takeService}, a check. Throws also `unknown-service-of-check`. */
  takeCheck(definition: AgentCheckDefinition): void {
    const { store, sync } = this.#parts
    const { checkId, serviceId } = definition.check
    this.#refuseScript(definition)
    if (serviceId !== '' && !store.hasService(serviceId)) {
      throw svcdError('unknown-service-of-check', { id: serviceId })
    }
    this.#run(this.#place(definition))
    sync.later('check', checkId)
  }

  /** Removes a service here immediately, and from the catalog by the sync. */
  dropService(id: string): void {
    const { store, sync, runner } = this.#parts
    for (const checkId of store.checkIdsOfService(id)) runner.remove(checkId)
    void store.removeService(id, sync.knownIndex)
    sync.resumeRemoval({ kind: 'service', id })
  }

  dropCheck(id: string): void {
    const { store, sync, runner } = this.#parts
    runner.remove(id)
    void store.removeCheck(id, sync.knownIndex)
    sync.resumeRemoval({ kind: 'check', id })
  }

  #refuseScript({ plan, owner }: AgentCheckDefinition): void {
    const refusal = plan.kind === 'script' ? scriptRefusal(this.#parts.scripts, owner) : undefined
    if (refusal !== undefined) throw refusal
  }
}

/** Field by field: V8 copies an object that gets a field in between ten times slower, and prints it slower, too. */
function withState(
  { checkId, name, notes, serviceId, type, interval, timeout }: CheckDefinition,
  { status, evidence, output }: Pick<CheckDefinition, 'status' | 'evidence' | 'output'>,
  definition: CheckDefinition['definition'],
): Required<CheckDefinition> {
  return {
    checkId,
    name,
    status,
    evidence: evidence ?? '',
    notes,
    output,
    serviceId,
    type,
    interval,
    timeout,
    definition,
  }
}

/** A check as it stands in agent.db and goes into a command. */
interface Placed {
  readonly check: CheckDefinition
  readonly run: CheckRun
  /** It runs already, by just this definition. */
  readonly unchanged: boolean
}

function isTooLarge(error: unknown): boolean {
  return error instanceof SvcdError && error.code === 'command-too-large'
}
