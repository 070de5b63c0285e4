import { svcdError } from '../base/errors.ts'
import type { ClusterFormation } from './cluster-formation.ts'

export interface JoiningParts {
  readonly formation: Pick<ClusterFormation, 'ask' | 'add' | 'lastProblem'>
  /** Undefined: in none yet. */
  readonly clusterId: () => string | undefined
}

/** How long a cluster that was found may take to let this server in. */
const joinedMs = 7000
const pollMs = 50

/**
 * Joins at an address that an operator names: one more place to look for others. Resolves at once in
 * the cluster that is there, after the joining where there is one, and as soon as it was reached where
 * there is none yet. Rejects with `peer-unreachable`, `operation-refused`.
 */
export async function joinAt(address: string, parts: JoiningParts): Promise<string> {
  const { formation, clusterId } = parts
  const other = await formation.ask(address)
  const own = clusterId()
  const where = `${other.name} at ${address}`
  if (own !== undefined) {
    if (own === other.clusterId) return address
    const reason =
      other.clusterId === undefined
        ? `this server has a cluster and ${where} has none: run \`svcd join\` there, with the address of this one`
        : `${where} is in another cluster, and two cannot become one: empty the data directory of the server that is to move`
    throw svcdError('operation-refused', { reason })
  }
  formation.add(address)
  if (other.clusterId === undefined) return address
  const deadlineMs = performance.now() + joinedMs
  while (clusterId() === undefined) {
    if (performance.now() > deadlineMs) {
      const reason = `${where} was reached, but ${formation.lastProblem}; it is tried on`
      throw svcdError('operation-refused', { reason })
    }
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs)
    })
  }
  return address
}
