import type { Identity } from '../ports/identity.ts'
import type { CertificateExpiry } from '../base/expiry.ts'
import type { AnyMetric, Labels, Metric } from '../base/metric.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type { SessionCounts } from '../state/session/reader.ts'
import { auditMetrics } from './audit-metrics.ts'
import { expiryMetrics } from './expiry-metrics.ts'
import { connectionMetrics } from './connection-metrics.ts'
import type { ConnectionFigures } from './connection-metrics.ts'
import type { DnsService } from '../resolver/service.ts'
import { dnsMetrics } from '../resolver/metrics.ts'
import type { ClusterStatus } from '../replica/messages.ts'
import { sessionMetrics } from './session-metrics.ts'
import { heapBytes } from '../process/thread-heaps.ts'
import type { TickDelays } from '../replica/tick-delays.ts'

export interface MetricsParts {
  readonly identity: Identity
  readonly status: ClusterStatus | undefined
  readonly contactAgeMs: number
  readonly tickDelays: TickDelays['figures']
  readonly replicaHeapBytes: number
  readonly read: <T>(query: (catalog: CatalogReader) => T) => T
  readonly sessions: SessionCounts
  /** Undefined: this node does not answer DNS. */
  readonly dns: Pick<DnsService, 'figures'> | undefined
  readonly connections: ConnectionFigures
  /** Check runs that could not start. */
  readonly unprobed: number
  readonly certificates: readonly CertificateExpiry[]
}

/** The current metrics of this node. */
export function nodeMetrics(parts: MetricsParts): readonly AnyMetric[] {
  const dns = parts.dns === undefined ? [] : dnsMetrics(parts.dns.figures)
  return [
    buildInfo(parts.identity),
    threadHeaps(parts),
    ...raftMetrics(parts),
    ...peerTlsMetrics(parts),
    ...expiryMetrics(parts.certificates, Date.now()),
    ...diskMetrics(parts),
    ...auditMetrics(parts.status?.audit),
    ...catalogMetrics(parts),
    ...sessionMetrics(parts.sessions, parts.status?.sessions),
    ...dns,
    ...connectionMetrics(parts.connections),
    {
      name: 'svcd_checks_unprobed_total',
      help: 'Check runs that this agent could not start, so the status did not change.',
      kind: 'counter',
      samples: [{ labels: {}, value: parts.unprobed }],
    },
  ]
}

function peerTlsMetrics({ status }: MetricsParts): Metric[] {
  const tls = status?.peerTls
  if (tls === undefined) return []
  return [
    {
      name: 'svcd_peer_connections',
      help: 'Connections with other servers, by whether they are encrypted with TLS.',
      kind: 'gauge',
      samples: [
        { labels: { tls: 'true' }, value: tls.encrypted },
        { labels: { tls: 'false' }, value: tls.plain },
      ],
    },
    gauge(
      'peer_tls_permissive',
      '1 if servers may connect without TLS although this one has certificates, otherwise 0.',
      tls.mode === 'permissive' ? 1 : 0,
    ),
  ]
}

function threadHeaps({ replicaHeapBytes, dns }: MetricsParts): Metric {
  const udp = dns?.figures.udp ?? []
  const heaps: readonly (readonly [string, number])[] = [
    ['main', heapBytes()],
    ['replica', replicaHeapBytes],
    ...udp.map((figures, at) => [`dns-${at}`, figures.heapBytes] as const),
  ]
  return {
    name: 'svcd_thread_heap_bytes',
    help: "Size of each thread's JavaScript heap in bytes, including free space.",
    kind: 'gauge',
    samples: heaps.map(([thread, value]) => ({ labels: { thread }, value })),
  }
}

function buildInfo({ version, nodeName, datacenter }: Identity): Metric {
  const labels = { version, node: nodeName, datacenter }
  return gauge(
    'build_info',
    'Version, node and datacenter of this agent as labels; always 1.',
    1,
    labels,
  )
}

function raftMetrics(parts: MetricsParts): AnyMetric[] {
  const { identity, status, contactAgeMs, tickDelays, read } = parts
  const servers = status?.servers ?? []
  const applied = read((catalog) => catalog.appliedIndex())
  const own = servers.find(({ id }) => id === identity.nodeId)
  return [
    gauge(
      'raft_is_leader',
      '1 if this server is the leader, otherwise 0.',
      status?.role === 'leader' ? 1 : 0,
    ),
    gauge(
      'raft_has_leader',
      '1 if this server knows a leader, otherwise 0.',
      status?.leader === undefined ? 0 : 1,
    ),
    gauge(
      'raft_left_behind',
      '1 if this server was left behind when its cluster was recovered, otherwise 0.',
      status?.leftBehind === undefined ? 0 : 1,
    ),
    gauge('raft_term', 'Current Raft term.', status?.term ?? 0),
    gauge('raft_applied_index', 'Index of the last log entry applied on this server.', applied),
    gauge(
      'raft_last_index',
      'Index of the last log entry on this server.',
      Math.max(own?.lastIndex ?? 0, applied),
    ),
    gauge(
      'raft_voters',
      'Number of servers that vote.',
      servers.filter(({ isVoter }) => isVoter).length,
    ),
    {
      name: 'svcd_state_damages_total',
      help: 'Number of times since the start that this server found state.db damaged and rebuilt it.',
      kind: 'counter',
      samples: [{ labels: {}, value: status?.damagesFound ?? 0 }],
    },
    {
      name: 'svcd_state_undecided_total',
      help: 'Number of times that this leader found different states on the servers and no majority for one of them.',
      kind: 'counter',
      samples: [{ labels: {}, value: status?.undecidedStates ?? 0 }],
    },
    gauge(
      'raft_leader_contact_seconds',
      'Seconds since this server last heard the leader; 0 on the leader.',
      contactAgeMs / 1000,
    ),
    {
      name: 'svcd_raft_tick_delay_seconds',
      help: 'Delay in seconds of the Raft ticker, which drives heartbeats and elections.',
      kind: 'histogram',
      series: [{ labels: {}, ...tickDelays }],
    },
  ]
}

function diskMetrics({ status }: MetricsParts): Metric[] {
  const disk = status?.disk
  if (disk === undefined) return []
  const isRefusing = disk.level === 'enough' ? 0 : 1
  return [
    gauge(
      'disk_free_bytes',
      'Free space in bytes on the disk of the data directory.',
      disk.freeBytes,
    ),
    gauge(
      'disk_reserve_bytes',
      'Free space in bytes below which a leader refuses registrations and writes of keys.',
      disk.reserveBytes,
    ),
    gauge(
      'disk_is_low',
      '1 if free space is below the reserve, so this server refuses registrations and writes of keys while it leads; otherwise 0.',
      isRefusing,
    ),
  ]
}

function catalogMetrics({ read }: MetricsParts): Metric[] {
  const { nodes, services, instances, checks } = read((catalog) => catalog.counts())
  return [
    gauge('catalog_nodes', 'Number of nodes in the catalog.', nodes),
    gauge('catalog_services', 'Number of service names in the catalog.', services),
    gauge('catalog_instances', 'Number of service instances in the catalog.', instances),
    {
      name: 'svcd_catalog_checks',
      help: 'Number of checks in the catalog, by status.',
      kind: 'gauge',
      samples: Object.entries(checks).map(([status, value]) => ({ labels: { status }, value })),
    },
  ]
}

function gauge(name: string, help: string, value: number, labels: Labels = {}): Metric {
  return { name: `svcd_${name}`, help, kind: 'gauge', samples: [{ labels, value }] }
}
