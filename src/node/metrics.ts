import type { Identity } from '../api/backend.ts'
import type { AnyMetric, Labels, Metric } from '../base/metric.ts'
import type { CatalogReader } from '../catalog/query.ts'
import type { DnsService } from './dns-service.ts'
import { dnsMetrics } from './dns-metrics.ts'
import type { ClusterStatus } from './replica-messages.ts'
import type { TickDelays } from './tick-delays.ts'

export interface MetricsParts {
  readonly identity: Identity
  readonly status: ClusterStatus | undefined
  readonly contactAgeMs: number
  readonly tickDelays: TickDelays['figures']
  readonly read: <T>(query: (catalog: CatalogReader) => T) => T
  /** Undefined: this node answers no DNS. */
  readonly dns: Pick<DnsService, 'figures'> | undefined
}

/** All that this node tells of itself, as it is now. */
export function nodeMetrics(parts: MetricsParts): readonly AnyMetric[] {
  const dns = parts.dns === undefined ? [] : dnsMetrics(parts.dns.figures)
  return [buildInfo(parts.identity), ...raftMetrics(parts), ...catalogMetrics(parts), ...dns]
}

function buildInfo({ version, nodeName, datacenter }: Identity): Metric {
  const labels = { version, node: nodeName, datacenter }
  return gauge('build_info', 'Which svcd this is; always 1.', 1, labels)
}

function raftMetrics(parts: MetricsParts): AnyMetric[] {
  const { identity, status, contactAgeMs, tickDelays, read } = parts
  const servers = status?.servers ?? []
  const applied = read((catalog) => catalog.appliedIndex())
  const own = servers.find(({ id }) => id === identity.nodeId)
  return [
    gauge('raft_is_leader', '1 on the leader.', status?.role === 'leader' ? 1 : 0),
    gauge('raft_has_leader', '1 where a leader is known.', status?.leader === undefined ? 0 : 1),
    gauge('raft_term', 'The Raft term.', status?.term ?? 0),
    gauge('raft_applied_index', 'The last log entry applied here.', applied),
    gauge('raft_last_index', 'The last log entry here.', Math.max(own?.lastIndex ?? 0, applied)),
    gauge('raft_voters', 'Servers that vote.', servers.filter(({ isVoter }) => isVoter).length),
    {
      name: 'svcd_state_damages_total',
      help: 'Times that state.db was found damaged and was rebuilt, since the start.',
      kind: 'counter',
      samples: [{ labels: {}, value: status?.damagesFound ?? 0 }],
    },
    gauge(
      'raft_leader_contact_seconds',
      'Since the leader was heard; 0 on the leader.',
      contactAgeMs / 1000,
    ),
    {
      name: 'svcd_raft_tick_delay_seconds',
      help: 'How late the clock of Raft rang, which heartbeats and elections wait for.',
      kind: 'histogram',
      series: [{ labels: {}, ...tickDelays }],
    },
  ]
}

function catalogMetrics({ read }: MetricsParts): Metric[] {
  const { nodes, services, instances, checks } = read((catalog) => catalog.counts())
  return [
    gauge('catalog_nodes', 'Nodes in the catalog.', nodes),
    gauge('catalog_services', 'Service names in the catalog.', services),
    gauge('catalog_instances', 'Service instances in the catalog.', instances),
    {
      name: 'svcd_catalog_checks',
      help: 'Checks in the catalog by status.',
      kind: 'gauge',
      samples: Object.entries(checks).map(([status, value]) => ({ labels: { status }, value })),
    },
  ]
}

function gauge(name: string, help: string, value: number, labels: Labels = {}): Metric {
  return { name: `svcd_${name}`, help, kind: 'gauge', samples: [{ labels, value }] }
}
