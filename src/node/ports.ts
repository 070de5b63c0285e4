import type { Agent } from '../agent/agent.ts'
import { ChangeLog, loggedWrites } from '../agent/change-log.ts'
import type { SnapshotService } from '../archive/service.ts'
import type { Clock } from '../base/clock.ts'
import { reasonOf } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import { NodeHistory } from '../observe/history/node-history.ts'
import { serverLag } from '../observe/history/server-lag.ts'
import { followedLog } from '../observe/followed-log.ts'
import { nodeFacts } from '../observe/node-facts.ts'
import type { NodeFactsParts } from '../observe/node-facts.ts'
import type { Backend } from '../ports/backend.ts'
import type { FamilyReads } from '../ports/reads.ts'
import type { Reload } from '../ports/reload.ts'
import type { LimitedLines } from '../process/limited-lines.ts'
import type { ChangeWaiters } from '../reads/change-waiters.ts'
import { LocalReads } from '../reads/local-reads.ts'
import type { SlicedReads } from '../reads/sliced-reads.ts'
import { clusterView } from '../replica/cluster/cluster-view.ts'
import { sessionsAtLeader } from '../replica/session-view.ts'
import { answersByRcode } from '../resolver/metrics.ts'
import { freshnessOf } from '../replica/freshness.ts'
import { catalogFamily } from '../state/catalog/family.ts'
import { sessionFamily } from '../state/session/family.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { Versions } from '../state/machine/versions.ts'
import type { StateReader } from '../storage/state.ts'
import { leavable } from './leaving.ts'

export interface PortParts
  extends Reload, Omit<NodeFactsParts, 'freshness' | 'read' | 'sessionCounts' | 'unprobed'> {
  readonly config: Config
  readonly agent: Agent
  readonly state: StateReader
  readonly sliced: SlicedReads
  readonly versions: Versions
  readonly waiters: ChangeWaiters
  readonly snapshots: SnapshotService
  readonly lines: LimitedLines
  readonly logger: Logger
  readonly clock: Clock
  /** What to call at the stop is added here. */
  readonly stops: (() => void | Promise<void>)[]
}

export interface Ports {
  /** All ports in one object. */
  readonly backend: Backend
  /** Resolves when this server has left its cluster. */
  readonly left: Promise<void>
}

/** Puts an adapter of each port over the parts of a node. */
export function portsOf(parts: PortParts): Ports {
  const { identity, config, agent, replica, state, snapshots, log, lines, logger } = parts
  const local = new LocalReads({ ...parts, damage: () => replica.status?.damage })
  const reads = local.of(catalogFamily)
  const read: typeof reads.read = (query) => state.read(query)
  const writes = loggedWrites(new ChangeLog({ lines, logger, read }), replica)
  const freshness = freshnessOf(replica)
  const { cluster, left } = leavable({
    ...freshness,
    ...reads,
    ...writes,
    identity,
    cluster: clusterView(replica, config.memberTimeoutSeconds * 1000),
    onLeaving: (isLeaving) => agent.pauseReconciling(isLeaving),
  })
  const sessions = state.of(sessionFamily)
  const sessionCounts = () => state.read(() => sessions.counts())
  const unprobed = () => agent.unprobed
  const facts = nodeFacts({ ...parts, freshness, read, sessionCounts, unprobed })
  const backend: Backend = {
    identity,
    agent,
    sessions: sessionsAtLeader(replica),
    history: startHistory(parts, reads),
    ...reads,
    of: (family) => local.of(family),
    ...writes,
    ...freshness,
    ...cluster,
    ...facts,
    ...followedLog(log),
    snapshot: () => snapshots.snapshot(),
    restore: (archive, origin) => snapshots.restore(archive, origin),
    reload: () => parts.reload(),
  }
  return { backend, left }
}

/** Records from now on, until the node stops. */
function startHistory(
  { identity, replica, dns, clock, logger, stops }: PortParts,
  catalog: FamilyReads<CatalogReader>,
): NodeHistory {
  const history = new NodeHistory({
    clock,
    questions: () => (dns === undefined ? new Map() : answersByRcode(dns.figures)),
    lag: () => serverLag(identity.nodeId, replica.status),
    catalog,
  })
  stops.push(
    history.start((error) =>
      logger.debug({ reason: reasonOf(error) }, 'the health of the catalog was not recorded'),
    ),
  )
  return history
}
