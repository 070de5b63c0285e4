import type { SvcdError } from '../../../base/errors.ts'
import { serverIdFault } from '../../../definition/validate.ts'
import type { ApiContext } from '../../context.ts'

/** Why a service may not be registered: only a server of the cluster may register its own entry. */
export function overServerFault(
  { catalog, cluster }: Pick<ApiContext, 'catalog' | 'cluster'>,
  nodeName: string,
  serviceId: string,
): SvcdError | undefined {
  const fault = serverIdFault(serviceId)
  if (fault === undefined) return undefined
  const id = catalog.read((reader) => reader.node(nodeName))?.id
  const isServer = cluster.cluster().servers.some((server) => server.id === id)
  return isServer ? fault : undefined
}
