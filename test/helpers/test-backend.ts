import { join } from 'node:path'
import { Agent } from '../../src/agent/agent.ts'
import type { CheckRun } from '../../src/agent/checks/definition.ts'
import { selfRegistration } from '../../src/agent/node-registration.ts'
import type { Backend } from '../../src/ports/backend.ts'
import type {
  ClusterOperation,
  ClusterServer,
  JoinResult,
  ServerHealth,
} from '../../src/ports/cluster.ts'
import type { Diagnosis, HostFacts, Statistics } from '../../src/ports/facts.ts'
import type { LogFollower } from '../../src/ports/log.ts'
import type { FamilyReads } from '../../src/ports/reads.ts'
import type { ReloadReport } from '../../src/ports/reload.ts'
import type { Sessions } from '../../src/ports/sessions.ts'
import type { Restored, SnapshotArchive } from '../../src/ports/snapshots.ts'
import type { Wait } from '../../src/ports/waits.ts'
import type { Origin } from '../../src/ports/writes.ts'
import { must } from '../../src/base/assert.ts'
import { svcdError } from '../../src/base/errors.ts'
import type { AnyMetric } from '../../src/base/metric.ts'
import { openVersions } from '../../src/state/families.ts'
import type { CommandBody } from '../../src/state/families.ts'
import { catalogFamily } from '../../src/state/catalog/family.ts'
import { sessionFamily } from '../../src/state/session/family.ts'
import type { ReadableFamily } from '../../src/state/machine/family.ts'
import type { Outcome } from '../../src/state/machine/command.ts'
import type { CatalogReader } from '../../src/state/catalog/query.ts'
import { emptyConfig } from '../../src/raft/config.ts'
import { silentLogger } from '../../src/base/log.ts'
import { AgentLog } from '../../src/process/log.ts'
import { hostFacts } from '../../src/process/host-facts.ts'
import type { ProbeResult } from '../../src/probes/result.ts'
import { NodeHistory } from '../../src/observe/history/node-history.ts'
import { ChangeWaiters } from '../../src/reads/change-waiters.ts'
import { LocalReads } from '../../src/reads/local-reads.ts'
import { SlicedReads } from '../../src/reads/sliced-reads.ts'
import { AgentStore } from '../../src/storage/agent/store.ts'
import { SnapshotService } from '../../src/archive/service.ts'
import { SnapshotStore } from '../../src/storage/snapshot/snapshot.ts'
import { runSnapshotJob } from '../../src/storage/snapshot/job.ts'
import type { RunSnapshotJob } from '../../src/storage/snapshot/worker.ts'
import { StateReader, StateWriter } from '../../src/storage/state.ts'

const nodeId = '11111111-2222-3333-4444-555555555555'

const testConfig = { ...emptyConfig, voters: [nodeId], addresses: { [nodeId]: '127.0.0.1:8300' } }

/** In this thread: the start of another one takes longer than any test (test/storage has that). */
const run: RunSnapshotJob = async (job) => runSnapshotJob(job)

/** One command as the log would carry it. */
export interface Proposed {
  readonly body: CommandBody
  readonly origin: Origin
}

/** No host of these tests can be probed, which says nothing of its services. */
const unprobed: ProbeResult = { status: 'critical', output: 'not probed', evidence: 'none' }

/**
 * A node without a log and without a network: the agent, its files, the catalog and the reads of it are
 * those of a node. Commands are applied at once, the cluster is what a test says, time stands still, and
 * nothing can be probed.
 */
export class TestBackend implements Backend {
  readonly identity = {
    nodeName: 'n1',
    nodeId,
    datacenter: 'dc1',
    server: true,
    version: '0.1.0',
    address: '127.0.0.1',
    domain: 'consul',
    ports: { http: 8500, dns: 8600, server: 8300 },
  }
  readonly agent: Agent
  /** Resolves when the agent has started. */
  readonly ready: Promise<void>
  /** What both clocks of the agent show. */
  nowMs = 0
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
    { id: nodeId, address: '127.0.0.1:8300', isVoter: true, isLeader: true, lastIndex: 1 },
  ]
  /** What its leader tells of the servers. */
  healths: readonly ServerHealth[] | undefined
  /** What {@link followLog} follows. */
  readonly log = new AgentLog({ level: 'info', write: () => {} })
  /** What {@link metrics} tells. */
  figures: readonly AnyMetric[] = []
  /** DNS answers by response code. */
  readonly questions = new Map<string, number>()
  /** What operators asked for, in order. */
  readonly operations: ClusterOperation[] = []
  joinResult: JoinResult = 'waiting'
  /** Set, it is what the next operation fails with. */
  refusal: Error | undefined
  /** What it has recorded: `sample()` records the present. */
  readonly history: NodeHistory
  /** How long nobody may lock any key. */
  lockDelayLeftMs = 0
  readonly sessions: Sessions = {
    renew: async (id) => {
      if (this.refusal !== undefined) throw this.refusal
      return this.of(sessionFamily).read((reader) => reader.session(id))
    },
    lockDelayMs: async () => {
      if (this.refusal !== undefined) throw this.refusal
      return this.lockDelayLeftMs
    },
  }
  readonly #writer: StateWriter
  readonly #reader: StateReader
  readonly #versions = openVersions()
  readonly #waiters = new ChangeWaiters(this.#versions)
  readonly #sliced: SlicedReads
  readonly #local: LocalReads
  readonly #reads: FamilyReads<CatalogReader>
  readonly #definitions: AgentStore<CheckRun>
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
    const statePath = join(directory, 'state.db')
    this.#writer = new StateWriter(statePath)
    this.#reader = new StateReader(statePath)
    this.#sliced = new SlicedReads(statePath, () => {})
    this.#local = new LocalReads({
      state: this.#reader,
      sliced: this.#sliced,
      versions: this.#versions,
      waiters: this.#waiters,
      damage: () => undefined,
    })
    this.#reads = this.#local.of(catalogFamily)
    this.history = this.#openHistory()
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
    // What an agent finds that has run before.
    this.apply(must(this.#reader.read((catalog) => selfRegistration(this.identity, catalog))))
    this.#definitions = new AgentStore(join(directory, 'agent.db'), {
      onLost: (error) => {
        throw error
      },
    })
    this.agent = this.#openAgent()
    this.ready = this.agent.start().then(() => this.agent.registered)
  }

  #openHistory(): NodeHistory {
    return new NodeHistory({
      clock: { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs },
      questions: () => this.questions,
      lag: () => new Map([[nodeId, 0]]),
      catalog: this.#reads,
    })
  }

  #openAgent(): Agent {
    return new Agent({
      identity: this.identity,
      store: this.#definitions,
      propose: (body, origin) => this.propose(body, origin),
      read: (query) => this.#reader.read(query),
      probe: async () => unprobed,
      clock: { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs },
      random: () => 0.5,
      logger: silentLogger,
      scripts: { file: true, agent: true },
      memberIds: () => new Set(this.servers.map(({ id }) => id)),
    })
  }

  async close(): Promise<void> {
    await this.ready
    await this.agent.stop()
    await this.#sliced.close()
    this.#reader.close()
    this.#writer.close()
  }

  /** How the agent runs a check. */
  runOf(checkId: string): CheckRun | undefined {
    return this.#definitions.check(checkId)?.run
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

  /** Called while a read makes sure that it sees the newest state. */
  onBarrier = (): void => {}

  async barrier(): Promise<void> {
    this.barriers++
    this.onBarrier()
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
    return this.#reads.read(query)
  }

  /** Reads that were long enough to be sliced. */
  sliced = 0

  readSliced<T>(steps: (catalog: CatalogReader) => Generator<void, T>): Promise<T> {
    this.sliced++
    return this.#reads.readSliced(steps)
  }

  /** That of the catalog is this one, which counts. */
  of<R>(family: ReadableFamily<R>): FamilyReads<R> {
    if (family.name === catalogFamily.name) return this as unknown as FamilyReads<R>
    return this.#local.of(family)
  }

  version(): number {
    return this.#reads.version()
  }

  unchanged(subject: string): (since: number) => boolean {
    return this.#reads.unchanged(subject)
  }

  waitForChange(subject: string, since: number, timeoutMs: number): Wait {
    return this.#reads.waitForChange(subject, since, timeoutMs)
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
