import type { HealthEntry } from '../../client/rows.ts'
import { apiPath } from './api.ts'
import { useLiveRows } from './live.ts'
import type { Live } from './live.ts'

/** The instances of a service with their checks. */
export function useInstances(service: string): Live<readonly HealthEntry[]> {
  return useLiveRows(apiPath('watch/service/', service), ({ Node, Service }) => [
    Node.Node,
    Service.ID,
  ])
}
