import type { ApiEndpoint } from '../../context.ts'
import { healthEndpointsOfAgent } from './agent-health.ts'
import { membershipEndpoints } from './agent-membership.ts'
import { oneServiceEndpoint } from './agent-service.ts'
import { checkEndpoints } from './checks.ts'
import { maintenanceEndpoints } from './maintenance.ts'
import { selfEndpoints } from './self.ts'
import { serviceEndpoints } from './services.ts'

/** agent/*: the services and checks of this agent, the agent itself, and the cluster it is in. */
export const agentEndpoints: readonly ApiEndpoint[] = [
  ...serviceEndpoints,
  oneServiceEndpoint,
  ...checkEndpoints,
  ...maintenanceEndpoints,
  ...healthEndpointsOfAgent,
  ...selfEndpoints,
  ...membershipEndpoints,
]
