import { bootstrapWrite } from '../../raft/driver.ts'
import type { NodeId } from '../../raft/entry.ts'
import type { LogStore } from '../../raft/storage.ts'
import type { ClusterMarks } from './marks.ts'

type Log = Pick<LogStore, 'state' | 'write'>

/** Becomes a founder. The first entry is the same on each of them: the configuration of them all. */
export function foundCluster(
  log: Log,
  marks: Pick<ClusterMarks, 'setClusterId'>,
  { clusterId, founders }: { clusterId: string; founders: Readonly<Record<NodeId, string>> },
): void {
  const voters = Object.keys(founders).toSorted()
  const addresses = Object.fromEntries(voters.map((id) => [id, founders[id] ?? '']))
  const config = { voters, addresses, votersOutgoing: [], learners: [], prevConfIndex: 0 }
  const write = bootstrapWrite(log.state(), config)
  // Undefined after a stop right behind the write: all that is missing then is the id.
  if (write !== undefined) log.write(write, () => {})
  marks.setClusterId(clusterId)
}

/**
 * After a stop between the two writes of {@link foundCluster} the cluster has begun here, with the
 * founders of that pledge: under another id, or with others, it would be a second one.
 */
export function finishFounding(
  log: Log,
  marks: Pick<ClusterMarks, 'clusterId' | 'pledge' | 'setClusterId'>,
): void {
  if (marks.clusterId !== undefined || log.state().lastIndex === 0) return
  if (marks.pledge !== undefined) marks.setClusterId(marks.pledge.clusterId)
}
