import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../../base/log.ts'
import { members } from '../../raft/config.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { RaftLog } from '../../storage/log/raft-log.ts'
import type { SnapshotStore } from '../../storage/snapshot/snapshot.ts'
import { latestConfig } from '../offline/latest-config.ts'
import type { PeerTarget } from '../cluster/peer-questions.ts'
import type { RaftServer } from '../raft-server.ts'
import type { ReplicaWorkerData } from '../messages.ts'
import { Standstill } from './standstill.ts'
import { StateFetch } from './fetch.ts'
import { StateKeeper } from './keeper.ts'
import type { StatePeers } from './keeper.ts'

/** One attempt, the transfer of a large state included; a transfer that stalls ends sooner. */
const fetchTimeoutMs = 600_000

export interface OpenStateKeeperParts extends Pick<StatePeers, 'detach' | 'attach'> {
  readonly server: ReplicaWorkerData & {
    readonly logger: Logger
    readonly guard: (work: () => void) => void
    readonly onTurn: () => void
  }
  readonly log: RaftLog
  readonly files: SnapshotStore
  readonly raft: () => RaftServer | undefined
  readonly handOver: () => Promise<unknown>
  readonly ask: (
    target: PeerTarget,
    kind: string,
    body: unknown,
    timeoutMs: number,
  ) => Promise<unknown>
  readonly isStopped: () => boolean
}

/** The keeper of a server's state; see {@link StateKeeper} for what it throws. */
export function openStateKeeper(parts: OpenStateKeeperParts): StateKeeper {
  const { log, files, raft, handOver, ask, isStopped, detach, attach } = parts
  const { dataDirectory, settings, versions, logger, guard, onTurn } = parts.server
  const fetch = new StateFetch({
    others: () => otherMembers(log, settings.id),
    ask: (id, wish) => ask({ id }, 'snapshot', wish, fetchTimeoutMs),
    files,
    logger,
    random: Math.random,
    sleep: (ms) => sleep(ms, undefined, { ref: false }),
    isStopped,
  })
  return new StateKeeper({
    dataDirectory,
    log,
    logger,
    snapshots: () => files.list(),
    standstill: new Standstill({ raft, versions, handOver, onTurn }),
    guard,
    checkEveryMs: settings.stateCheckMs,
    peers: {
      get canAsk() {
        return fetch.canAsk
      },
      fetch: (minIndex) => fetch.fetch(minIndex),
      detach,
      attach,
    },
  })
}

/** The addresses of all members by the log, for a server whose core has not begun. */
export function addressesIn(log: RaftLog): ReadonlyMap<NodeId, string> {
  return new Map(Object.entries(latestConfig(log)?.config.addresses ?? {}))
}

/** By the log alone; none before there is a cluster. */
export function otherMembers(log: RaftLog, self: NodeId): readonly NodeId[] {
  const latest = latestConfig(log)
  return latest === undefined ? [] : members(latest.config).filter((id) => id !== self)
}
