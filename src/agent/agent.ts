import type {
  AgentCheckDefinition,
  AgentServiceDefinition,
} from '../definition/agent-definition.ts'
import type { LocalAgent, ServiceRegistered } from '../ports/agent.ts'
import type { Reads } from '../ports/reads.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { Identity } from '../ports/identity.ts'
import type { Origin, Writes } from '../ports/writes.ts'
import { must } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { formatDuration } from '../base/duration.ts'
import { type SvcdError, reasonOf, svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Check, Service, Status } from '../state/catalog/model.ts'
import { nameHolder } from '../state/catalog/name-holder.ts'
import type { Step } from '../health/check.ts'
import type { AgentStore } from '../storage/agent/store.ts'
import type { StoredCheck, StoredService } from '../storage/agent/rows.ts'
import { bootAgent } from './boot.ts'
import { AgentRegistrations } from './registrations.ts'
import { AntiEntropy } from './anti-entropy.ts'
import { applyDefinitionFiles } from './files/apply.ts'
import type { FilesReport } from './files/apply.ts'
import { nodeDefinition, selfRegistration } from './node-registration.ts'
import { AgentSync } from './sync.ts'
import type { CheckRun } from './checks/definition.ts'
import { ChangeLog, named, whoOf } from './change-log.ts'
import { CheckRunner } from './checks/runner.ts'
import type { CheckRunnerParts, RunningCheck } from './checks/runner.ts'
import type { DefinitionFiles } from './files/document.ts'
import { LimitedLines } from '../process/limited-lines.ts'
import type { LineKind } from '../process/limited-lines.ts'
import type { ScriptRights } from './checks/probes.ts'

export interface AgentParts {
  readonly identity: Identity
  /** Owned from now on: {@link Agent.stop} closes it. */
  readonly store: AgentStore<CheckRun>
  readonly propose: Writes['propose']
  readonly read: Reads<CatalogReader>['read']
  readonly probe: CheckRunnerParts['probe']
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly scripts: ScriptRights
  readonly probeConcurrency?: number
  readonly scriptConcurrency?: number
  /** The servers of the cluster. Another server with this node's name is not a member any more. */
  readonly memberIds?: () => ReadonlySet<string>
  /** Whether the catalog's rows of this node may have changed since `version` was that. */
  readonly version?: () => number
  readonly hasChangedSince?: (version: number) => boolean
  /** Default: ones of its own. */
  readonly lines?: LimitedLines
  /** The longest time between two comparisons with the catalog, for a small cluster. */
  readonly reconcileEveryMs?: number
  /** What a failed proposal waits at first, and at most. */
  readonly retryMsMin?: number
  readonly retryMsMax?: number
}

const failures: LineKind = {
  level: 'warn',
  rest: (count, seconds) => `${count} more critical or warning results in the last ${seconds} s`,
}
const recoveries: LineKind = {
  level: 'info',
  rest: (count, seconds) => `${count} more checks became passing in the last ${seconds} s`,
}

const probeConcurrencyDefault = 256
const scriptConcurrencyDefault = 32
const causeLengthMax = 200
const saveEveryMs = 1000
const saveAtOnceMax = 500

/** The services and checks of this agent: agent.db, the checks that run, and their entries in the catalog. */
export class Agent implements LocalAgent {
  readonly #parts: AgentParts
  readonly #runner: CheckRunner
  readonly #sync: AgentSync
  readonly #registrations: AgentRegistrations
  readonly #antiEntropy: AntiEntropy
  readonly #lines: LimitedLines
  #timer: NodeJS.Timeout | undefined
  #registered: Promise<void> | undefined
  /** Another server has this node's name, and lives: nothing may be written under it. */
  #nameTaken: SvcdError | undefined
  #stopped = false

  constructor(parts: AgentParts) {
    const { identity, store, propose, clock, random, logger } = parts
    this.#parts = parts
    this.#lines = parts.lines ?? new LimitedLines(logger, clock)
    this.#runner = new CheckRunner({
      clock,
      random,
      logger,
      probe: parts.probe,
      concurrency: parts.probeConcurrency ?? probeConcurrencyDefault,
      scriptConcurrency: parts.scriptConcurrency ?? scriptConcurrencyDefault,
      onStep: (check, step, cause) => this.#take(check, step, cause),
      onReap: (check) => this.#reap(check),
    })
    this.#sync = new AgentSync({
      identity,
      node: nodeDefinition(identity),
      store,
      runner: this.#runner,
      propose: (body, origin) =>
        this.#nameTaken === undefined ? propose(body, origin) : Promise.reject(this.#nameTaken),
      changeLog: new ChangeLog({ lines: this.#lines, read: parts.read, logger }),
      registerNode: () => this.#registerNode(),
      logger,
      random,
      retryMsMin: parts.retryMsMin ?? 250,
      retryMsMax: parts.retryMsMax ?? 15_000,
    })
    const own = { ...parts, runner: this.#runner, sync: this.#sync }
    this.#registrations = new AgentRegistrations({ ...own, isStopped: () => this.#stopped })
    this.#antiEntropy = new AntiEntropy({ ...own, registerNode: () => this.#registerNode() })
  }

  /**
   * Brings agent.db and the catalog together and runs the checks. Needs no leader: the proposals
   * are then on their way, see {@link registered}.
   */
  async start(files?: DefinitionFiles): Promise<void> {
    const { identity, store, read, clock, logger } = this.#parts
    const [runner, sync] = [this.#runner, this.#sync]
    await bootAgent({ identity, store, runner, sync, read, clock, logger })
    runner.start()
    if (files !== undefined) {
      applyDefinitionFiles(files, { ...this.#parts, sync, registrations: this.#registrations })
    }
    this.#antiEntropy.start()
    this.#timer = setInterval(() => this.#save(saveAtOnceMax), saveEveryMs)
    this.#timer.unref()
    this.#registered = this.#registerAll()
  }

  /**
   * Resolves when this node and what was due at the start have been proposed once. What failed, for
   * want of a leader most often, is tried again until it succeeds.
   */
  get registered(): Promise<void> {
    if (this.#stopped) return this.#registered ?? Promise.resolve()
    return must(this.#registered, 'the agent was started')
  }

  /**
   * Proposals that failed may succeed now, so they are not to wait any longer; and the catalog may
   * have lost what an earlier leader took.
   */
  onLeaderFound(): void {
    this.#antiEntropy.runSoon()
    void this.#registered?.then(async () => {
      if (!this.#stopped) await this.#sync.runNow()
    })
  }

  /** Ends checks and retries, saves what is left of TTLs, closes agent.db. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#timer)
    await Promise.all([this.#antiEntropy.stop(), this.#runner.stop()])
    await Promise.all([this.#registered, this.#sync.stop()])
    for (const check of this.#runner.all()) this.#saveCheck(check)
    this.#lines.flush()
    this.#parts.store.close()
  }

  async registerService(
    definition: AgentServiceDefinition,
    options: { readonly replaceExistingChecks: boolean },
    origin: Origin,
  ): Promise<ServiceRegistered> {
    this.#refuseStopped()
    return this.#registrations.registerService(definition, options, origin)
  }

  async deregisterService(id: string, origin: Origin): Promise<void> {
    this.#refuseStopped()
    await this.#registrations.deregisterService(id, origin)
  }

  async registerCheck(definition: AgentCheckDefinition, origin: Origin): Promise<void> {
    this.#refuseStopped()
    await this.#registrations.registerCheck(definition, origin)
  }

  async deregisterCheck(id: string, origin: Origin): Promise<void> {
    this.#refuseStopped()
    await this.#registrations.deregisterCheck(id, origin)
  }

  /** Probes that could not be made here, usually because no descriptor was free. */
  get unprobed(): number {
    return this.#runner.unprobed
  }

  /** Takes over what files define now, and drops what they defined before. Never rejects. */
  async load(files: DefinitionFiles): Promise<FilesReport> {
    if (this.#stopped) return { taken: [], leftOut: [], heldBack: [] }
    const report = applyDefinitionFiles(files, {
      ...this.#parts,
      sync: this.#sync,
      registrations: this.#registrations,
    })
    await this.#sync.runNow()
    return report
  }

  /** Makes the catalog say of this node what agent.db says, as it does by itself from time to time. */
  reconcile(): Promise<void> {
    return this.#antiEntropy.run()
  }

  /** Lets the catalog forget this node, while it leaves the cluster. */
  pauseReconciling(isPaused: boolean): void {
    this.#antiEntropy.pause(isPaused)
  }

  async updateTtl(id: string, status: Status, output: string, origin: Origin): Promise<void> {
    this.#refuseStopped()
    const check = this.#runner.get(id)
    if (check === undefined && this.#parts.store.check(id) === undefined) {
      throw svcdError('unknown-check-id', { id })
    }
    if (check?.plan.kind !== 'ttl') throw svcdError('not-a-ttl-check', { id })
    const step = this.#runner.report(check, status, output)
    if (step.isNews) this.#logStatus(check, output.slice(0, causeLengthMax), whoOf(origin))
    // A heartbeat costs nothing, unless the catalog does not say yet what it confirms.
    if (step.propose || this.#sync.isTelling(check)) await this.#sync.tell(check, origin)
  }

  *services(): Generator<Service, void> {
    for (const stored of this.#parts.store.services()) yield this.#serviceOf(stored)
  }

  servicesNamed(name: string): readonly Service[] {
    return this.#parts.store.servicesNamed(name).map((stored) => this.#serviceOf(stored))
  }

  service(id: string): Service | undefined {
    const stored = this.#parts.store.service(id)
    return stored === undefined ? undefined : this.#serviceOf(stored)
  }

  *checks(): Generator<Check, void> {
    // The checks of a service most often follow one another.
    let last: { readonly id: string; readonly service: Service | undefined } | undefined
    for (const stored of this.#parts.store.checks()) {
      const { serviceId: id } = stored.check
      if (last?.id !== id) last = { id, service: this.service(id) }
      yield this.#checkOf(stored, last.service)
    }
  }

  checksOfService(serviceId: string): readonly Check[] {
    const service = this.service(serviceId)
    const stored = this.#parts.store.checksOfService(serviceId)
    return stored.map((check) => this.#checkOf(check, service))
  }

  hasCheck(id: string): boolean {
    return this.#parts.store.check(id) !== undefined
  }

  serviceIdOfCheck(id: string): string | undefined {
    return this.#parts.store.check(id)?.check.serviceId
  }

  counts(): { readonly services: number; readonly checks: number } {
    return this.#parts.store.counts()
  }

  #serviceOf({ service, syncedIndex = 0 }: StoredService): Service {
    const node = this.#parts.identity.nodeName
    // Added fields stand first: behind a spread of parsed JSON they make V8 keep a shape for each
    // object, and a long list then costs long collections.
    return { node, createIndex: syncedIndex, modifyIndex: syncedIndex, ...service }
  }

  #checkOf({ check, syncedIndex = 0 }: StoredCheck<CheckRun>, service: Service | undefined): Check {
    const state = this.#runner.get(check.checkId)?.state ?? check
    return {
      node: this.#parts.identity.nodeName,
      serviceName: service?.name ?? '',
      serviceTags: service?.tags ?? [],
      createIndex: syncedIndex,
      modifyIndex: syncedIndex,
      ...check,
      status: state.status,
      evidence: state.evidence ?? '',
      output: state.output,
    }
  }

  async #registerAll(): Promise<void> {
    try {
      await this.#registerNode()
    } catch (error) {
      if (this.#stopped) return
      const { logger } = this.#parts
      logger.warn({ reason: reasonOf(error) }, 'cannot register this node yet; retrying')
      this.#sync.later('node', '')
    }
    if (!this.#stopped) await this.#sync.runNow()
  }

  async #registerNode(): Promise<void> {
    const { identity, read, propose, memberIds } = this.#parts
    const { nodeName: name, nodeId } = identity
    const holder = read((catalog) => nameHolder(catalog, name, nodeId))
    this.#nameTaken =
      holder !== undefined && memberIds?.().has(holder.id) === true
        ? svcdError('node-name-taken', { name, id: holder.id, address: holder.address })
        : undefined
    if (this.#nameTaken !== undefined) throw this.#nameTaken
    const origin: Origin = { actor: `agent ${name}`, cause: 'start' }
    const command = read((catalog) => selfRegistration(identity, catalog))
    if (command !== undefined) await propose(command, origin)
    // Left by a release that did not know a renamed node again.
    const namesakes = read((catalog) => catalog.nodesWithId(nodeId))
    for (const { name: other } of namesakes) {
      if (other.toLowerCase() === name.toLowerCase()) continue
      await propose({ kind: 'deregister', nodeName: other }, origin)
    }
  }

  #take(check: RunningCheck, { propose, isNews }: Step, cause: string): void {
    const { checkId } = check
    if (isNews) this.#logStatus(check, cause)
    if (!propose) return
    // What fails is logged there, and tried again.
    this.#sync.tell(check, { actor: `check ${checkId}`, cause }).catch(() => {})
  }

  #logStatus({ checkId, serviceId, state }: RunningCheck, cause: string, who: object = {}): void {
    const { status } = state
    this.#lines.write(status === 'passing' ? recoveries : failures, () => ({
      fields: { check: checkId, ...named({ service: serviceId, cause }), ...who },
      message: `check is now ${status}`,
    }))
  }

  #reap({ checkId, serviceId, rules }: RunningCheck): void {
    const cause = `critical for ${formatDuration(rules.deregisterAfterMs)}`
    this.#parts.logger.info({ check: checkId, service: serviceId }, `deregistering: ${cause}`)
    this.deregisterService(serviceId, { actor: `check ${checkId}`, cause }).catch((error) => {
      const fields = { service: serviceId, reason: reasonOf(error) }
      this.#parts.logger.warn(fields, 'cannot deregister a service yet; retrying')
    })
  }

  #save(limit: number): void {
    for (const check of this.#runner.takeUnsaved(limit)) this.#saveCheck(check)
  }

  #saveCheck(check: RunningCheck): void {
    const { status, evidence, output } = check.state
    this.#parts.store.saveProgress({
      checkId: check.checkId,
      status,
      evidence,
      output,
      ttlLeftMs: this.#runner.ttlLeftMs(check),
      savedWallMs: this.#parts.clock.wallMs(),
    })
  }

  #refuseStopped(): void {
    if (this.#stopped) throw svcdError('stopping', {})
  }
}
