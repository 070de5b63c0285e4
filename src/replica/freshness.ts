import type { Freshness } from '../ports/freshness.ts'
import type { Replica } from './replica.ts'

/** How fresh the local copy is, as the replica knows. */
export function freshnessOf(replica: Replica): Freshness {
  const isLeader = (): boolean => replica.status?.isLeaderReady === true
  return {
    barrier: () => replica.barrier(),
    leader: () => replica.status?.leader?.address ?? '',
    isLeader,
    isAlone: () => replica.isAlone,
    lastContactMs: () => (isLeader() ? 0 : Math.max(0, replica.contactAgeMs)),
    outOfService: () => replica.outOfService(),
  }
}
