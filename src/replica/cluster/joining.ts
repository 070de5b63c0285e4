import type { JoinResult } from '../../ports/cluster.ts'
import { SvcdError, svcdError } from '../../base/errors.ts'
import { dialledAddress, type OwnPlace } from '../../config/gossip-port.ts'
import type { ReplicaSettings } from '../messages.ts'
import { withPort } from '../../base/host-port.ts'
import type { ClusterFormation, ServerInfo } from './formation.ts'

export interface JoiningParts {
  readonly formation: Pick<ClusterFormation, 'ask' | 'add' | 'lastProblem'>
  /** Undefined: in none yet. */
  readonly clusterId: () => string | undefined
  readonly own: OwnPlace
}

export function ownPlace(
  { advertiseAddress, bindAddress }: Pick<ReplicaSettings, 'advertiseAddress' | 'bindAddress'>,
  serverPort: number,
): OwnPlace {
  return { serverPort, addresses: [advertiseAddress, bindAddress] }
}

/** How long a cluster that was found may take to let this server in. */
const joinedMs = 7000
const pollMs = 50

/**
 * Joins at an address that an operator names: one more place to look for others. Resolves
 * immediately in the same cluster, after the joining in another one, and as soon as the address was
 * reached where there is no cluster yet. Rejects with `peer-unreachable`, `peer-refuses-connection`,
 * `operation-refused`.
 */
export async function joinAt(named: string, parts: JoiningParts): Promise<JoinResult> {
  const { formation, clusterId, own: place } = parts
  // As for -retry-join: people name the port of Consul's gossip.
  const address = withPort(dialledAddress(named, place), 8300)
  const other = await askOther(address, formation)
  // It is with itself already, as in Consul.
  if (other === undefined) return 'joined'
  const own = clusterId()
  const where = `${other.name} at ${address}`
  if (own !== undefined) {
    if (own === other.clusterId) return 'joined'
    const reason =
      other.clusterId === undefined
        ? `this server is in a cluster, and ${where} is not: run \`svcd join\` on that server, with the address of this one`
        : `${where} is in another cluster, and clusters cannot be merged: empty the data directory of the server that should move`
    throw svcdError('operation-refused', { reason })
  }
  formation.add(address)
  if (other.clusterId === undefined) return 'waiting'
  const deadlineMs = performance.now() + joinedMs
  while (clusterId() === undefined) {
    if (performance.now() > deadlineMs) {
      const reason = `reached ${where}, but ${formation.lastProblem}; this server keeps trying`
      throw svcdError('operation-refused', { reason })
    }
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs)
    })
  }
  return 'joined'
}

/** Undefined: the address is of this server itself. */
async function askOther(
  address: string,
  formation: JoiningParts['formation'],
): Promise<ServerInfo | undefined> {
  try {
    return await formation.ask(address)
  } catch (error) {
    if (error instanceof SvcdError && error.code === 'peer-is-self') return undefined
    throw error
  }
}
