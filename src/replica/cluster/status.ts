import { isVoter, members } from '../../raft/config.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { ClusterMarks } from './marks.ts'
import type { RaftServer } from '../raft-server.ts'
import type { ClusterStatus } from '../messages.ts'
import type { StateKeeper } from '../state/keeper.ts'

/** Changes when {@link clusterStatus} does, what every entry changes aside; cheap enough for every turn. */
export function clusterKey(
  raft: RaftServer | undefined,
  marks: ClusterMarks,
  keeper: Pick<StateKeeper, 'damage' | 'state'>,
): string {
  const state = raft?.driver.raft.state
  const { index } = state?.configs.latest ?? { index: 0 }
  const cluster = `${marks.isCaughtUp} ${marks.clusterId ?? ''} ${marks.newestEpoch}`
  const own = `${keeper.state.usedFormat} ${keeper.damage ?? ''}`
  return `${state?.role} ${state?.term} ${state?.leader} ${index} ${cluster} ${own}`
}

/** How it stands with the cluster, for the main thread; `raft` is undefined before there is one. */
export function clusterStatus(
  server: RaftServer | undefined,
  marks: ClusterMarks,
  keeper: Pick<StateKeeper, 'damage' | 'damagesFound' | 'state'>,
): ClusterStatus {
  const raft = server?.status
  const address = (id: NodeId): string => raft?.config.addresses[id] ?? ''
  const leader = raft?.leader
  const termStart = server?.driver.raft.state.termStart ?? 0
  return {
    role: raft?.role ?? 'follower',
    isLeaderReady: raft?.role === 'leader' && (server?.appliedIndex ?? 0) >= termStart,
    term: raft?.term ?? 0,
    leader: leader === undefined ? undefined : { id: leader, address: address(leader) },
    servers: (raft === undefined ? [] : members(raft.config)).map((id) => ({
      id,
      address: address(id),
      isVoter: raft !== undefined && isVoter(raft.config, id),
      isLeader: id === leader,
      lastIndex:
        id === raft?.id ? raft.lastIndex : raft?.peers.find((peer) => peer.id === id)?.match,
    })),
    configIndex: server?.driver.raft.state.configs.latest.index ?? 0,
    isCaughtUp: marks.isCaughtUp,
    clusterId: marks.clusterId,
    damage: keeper.damage,
    damagesFound: keeper.damagesFound,
    usedFormat: keeper.state.usedFormat,
    leftBehind:
      marks.newestEpoch > marks.epoch
        ? { epoch: marks.epoch, newestEpoch: marks.newestEpoch }
        : undefined,
  }
}
