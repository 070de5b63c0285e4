import type { ClusterStatus } from '../../replica/messages.ts'

/** How many entries of the log each server lacks, by its ID. Only a leader knows that; elsewhere it is empty. */
export function serverLag(
  nodeId: string,
  status: Pick<ClusterStatus, 'role' | 'servers'> | undefined,
): ReadonlyMap<string, number> {
  if (status?.role !== 'leader') return new Map()
  const own = status.servers.find(({ id }) => id === nodeId)?.lastIndex ?? 0
  return new Map(
    status.servers.flatMap(({ id, lastIndex }) =>
      lastIndex === undefined ? [] : [[id, Math.max(0, own - lastIndex)] as const],
    ),
  )
}
