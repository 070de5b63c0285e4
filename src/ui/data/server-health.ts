import type { OperatorHealth } from '../../client/rows.ts'
import type { ApiFault } from './api.ts'
import { useFetched } from './fetched.ts'

export interface ServersState {
  readonly health: OperatorHealth | undefined
  readonly fault: ApiFault | undefined
}

/** The servers as their leader sees them, or as this agent does while there is no leader. */
export function useServerHealth(version: unknown): ServersState {
  const led = useFetched<OperatorHealth>('operator/autopilot/health', version)
  const isLost = led.fault !== undefined && led.fault.status >= 500
  const local = useFetched<OperatorHealth>(
    isLost ? 'operator/autopilot/health?stale=' : undefined,
    version,
  )
  const state = isLost ? local : led
  // Of an unhealthy cluster the same answer comes with status 429.
  const isUnhealthy = state.fault?.status === 429
  const health = isUnhealthy ? parsed(state.fault?.message) : state.data
  return { health, fault: isUnhealthy ? undefined : state.fault }
}

function parsed(text = ''): OperatorHealth | undefined {
  try {
    return JSON.parse(text) as OperatorHealth
  } catch {
    return undefined
  }
}
