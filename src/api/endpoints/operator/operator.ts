import type { ApiEndpoint } from '../../context.ts'
import { autopilotEndpoints } from './autopilot.ts'
import { raftEndpoints } from './raft.ts'
import { snapshotEndpoints } from './snapshot.ts'
import { statusEndpoints } from './status.ts'

/** operator/*, status/* and snapshot: the servers of the cluster and their state. */
export const operatorEndpoints: readonly ApiEndpoint[] = [
  ...statusEndpoints,
  ...raftEndpoints,
  ...autopilotEndpoints,
  ...snapshotEndpoints,
]
