import type { CatalogReader } from '../state/catalog/query.ts'
import type { LocalAgent } from './agent.ts'
import type { Cluster } from './cluster.ts'
import type { Facts } from './facts.ts'
import type { Freshness } from './freshness.ts'
import type { History } from './history.ts'
import type { Identity } from './identity.ts'
import type { FollowedLog } from './log.ts'
import type { Families, FamilyReads } from './reads.ts'
import type { Reload } from './reload.ts'
import type { Sessions } from './sessions.ts'
import type { Snapshots } from './snapshots.ts'
import type { Writes } from './writes.ts'

/** All ports of a node in one object, as `node/` assembles them. A module that needs less takes single ports. */
export interface Backend
  extends
    FamilyReads<CatalogReader>,
    Families,
    Writes,
    Freshness,
    Cluster,
    Snapshots,
    Reload,
    Facts,
    FollowedLog {
  readonly identity: Identity
  readonly agent: LocalAgent
  readonly sessions: Sessions
  readonly history: History
}
