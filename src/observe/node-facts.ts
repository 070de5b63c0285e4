import type { CertificateExpiry } from '../base/expiry.ts'
import type { Config } from '../config/options.ts'
import type { Facts } from '../ports/facts.ts'
import type { Freshness } from '../ports/freshness.ts'
import type { Identity } from '../ports/identity.ts'
import type { NodeLog } from '../ports/log.ts'
import type { Reads } from '../ports/reads.ts'
import { hostFacts } from '../process/host-facts.ts'
import type { Replica } from '../replica/replica.ts'
import type { DnsService } from '../resolver/service.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { SessionCounts } from '../state/session/reader.ts'
import type { ConnectionFigures } from './connection-metrics.ts'
import { diagnosis } from './diagnosis.ts'
import { nodeMetrics } from './metrics.ts'
import { statistics } from './statistics.ts'

export interface NodeFactsParts {
  readonly identity: Identity
  readonly config: Config
  /** The data directory. */
  readonly directory: string
  readonly log: NodeLog
  readonly replica: Replica
  readonly freshness: Pick<Freshness, 'lastContactMs'>
  /** Reads the state even when it is damaged: a damaged server still says how it is. */
  readonly read: Reads<CatalogReader>['read']
  readonly sessionCounts: () => SessionCounts
  /** Undefined: this node answers no DNS. */
  readonly dns: DnsService | undefined
  readonly connections: () => ConnectionFigures
  readonly certificates: () => readonly CertificateExpiry[]
  /** Probes that could not be made. */
  readonly unprobed: () => number
}

/** What a node reports about itself, collected from its parts on request. */
export function nodeFacts(parts: NodeFactsParts): Facts {
  const { identity, config, directory, log, replica, freshness, read, dns } = parts
  return {
    metrics: () =>
      nodeMetrics({
        identity,
        status: replica.status,
        contactAgeMs: replica.contactAgeMs,
        tickDelays: replica.tickDelays,
        replicaHeapBytes: replica.heapBytes,
        read,
        sessions: parts.sessionCounts(),
        dns,
        connections: parts.connections(),
        unprobed: parts.unprobed(),
        certificates: parts.certificates(),
      }),
    statistics: () =>
      statistics({
        nodeId: identity.nodeId,
        status: replica.status,
        appliedIndex: read((catalog) => catalog.appliedIndex()),
        lastContactMs: freshness.lastContactMs(),
        certificates: parts.certificates(),
      }),
    diagnosis: () => diagnosis({ config, status: replica.status, log: log.recent() }),
    host: () => hostFacts(directory),
  }
}
