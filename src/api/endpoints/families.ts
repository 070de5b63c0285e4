import type { ApiEndpoint } from '../context.ts'
import { aclEndpoints } from './acl/acl.ts'
import { agentEndpoints } from './agent/agent.ts'
import { catalogEndpoints } from './catalog/catalog.ts'
import { dnsEndpoints } from './dns/dns.ts'
import { eventEndpoints } from './event/event.ts'
import { healthEndpoints } from './health/health.ts'
import { intentionEndpoints } from './intention/intention.ts'
import { internalEndpoints } from './internal/ui.ts'
import { kvEndpoints } from './kv/kv.ts'
import { observeEndpoints } from './observe/observe.ts'
import { operatorEndpoints } from './operator/operator.ts'
import { queryEndpoints } from './query/query.ts'
import { sessionEndpoints } from './session/session.ts'
import { txnEndpoints } from './txn/txn.ts'

/** Every endpoint of the API, a line for each family. */
export const endpoints: readonly ApiEndpoint[] = [
  ...aclEndpoints,
  ...agentEndpoints,
  ...catalogEndpoints,
  ...healthEndpoints,
  ...dnsEndpoints,
  ...kvEndpoints,
  ...queryEndpoints,
  ...intentionEndpoints,
  ...sessionEndpoints,
  ...eventEndpoints,
  ...txnEndpoints,
  ...operatorEndpoints,
  ...observeEndpoints,
  ...internalEndpoints,
]
