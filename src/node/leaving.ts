import type { Backend, Origin } from '../api/backend.ts'
import { svcdError } from '../base/errors.ts'
import { nodeRegistrations } from './restore-plan.ts'

export interface LeavingParts extends Pick<Backend, 'identity' | 'read' | 'propose' | 'cluster'> {
  /** Takes this server out of the members. */
  readonly leave: () => Promise<string>
}

/**
 * Leaves the cluster for good. The node goes first, with all that is registered on it, so that no
 * answer names a server that is on its way out; it comes back when the leaving fails. Afterwards
 * this server cannot write any more. Rejects with `operation-refused`, `no-leader`.
 */
export async function leaveCluster(parts: LeavingParts): Promise<string> {
  const { identity, read, propose, cluster, leave } = parts
  const { nodeName, nodeId } = identity
  const { servers } = cluster()
  // Alone it has nobody to leave: it stops, and is what it was when it is started again.
  if (servers.every(({ id }) => id === nodeId)) return nodeId
  const voters = servers.filter(({ isVoter }) => isVoter)
  if (voters.length === 1 && voters[0]?.id === nodeId) {
    const reason = 'the only voter cannot leave; stop the agent instead'
    throw svcdError('operation-refused', { reason })
  }
  const origin: Origin = { actor: `agent ${nodeName}`, cause: 'leave' }
  const registrations = read((catalog) => [...nodeRegistrations(nodeName, catalog)])
  await propose({ kind: 'deregister', nodeName }, origin)
  try {
    return await leave()
  } catch (error) {
    const back = { ...origin, cause: 'leaving failed' }
    await Promise.all(registrations.map((body) => propose(body, back)))
    throw error
  }
}
