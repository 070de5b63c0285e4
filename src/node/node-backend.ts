import type {
  Backend,
  Diagnosis,
  HostFacts,
  Identity,
  LocalAgent,
  LogFollower,
  NodeLog,
  Origin,
  ReloadReport,
  Restored,
  ServerHealth,
  SnapshotArchive,
  Statistics,
  Wait,
} from '../ports/backend.ts'
import { SvcdError, svcdError } from '../base/errors.ts'
import type { AnyMetric } from '../base/metric.ts'
import type { CommandBody } from '../state/families.ts'
import type { Outcome } from '../state/machine/command.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { Versions } from '../state/machine/versions.ts'
import type { Config } from '../config/options.ts'
import { redactText } from '../config/redact.ts'
import type { StateReader } from '../storage/state.ts'
import type { ChangeLog } from '../agent/change-log.ts'
import type { ChangeWaiters } from './change-waiters.ts'
import type { ConnectionFigures } from './connections.ts'
import { diagnosis } from './diagnosis.ts'
import type { DnsService } from '../resolver/service.ts'
import { hostFacts } from '../process/host-facts.ts'
import { leaveCluster } from './leaving.ts'
import type { Replica } from '../replica/replica.ts'
import type { SlicedReads } from './sliced-reads.ts'
import type { SnapshotService } from '../archive/service.ts'
import { nodeMetrics } from './metrics.ts'
import { statistics } from './statistics.ts'
import { trailingEntries } from '../replica/trailing-entries.ts'

export interface NodeBackendParts {
  readonly identity: Identity
  readonly agent: LocalAgent
  readonly replica: Replica
  readonly state: StateReader
  readonly sliced: SlicedReads
  readonly versions: Versions
  readonly waiters: ChangeWaiters
  /** Who changed what. */
  readonly changeLog: ChangeLog
  readonly snapshots: SnapshotService
  readonly config: Config
  readonly log: NodeLog
  /** The data directory. */
  readonly directory: string
  readonly reload: () => Promise<ReloadReport>
  /** It begins to leave the cluster, or does not leave after all. */
  readonly onLeaving: (isLeaving: boolean) => void
  /** Undefined: this node answers no DNS. */
  readonly dns: DnsService | undefined
  readonly connections: () => ConnectionFigures
  /** Probes that could not be made. */
  readonly unprobed: () => number
}

/** The node as the HTTP API sees it. */
export class NodeBackend implements Backend {
  readonly identity: Identity
  readonly agent: LocalAgent
  readonly #parts: NodeBackendParts
  #onLeft = (): void => {}
  /** Resolves when this server is not a member any more: it has nothing left to do. */
  readonly left = new Promise<void>((resolve) => {
    this.#onLeft = resolve
  })

  constructor(parts: NodeBackendParts) {
    this.identity = parts.identity
    this.agent = parts.agent
    this.#parts = parts
  }

  propose(body: CommandBody, origin: Origin): Promise<Outcome> {
    const { changeLog, replica } = this.#parts
    return changeLog.around(body, origin, () => replica.propose(body, origin))
  }

  barrier(): Promise<void> {
    return this.#parts.replica.barrier()
  }

  read<T>(query: (catalog: CatalogReader) => T): T {
    this.#refuseDamaged()
    return this.#parts.state.read(query)
  }

  readSliced<T>(steps: (catalog: CatalogReader) => Generator<void, T>): Promise<T> {
    this.#refuseDamaged()
    return this.#parts.sliced.run(steps)
  }

  #refuseDamaged(): void {
    const reason = this.#parts.replica.status?.damage
    // Unlike others that are out of service, not even as stale.
    if (reason !== undefined) throw svcdError('state-damaged', { reason })
  }

  version(): number {
    return this.#parts.versions.of('catalog').applied
  }

  waitForChange(subject: string, since: number, timeoutMs: number): Wait {
    return this.#parts.waiters.wait('catalog', subject, since, timeoutMs)
  }

  isLeader(): boolean {
    return this.#parts.replica.status?.isLeaderReady === true
  }

  outOfService(): Error | undefined {
    return this.#parts.replica.outOfService()
  }

  isAlone(): boolean {
    return this.#parts.replica.isAlone
  }

  leader(): string {
    return this.#parts.replica.status?.leader?.address ?? ''
  }

  peers(): readonly string[] {
    const servers = this.#parts.replica.status?.servers ?? []
    return servers.filter(({ isVoter }) => isVoter).map(({ address }) => address)
  }

  lastContactMs(): number {
    return this.isLeader() ? 0 : Math.max(0, this.#parts.replica.contactAgeMs)
  }

  cluster(): ReturnType<Backend['cluster']> {
    const { status } = this.#parts.replica
    return {
      index: status?.configIndex ?? 0,
      servers: (status?.servers ?? []).map(({ id, address, isVoter, isLeader, lastIndex }) => ({
        id,
        address,
        isVoter,
        isLeader,
        lastIndex: lastIndex ?? 0,
      })),
    }
  }

  async operate(operation: Parameters<Backend['operate']>[0]): Promise<string> {
    const { replica } = this.#parts
    if (operation.kind !== 'leave') return replica.operate(operation)
    this.#parts.onLeaving(true)
    try {
      const id = await leaveCluster({
        identity: this.identity,
        read: (query) => this.read(query),
        propose: (body, origin) => this.propose(body, origin),
        cluster: () => this.cluster(),
        outOfService: () => this.outOfService(),
        leave: () => replica.operate(operation),
      })
      this.#onLeft()
      return id
    } catch (error) {
      this.#parts.onLeaving(false)
      throw error
    }
  }

  reload(): Promise<ReloadReport> {
    return this.#parts.reload()
  }

  metrics(): readonly AnyMetric[] {
    const { identity, replica, dns } = this.#parts
    const connections = this.#parts.connections()
    const unprobed = this.#parts.unprobed()
    const { status, contactAgeMs, tickDelays } = replica
    const replicaHeapBytes = replica.heapBytes
    // A damaged server still says how it is.
    const read = <T>(query: (catalog: CatalogReader) => T): T => this.#parts.state.read(query)
    const raft = { status, contactAgeMs, tickDelays, replicaHeapBytes }
    return nodeMetrics({ identity, ...raft, dns, read, connections, unprobed })
  }

  statistics(): Statistics {
    const { replica, state } = this.#parts
    return statistics({
      nodeId: this.identity.nodeId,
      status: replica.status,
      appliedIndex: state.read((catalog) => catalog.appliedIndex()),
      lastContactMs: this.lastContactMs(),
    })
  }

  diagnosis(): Diagnosis {
    const { config, replica, log } = this.#parts
    return diagnosis({ config, status: replica.status, log: log.recent() })
  }

  followLog({ level, json = false, write }: LogFollower): () => void {
    return this.#parts.log.follow({ level, json, write: (line) => write(redactText(line)) })
  }

  host(): HostFacts {
    return hostFacts(this.#parts.directory)
  }

  autopilot(): ReturnType<Backend['autopilot']> {
    const silenceMsMax = this.#parts.config.memberTimeoutSeconds * 1000
    return { silenceMsMax, trailingMax: trailingEntries }
  }

  async serverHealth({
    mayAsk,
  }: {
    mayAsk: boolean
  }): Promise<readonly ServerHealth[] | undefined> {
    const { replica } = this.#parts
    if (!mayAsk && replica.status?.role !== 'leader') return undefined
    try {
      return JSON.parse(await replica.operate({ kind: 'health' })) as readonly ServerHealth[]
    } catch (error) {
      // A leader of an older release does not know the question; without a leader the answer is
      // unknown.
      if (error instanceof SvcdError) return undefined
      throw error
    }
  }

  snapshot(): Promise<SnapshotArchive> {
    return this.#parts.snapshots.save()
  }

  restore(archive: AsyncIterable<Uint8Array>, origin: Origin): Promise<Restored> {
    return this.#parts.snapshots.restore(archive, origin)
  }
}
