import type { Cluster } from '../ports/cluster.ts'
import type { Freshness } from '../ports/freshness.ts'
import type { Identity } from '../ports/identity.ts'
import type { Reads } from '../ports/reads.ts'
import type { Origin, Writes } from '../ports/writes.ts'
import { svcdError } from '../base/errors.ts'
import type { CatalogCommand } from '../state/catalog/commands.ts'
import { nameHolder } from '../state/catalog/name-holder.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import { nodeRegistrations } from '../state/catalog/restore.ts'

export interface LeavingParts
  extends
    Pick<Cluster, 'cluster'>,
    Pick<Freshness, 'outOfService'>,
    Pick<Reads<CatalogReader>, 'read'>,
    Writes {
  readonly identity: Identity
  /** Takes this server out of the members. */
  readonly leave: () => Promise<string>
}

export interface LeavableParts extends Omit<LeavingParts, 'leave' | 'cluster'> {
  readonly cluster: Cluster
  /** It begins to leave, or does not leave after all. */
  readonly onLeaving: (isLeaving: boolean) => void
}

export interface Leavable {
  readonly cluster: Cluster
  /** Resolves when this server is not a member any more: it has nothing left to do. */
  readonly left: Promise<void>
}

/** The cluster, whose operation `leave` is {@link leaveCluster}. */
export function leavable({ cluster, onLeaving, ...parts }: LeavableParts): Leavable {
  let onLeft: (() => void) | undefined
  const left = new Promise<void>((resolve) => {
    onLeft = resolve
  })
  const leave = async (): Promise<string> => {
    onLeaving(true)
    try {
      const id = await leaveCluster({
        ...parts,
        cluster: () => cluster.cluster(),
        leave: () => cluster.operate({ kind: 'leave' }),
      })
      onLeft?.()
      return id
    } catch (error) {
      onLeaving(false)
      throw error
    }
  }
  const operate: Cluster['operate'] = (operation) =>
    operation.kind === 'leave' ? leave() : cluster.operate(operation)
  return { cluster: { ...cluster, operate }, left }
}

/**
 * Leaves the cluster permanently. The node is removed first, with its registrations, so that no
 * answer names a leaving server; it comes back when the leaving fails. Afterwards this server
 * cannot write any more. Rejects with `operation-refused`, `no-leader`, `state-damaged`.
 */
export async function leaveCluster(parts: LeavingParts): Promise<string> {
  const { identity, read, cluster, leave } = parts
  const propose: Writes['propose'] = (body, origin) => parts.propose(body, origin)
  const { nodeName, nodeId } = identity
  const { servers } = cluster()
  // A single server has no cluster to leave: it stops, and continues when it is started again.
  if (servers.length === 1 && servers[0]?.id === nodeId) return nodeId
  // It does not know them: it fetches its state from others, or waits for a cluster.
  if (servers.length === 0) throw parts.outOfService() ?? svcdError('no-leader', {})
  const voters = servers.filter(({ isVoter }) => isVoter)
  if (voters.length === 1 && voters[0]?.id === nodeId) {
    const reason = 'the only voter cannot leave; stop the agent instead'
    throw svcdError('operation-refused', { reason })
  }
  const origin: Origin = { actor: `agent ${nodeName}`, cause: 'leave' }
  const names = read((catalog) => ownNames(identity, catalog))
  const registrations = read((catalog) =>
    names.flatMap((name) => [...nodeRegistrations(name, catalog)]),
  )
  for (const name of names) await propose({ kind: 'deregister', nodeName: name }, origin)
  try {
    return await leave()
  } catch (error) {
    const back = { ...origin, cause: 'leaving failed' }
    // Another server may have taken the name in the time between.
    const isFree = ({ nodeName: name }: CatalogCommand): boolean =>
      read((catalog) => nameHolder(catalog, name, nodeId)) === undefined
    await Promise.all(registrations.filter(isFree).map((body) => propose(body, back)))
    throw error
  }
}

/**
 * The catalog entries of this server: its node, under any name, and a node of its name without an
 * id, which belongs to no other server. A node of its name with another id is another machine's.
 */
function ownNames({ nodeName, nodeId }: Identity, catalog: CatalogReader): readonly string[] {
  const names = catalog.nodesWithId(nodeId).map(({ name }) => name)
  return catalog.node(nodeName)?.id === '' ? [...names, nodeName] : names
}
