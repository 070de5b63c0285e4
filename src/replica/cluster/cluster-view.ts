import { SvcdError } from '../../base/errors.ts'
import type { Cluster, ServerHealth } from '../../ports/cluster.ts'
import type { Replica } from '../replica.ts'
import { trailingEntries } from '../trailing-entries.ts'

/** The servers of the cluster, as the replica knows them. A member silent for `silenceMsMax` is dead. */
export function clusterView(replica: Replica, silenceMsMax: number): Cluster {
  return {
    cluster: () => ({
      index: replica.status?.configIndex ?? 0,
      servers: (replica.status?.servers ?? []).map(
        ({ id, address, isVoter, isLeader, lastIndex }) => ({
          id,
          address,
          isVoter,
          isLeader,
          lastIndex: lastIndex ?? 0,
        }),
      ),
    }),
    peers: () => {
      const servers = replica.status?.servers ?? []
      return servers.filter(({ isVoter }) => isVoter).map(({ address }) => address)
    },
    operate: (operation) => replica.operate(operation),
    autopilot: () => ({ silenceMsMax, trailingMax: trailingEntries }),
    serverHealth: async ({ mayAsk }) => {
      if (!mayAsk && replica.status?.role !== 'leader') return undefined
      try {
        return JSON.parse(await replica.operate({ kind: 'health' })) as readonly ServerHealth[]
      } catch (error) {
        // A leader of an older release does not know the question; without a leader the answer is
        // unknown.
        if (error instanceof SvcdError) return undefined
        throw error
      }
    },
  }
}
