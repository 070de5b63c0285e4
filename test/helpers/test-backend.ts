import { join } from 'node:path'
import type {
  AgentCheckDefinition,
  AgentServiceDefinition,
} from '../../src/definition/agent-definition.ts'
import type { LocalAgent, ServiceRegistered } from '../../src/ports/agent.ts'
import type { Backend } from '../../src/ports/backend.ts'
import type {
  ClusterOperation,
  ClusterServer,
  JoinResult,
  ServerHealth,
} from '../../src/ports/cluster.ts'
import type { Diagnosis, HostFacts, Statistics } from '../../src/ports/facts.ts'
import type { LogFollower } from '../../src/ports/log.ts'
import type { ReloadReport } from '../../src/ports/reload.ts'
import type { Restored, SnapshotArchive } from '../../src/ports/snapshots.ts'
import type { Wait } from '../../src/ports/waits.ts'
import type { Origin } from '../../src/ports/writes.ts'
import { must } from '../../src/base/assert.ts'
import { svcdError } from '../../src/base/errors.ts'
import type { AnyMetric } from '../../src/base/metric.ts'
import type { CommandBody } from '../../src/state/families.ts'
import type { Outcome } from '../../src/state/machine/command.ts'
import type { Check, NodeDefinition, Service, Status } from '../../src/state/catalog/model.ts'
import { openVersions } from '../../src/state/families.ts'
import { catalogFamily } from '../../src/state/catalog/family.ts'
import type { ReadableFamily } from '../../src/state/machine/family.ts'
import type { FamilyReads } from '../../src/ports/reads.ts'
import type { CatalogReader } from '../../src/state/catalog/query.ts'
import { emptyConfig } from '../../src/raft/config.ts'
import { silentLogger } from '../../src/base/log.ts'
import { AgentLog } from '../../src/process/log.ts'
import { hostFacts } from '../../src/process/host-facts.ts'
import { ChangeWaiters } from '../../src/reads/change-waiters.ts'
import { SnapshotService } from '../../src/archive/service.ts'
import { SnapshotStore } from '../../src/storage/snapshot/snapshot.ts'
import { runSnapshotJob } from '../../src/storage/snapshot/job.ts'
import type { RunSnapshotJob } from '../../src/storage/snapshot/worker.ts'
import { StateReader, StateWriter } from '../../src/storage/state.ts'

const node: NodeDefinition = {
  name: 'n1',
  id: '11111111-2222-3333-4444-555555555555',
  address: '127.0.0.1',
  taggedAddresses: { lan: '127.0.0.1', lan_ipv4: '127.0.0.1' },
  meta: {},
}

const testConfig = { ...emptyConfig, voters: [node.id], addresses: { [node.id]: '127.0.0.1:8300' } }

/** In this thread: the start of another one takes longer than any test (test/storage has that). */
const run: RunSnapshotJob = async (job) => runSnapshotJob(job)

/** One command as the log would carry it. */
export interface Proposed {
  readonly body: CommandBody
  readonly origin: Origin
}

/**
 * A backend over a real catalog in a file: commands are applied in place of a log, and the agent
 * keeps its definitions in memory and runs no checks.
 */
export class TestBackend implements Backend {
  readonly identity = {
    nodeName: node.name,
    nodeId: node.id,
    datacenter: 'dc1',
    server: true,
    version: '0.1.0',
    address: '127.0.0.1',
    domain: 'consul',
    ports: { http: 8500, dns: 8600, server: 8300 },
  }
  readonly agent: LocalAgent
  readonly directory: string
  readonly proposed: Proposed[] = []
  leaderAddress = '127.0.0.1:8300'
  contactMs = 0
  /** How many reads asked for a barrier. */
  barriers = 0
  isLeading = true
  /** How often definitions and zones were to be read again. */
  reloads = 0
  servers: ClusterServer[] = [
    { id: node.id, address: '127.0.0.1:8300', isVoter: true, isLeader: true, lastIndex: 1 },
  ]
  /** What its leader tells of the servers. */
  healths: readonly ServerHealth[] | undefined
  /** What {@link followLog} follows. */
  readonly log = new AgentLog({ level: 'info', write: () => {} })
  /** What {@link metrics} tells. */
  figures: readonly AnyMetric[] = []
  /** What operators asked for, in order. */
  readonly operations: ClusterOperation[] = []
  joinResult: JoinResult = 'waiting'
  /** Set, it is what the next operation fails with. */
  refusal: Error | undefined
  readonly #writer: StateWriter
  readonly #reader: StateReader
  readonly #versions = openVersions()
  readonly #waiters = new ChangeWaiters(this.#versions)
  readonly #snapshots: SnapshotService
  #index = 0

  /** `directory` is an empty one; state.db is made in it. */
  constructor(directory: string) {
    this.directory = directory
    const store = new SnapshotStore({
      directory: join(directory, 'snapshots'),
      statePath: join(directory, 'state.db'),
      identity: () => ({ clusterId: 'c1', epoch: 0 }),
      current: () => undefined,
      run,
    })
    this.#writer = new StateWriter(`${directory}/state.db`)
    this.#reader = new StateReader(`${directory}/state.db`)
    this.#snapshots = new SnapshotService({
      dataDirectory: directory,
      makeSnapshot: async () =>
        must(await store.create(() => ({ index: 1, config: testConfig }))).path,
      propose: (body, origin) => this.propose(body, origin),
      state: this.#reader,
      memberIds: () => new Set(this.servers.map(({ id }) => id)),
      logger: silentLogger,
      run,
    })
    this.agent = new TestAgent(this)
    this.apply({ kind: 'register', nodeName: node.name, node, checks: [], replaceChecks: false })
  }

  close(): void {
    this.#reader.close()
    this.#writer.close()
  }

  /** How many reads wait for a change right now. */
  get waiting(): number {
    return this.#waiters.count
  }

  apply(body: CommandBody): Outcome {
    const index = ++this.#index
    const origin = { requestId: `r${index}`, actor: 'test', cause: 'test' }
    const command = { version: 1 as const, timeMs: index, body, ...origin }
    const { outcomes, subjects } = this.#writer.applyBatch([{ index, term: 1, command }])
    this.#versions.bump(subjects)
    this.#waiters.changed()
    return must(outcomes[0])
  }

  async propose(body: CommandBody, origin: Origin): Promise<Outcome> {
    if (this.leaderAddress === '') throw svcdError('no-leader', {})
    this.proposed.push({ body, origin })
    return this.apply(body)
  }

  async barrier(): Promise<void> {
    this.barriers++
    if (this.leaderAddress === '') throw svcdError('no-leader', {})
  }

  isLeader(): boolean {
    return this.isLeading && this.leaderAddress !== ''
  }

  outOfService(): Error | undefined {
    return undefined
  }

  isAlone(): boolean {
    return this.isLeader()
  }

  cluster(): { readonly index: number; readonly servers: readonly ClusterServer[] } {
    return { index: 7, servers: this.servers }
  }

  async operate(operation: ClusterOperation): Promise<string> {
    this.operations.push(operation)
    if (this.refusal !== undefined) throw this.refusal
    return operation.kind === 'join' ? this.joinResult : 'done'
  }

  /** What a reload tells. */
  reloaded: ReloadReport = { taken: [], leftOut: [], heldBack: [], restartNeeded: [] }

  async reload(): Promise<ReloadReport> {
    this.reloads++
    if (this.refusal !== undefined) throw this.refusal
    return this.reloaded
  }

  snapshot(): Promise<SnapshotArchive> {
    return this.#snapshots.snapshot()
  }

  restore(archive: AsyncIterable<Uint8Array>, origin: Origin): Promise<Restored> {
    return this.#snapshots.restore(archive, origin)
  }

  read<T>(query: (catalog: CatalogReader) => T): T {
    return this.#reader.read(query)
  }

  /** Reads that were long enough to be sliced. */
  sliced = 0

  readSliced<T>(steps: (catalog: CatalogReader) => Generator<void, T>): Promise<T> {
    return this.#sliced(catalogFamily, steps)
  }

  readonly #families = new Map<string, FamilyReads<unknown>>()

  of<R>(family: ReadableFamily<R>): FamilyReads<R> {
    const { name } = family
    const known = this.#families.get(name) as FamilyReads<R> | undefined
    if (known !== undefined) return known
    const reader = this.#reader.of(family)
    const reads: FamilyReads<R> = {
      read: (query) => this.read(() => query(reader)),
      readSliced: (steps) => this.#sliced(family, steps),
      version: () => this.#versions.of(name).applied,
      waitForChange: (subject, since, timeoutMs) =>
        this.#waiters.wait(name, subject, since, timeoutMs),
    }
    this.#families.set(name, reads)
    return reads
  }

  async #sliced<R, T>(
    family: ReadableFamily<R>,
    steps: (reader: R) => Generator<void, T>,
  ): Promise<T> {
    this.sliced++
    await new Promise((resolve) => setImmediate(resolve))
    return this.read(() => {
      const running = steps(this.#reader.of(family))
      for (;;) {
        const next = running.next()
        if (next.done === true) return next.value
      }
    })
  }

  version(): number {
    return this.#versions.of('catalog').applied
  }

  waitForChange(subject: string, since: number, timeoutMs: number): Wait {
    return this.#waiters.wait('catalog', subject, since, timeoutMs)
  }

  metrics(): readonly AnyMetric[] {
    return this.figures
  }

  statistics(): Statistics {
    return { raft: { state: 'Leader', term: '2' }, runtime: { os: 'linux' } }
  }

  diagnosis(): Diagnosis {
    return { config: {}, raft: {}, log: ['a line'], resources: {} }
  }

  /** How many follow the log over the API. */
  followed = 0

  followLog(follower: LogFollower): () => void {
    const unfollow = this.log.follow(follower)
    this.followed++
    return () => {
      this.followed--
      unfollow()
    }
  }

  host(): HostFacts {
    return hostFacts(this.directory)
  }

  autopilot(): { readonly silenceMsMax: number; readonly trailingMax: number } {
    return { silenceMsMax: 3000, trailingMax: 10_000 }
  }

  async serverHealth(): Promise<readonly ServerHealth[] | undefined> {
    return this.healths
  }

  leader(): string {
    return this.leaderAddress
  }

  peers(): readonly string[] {
    return this.servers.map(({ address }) => address)
  }

  lastContactMs(): number {
    return this.contactMs
  }
}

class TestAgent implements LocalAgent {
  readonly #backend: TestBackend
  readonly #checks = new Map<string, AgentCheckDefinition>()

  constructor(backend: TestBackend) {
    this.#backend = backend
  }

  /** How a check is run, as the API asked for it. */
  plan(checkId: string): AgentCheckDefinition | undefined {
    return this.#checks.get(checkId)
  }

  async registerService(
    { service, checks }: AgentServiceDefinition,
    options: { readonly replaceExistingChecks: boolean },
    origin: Origin,
  ): Promise<ServiceRegistered> {
    const replaced = this.service(service.id)?.name
    await this.#backend.propose(
      {
        kind: 'register',
        nodeName: node.name,
        service,
        checks: checks.map(({ check }) => check),
        replaceChecks: options.replaceExistingChecks,
      },
      origin,
    )
    for (const check of checks) this.#checks.set(check.check.checkId, check)
    return { replaced }
  }

  async deregisterService(id: string, origin: Origin): Promise<void> {
    if (this.service(id) === undefined) throw svcdError('unknown-service-id', { id })
    const body = { kind: 'deregister', nodeName: node.name, serviceId: id } as const
    await this.#backend.propose(body, origin)
  }

  async registerCheck(definition: AgentCheckDefinition, origin: Origin): Promise<void> {
    const checks = [definition.check]
    await this.#backend.propose(
      { kind: 'register', nodeName: node.name, checks, replaceChecks: false },
      origin,
    )
    this.#checks.set(definition.check.checkId, definition)
  }

  async deregisterCheck(id: string, origin: Origin): Promise<void> {
    if (!this.#checks.delete(id)) throw svcdError('unknown-check-id', { id })
    const body = { kind: 'deregister', nodeName: node.name, checkId: id } as const
    await this.#backend.propose(body, origin)
  }

  async updateTtl(id: string, status: Status, output: string, origin: Origin): Promise<void> {
    const check = this.#checks.get(id)
    if (check === undefined) throw svcdError('unknown-check-id', { id })
    if (check.plan.kind !== 'ttl') throw svcdError('not-a-ttl-check', { id })
    const body = { kind: 'update-check', nodeName: node.name, checkId: id, status, output } as const
    await this.#backend.propose(body, origin)
  }

  services(): readonly Service[] {
    return this.#backend.read((catalog) => catalog.servicesOfNode(node.name))
  }

  servicesNamed(name: string): readonly Service[] {
    return this.services().filter((service) => service.name === name)
  }

  service(id: string): Service | undefined {
    return this.#backend.read((catalog) => catalog.service(node.name, id))
  }

  checks(): readonly Check[] {
    return this.#backend.read((catalog) => catalog.checksOfNode(node.name))
  }

  checksOfService(serviceId: string): readonly Check[] {
    return this.checks().filter((check) => check.serviceId === serviceId)
  }

  hasCheck(id: string): boolean {
    return this.checks().some((check) => check.checkId === id)
  }

  counts(): { readonly services: number; readonly checks: number } {
    return { services: this.services().length, checks: this.checks().length }
  }
}
