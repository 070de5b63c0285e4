import type { Self } from '../../client/rows.ts'
import type { Target } from '../core/actions.ts'
import { useFetched } from './fetched.ts'

/** Where actions on an instance or a node go; undefined while it is not known. `serviceId`: '' for the node. */
export function usePlace(node: string, serviceId: string): Target['place'] | undefined {
  const self = useFetched<Self>('agent/self')
  const isHere = self.data?.Config.NodeName === node
  const path = `agent/service/${encodeURIComponent(serviceId)}`
  const service = useFetched<object>(isHere && serviceId !== '' ? path : undefined)
  if (self.data === undefined) return self.fault === undefined ? undefined : 'catalog'
  if (!isHere) return 'catalog'
  if (serviceId === '' || service.data !== undefined) return 'agent'
  return service.fault === undefined ? undefined : 'catalog'
}
