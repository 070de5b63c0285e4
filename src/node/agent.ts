import { isDeepStrictEqual } from 'node:util'
import type {
  AgentCheckDefinition,
  AgentServiceDefinition,
  Backend,
  Identity,
  LocalAgent,
  Origin,
} from '../api/backend.ts'
import { must } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { formatDuration } from '../base/duration.ts'
import { SvcdError, reasonOf, svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Check, CheckDefinition, Service, Status } from '../catalog/model.ts'
import type { AgentStore, StoredCheck, StoredService } from '../storage/agent-store.ts'
import { bootAgent, putCheckRow, putServiceRow } from './agent-boot.ts'
import { nodeDefinition, selfRegistration } from './node-registration.ts'
import { AgentSync } from './agent-sync.ts'
import { catalogDefinition, runOf } from './check-definition.ts'
import type { CheckRun } from './check-definition.ts'
import { CheckRunner } from './check-runner.ts'
import type { CheckRunnerParts, RunningCheck } from './check-runner.ts'

export interface AgentParts {
  readonly identity: Identity
  /** Owned from now on: {@link Agent.stop} closes it. */
  readonly store: AgentStore<CheckRun>
  readonly propose: Backend['propose']
  readonly read: Backend['read']
  readonly probe: CheckRunnerParts['probe']
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly probeConcurrency?: number
  /** What a failed proposal waits at first, and at most. */
  readonly retryMsMin?: number
  readonly retryMsMax?: number
}

const probeConcurrencyDefault = 256
const saveEveryMs = 1000
const saveAtOnceMax = 500

/** The services and checks of this agent: agent.db, the checks that run, and what the catalog is told. */
export class Agent implements LocalAgent {
  readonly #parts: AgentParts
  readonly #runner: CheckRunner
  readonly #sync: AgentSync
  #timer: NodeJS.Timeout | undefined
  #registered: Promise<void> | undefined
  #stopped = false

  constructor(parts: AgentParts) {
    const { identity, store, propose, clock, random, logger } = parts
    this.#parts = parts
    this.#runner = new CheckRunner({
      clock,
      random,
      logger,
      probe: parts.probe,
      concurrency: parts.probeConcurrency ?? probeConcurrencyDefault,
      onTransition: (check, cause) => this.#tell(check, cause),
      onReap: (check) => this.#reap(check),
    })
    this.#sync = new AgentSync({
      identity,
      node: nodeDefinition(identity),
      store,
      runner: this.#runner,
      propose,
      registerNode: () => this.#registerNode(),
      logger,
      random,
      retryMsMin: parts.retryMsMin ?? 250,
      retryMsMax: parts.retryMsMax ?? 15_000,
    })
  }

  /**
   * Brings agent.db and the catalog together and runs the checks. Needs no leader: what is to be
   * proposed is on its way then, see {@link registered}.
   */
  async start(): Promise<void> {
    const { identity, store, read, clock, logger } = this.#parts
    const [runner, sync] = [this.#runner, this.#sync]
    await bootAgent({ identity, store, runner, sync, read, clock, logger })
    runner.start()
    this.#timer = setInterval(() => this.#save(saveAtOnceMax), saveEveryMs)
    this.#timer.unref()
    this.#registered = this.#registerAll()
  }

  /**
   * Resolves when this node and what was due at the start have been proposed once. What failed, for
   * want of a leader most often, is tried again until it succeeds.
   */
  get registered(): Promise<void> {
    return must(this.#registered, 'the agent was started')
  }

  /** Proposals that failed may succeed now, so they are not to wait any longer. */
  onLeaderFound(): void {
    void this.#registered?.then(async () => {
      if (!this.#stopped) await this.#sync.runNow()
    })
  }

  /** Ends checks and retries, saves what is left of TTLs, closes agent.db. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#timer)
    this.#runner.stop()
    await Promise.all([this.#registered, this.#sync.stop()])
    for (const check of this.#runner.all()) this.#saveCheck(check)
    this.#parts.store.close()
  }

  async registerService(
    definition: AgentServiceDefinition,
    { replaceExistingChecks }: { readonly replaceExistingChecks: boolean },
    origin: Origin,
  ): Promise<void> {
    this.#refuseStopped()
    const { store, identity } = this.#parts
    const { service } = definition
    this.#sync.cancelRemoval({ kind: 'service', id: service.id })
    store.putService(service, this.#sync.knownIndex)
    const dropped = replaceExistingChecks ? this.#dropUnlisted(definition) : []
    const placed = definition.checks.map((check) => this.#place(check))
    const done = this.#sync.registerService(
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
    } catch (error) {
      const checkIds = placed.map(({ check }) => check.checkId)
      if (isTooLarge(error)) this.#restoreService(service.id, [...checkIds, ...dropped])
      else await this.#removeLater(dropped)
      throw error
    }
  }

  async deregisterService(id: string, origin: Origin): Promise<void> {
    this.#refuseStopped()
    const { store } = this.#parts
    const removal = { kind: 'service', id } as const
    if (!this.#knowsService(id)) throw svcdError('unknown-service-id', { id })
    for (const checkId of store.checkIdsOfService(id)) this.#runner.remove(checkId)
    const stored = store.removeService(id, this.#sync.knownIndex)
    await Promise.all([stored, this.#sync.remove(removal, origin)])
  }

  async registerCheck(definition: AgentCheckDefinition, origin: Origin): Promise<void> {
    this.#refuseStopped()
    const { serviceId } = definition.check
    if (serviceId !== '' && this.#parts.store.service(serviceId) === undefined) {
      throw svcdError('unknown-service-id', { id: serviceId })
    }
    const placed = this.#place(definition)
    const done = this.#sync.registerCheck(placed.check, origin)
    this.#run(placed)
    try {
      await done
    } catch (error) {
      if (isTooLarge(error)) this.#restoreCheck(placed.check.checkId)
      throw error
    }
  }

  async deregisterCheck(id: string, origin: Origin): Promise<void> {
    this.#refuseStopped()
    const removal = { kind: 'check', id } as const
    if (!this.#knowsCheck(id)) throw svcdError('unknown-check-id', { id })
    this.#runner.remove(id)
    const stored = this.#parts.store.removeCheck(id, this.#sync.knownIndex)
    await Promise.all([stored, this.#sync.remove(removal, origin)])
  }

  async updateTtl(id: string, status: Status, output: string, origin: Origin): Promise<void> {
    this.#refuseStopped()
    const check = this.#runner.get(id)
    if (check === undefined && this.#parts.store.check(id) === undefined) {
      throw svcdError('unknown-check-id', { id })
    }
    if (check?.plan.kind !== 'ttl') throw svcdError('not-a-ttl-check', { id })
    const { propose } = this.#runner.report(check, status, output)
    // A heartbeat costs nothing, unless the catalog does not say yet what it confirms.
    if (propose || this.#sync.isTelling(check)) await this.#sync.tell(check, origin)
  }

  services(): readonly Service[] {
    return this.#parts.store.services().map((stored) => this.#serviceOf(stored))
  }

  service(id: string): Service | undefined {
    const stored = this.#parts.store.service(id)
    return stored === undefined ? undefined : this.#serviceOf(stored)
  }

  checks(): readonly Check[] {
    const { store } = this.#parts
    const services = new Map<string, Service | undefined>()
    return store.checks().map((stored) => {
      const { serviceId } = stored.check
      if (serviceId !== '' && !services.has(serviceId)) {
        services.set(serviceId, this.service(serviceId))
      }
      return this.#checkOf(stored, services.get(serviceId))
    })
  }

  #serviceOf({ service, syncedIndex = 0 }: StoredService): Service {
    const node = this.#parts.identity.nodeName
    return { ...service, node, createIndex: syncedIndex, modifyIndex: syncedIndex }
  }

  #checkOf({ check, syncedIndex = 0 }: StoredCheck<CheckRun>, service: Service | undefined): Check {
    const state = this.#runner.get(check.checkId)?.state ?? check
    return {
      ...check,
      status: state.status,
      output: state.output,
      node: this.#parts.identity.nodeName,
      serviceName: service?.name ?? '',
      serviceTags: service?.tags ?? [],
      createIndex: syncedIndex,
      modifyIndex: syncedIndex,
    }
  }

  /** Writes a check to agent.db, with the status it has while it runs: no flap for coming again. */
  #place({ check, ...run }: AgentCheckDefinition): Placed {
    const { store, clock } = this.#parts
    const running = this.#runner.get(check.checkId)
    const kept = running?.serviceId === check.serviceId ? running : undefined
    const { status, output } = kept?.state ?? check
    const definition = { ...check.definition, ...catalogDefinition(run) }
    const row = { ...check, status, output, definition }
    const ttlLeftMs = run.plan.kind === 'ttl' ? run.plan.ttlMs : undefined
    this.#sync.cancelRemoval({ kind: 'check', id: check.checkId })
    const { knownIndex } = this.#sync
    store.putCheck({ check: row, run, ttlLeftMs, savedWallMs: clock.wallMs(), knownIndex })
    return { check: row, run, unchanged: kept !== undefined && isDeepStrictEqual(kept.rules, run) }
  }

  #run({ check, run, unchanged }: Placed): void {
    const { checkId, serviceId, status, output } = check
    const running = this.#runner.get(checkId)
    if (unchanged && running !== undefined) this.#runner.renew(running)
    else if (run.plan.kind === 'none') this.#runner.remove(checkId)
    else this.#runner.add({ checkId, serviceId, plan: run.plan, rules: run, status, output })
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
    if (this.#stopped) return
    const gone = checkIds.filter((id) => store.check(id) === undefined)
    for (const id of gone) this.#sync.resumeRemoval({ kind: 'check', id })
    await Promise.all(gone.map((id) => store.removeCheck(id, this.#sync.knownIndex)))
  }

  #dropCheck(id: string): void {
    this.#runner.remove(id)
    this.#parts.store.dropCheck(id)
  }

  /** No server will ever take what was written: agent.db says again what the catalog says. */
  #restoreService(id: string, checkIds: readonly string[]): void {
    const { store, read, identity } = this.#parts
    const row = read((catalog) => catalog.service(identity.nodeName, id))
    if (row === undefined) {
      for (const checkId of store.checkIdsOfService(id)) this.#runner.remove(checkId)
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
    if (this.#sync.isRemoving({ kind: 'service', id })) return true
    return read((catalog) => catalog.service(identity.nodeName, id))?.owner === 'agent'
  }

  #knowsCheck(id: string): boolean {
    const { store, read, identity } = this.#parts
    if (store.check(id) !== undefined) return true
    if (this.#sync.isRemoving({ kind: 'check', id })) return true
    const row = read((catalog) => catalog.check(identity.nodeName, id))
    return row !== undefined && runOf(row) !== undefined
  }

  async #registerAll(): Promise<void> {
    try {
      await this.#registerNode()
    } catch (error) {
      if (this.#stopped) return
      const { logger } = this.#parts
      logger.warn({ reason: reasonOf(error) }, 'the node could not be registered yet')
      this.#sync.later('node', '')
    }
    if (!this.#stopped) await this.#sync.runNow()
  }

  async #registerNode(): Promise<void> {
    const { identity, read, propose } = this.#parts
    const command = read((catalog) => selfRegistration(identity, catalog))
    if (command === undefined) return
    await propose(command, { actor: `agent ${identity.nodeName}`, cause: 'start' })
  }

  #tell(check: RunningCheck, cause: string): void {
    const { checkId } = check
    const { status } = check.state
    this.#parts.logger.info({ check: checkId, status, cause }, 'a check changed')
    // What fails is logged there, and tried again.
    this.#sync.tell(check, { actor: `check ${checkId}`, cause }).catch(() => {})
  }

  #reap({ checkId, serviceId, rules }: RunningCheck): void {
    const cause = `critical for ${formatDuration(rules.deregisterAfterMs)}`
    this.#parts.logger.info({ check: checkId, service: serviceId }, `deregistering: ${cause}`)
    this.deregisterService(serviceId, { actor: `check ${checkId}`, cause }).catch((error) => {
      const fields = { service: serviceId, reason: reasonOf(error) }
      this.#parts.logger.warn(fields, 'a service could not be deregistered yet')
    })
  }

  #save(limit: number): void {
    for (const check of this.#runner.takeUnsaved(limit)) this.#saveCheck(check)
  }

  #saveCheck(check: RunningCheck): void {
    const { status, output } = check.state
    this.#parts.store.saveProgress({
      checkId: check.checkId,
      status,
      output,
      ttlLeftMs: this.#runner.ttlLeftMs(check),
      savedWallMs: this.#parts.clock.wallMs(),
    })
  }

  #refuseStopped(): void {
    if (this.#stopped) throw svcdError('stopping', {})
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
