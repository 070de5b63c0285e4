import type { ClusterStatus } from '../replica/messages.ts'

type Seen = Pick<
  ClusterStatus,
  'role' | 'isLeaderReady' | 'leader' | 'servers' | 'clusterId' | 'damage' | 'leftBehind'
>

/** One line about a server and its cluster, for `systemctl status`. */
export function statusLine(status: Seen): string {
  const { role, isLeaderReady, leader, servers, clusterId, damage, leftBehind } = status
  if (damage !== undefined) return `Rebuilding the state: ${damage}`
  if (leftBehind !== undefined) return 'Left behind when its cluster was recovered; DNS is stale'
  if (clusterId === undefined) return 'Waiting for the other servers: no cluster yet'
  const count = servers.length === 1 ? '1 server' : `${servers.length} servers`
  if (role === 'leader' && isLeaderReady) return `Leader of ${count}`
  if (leader === undefined || role === 'leader') return `Waiting for a leader; ${count}`
  return `Follows the leader ${leader.address}; ${count}`
}
