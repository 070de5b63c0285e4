import type { Identity } from '../api/backend.ts'
import type { AnyMetric, Labels, Metric } from '../base/metric.ts'
import type { CatalogReader } from '../catalog/query.ts'
import { connectionMetrics } from './connection-metrics.ts'
import type { ConnectionFigures } from './connections.ts'
import type { DnsService } from './dns-service.ts'
import { dnsMetrics } from './dns-metrics.ts'
import type { ClusterStatus } from './replica-messages.ts'
import { heapBytes } from './thread-heaps.ts'
import type { TickDelays } from './tick-delays.ts'

export interface MetricsParts {
  readonly identity: Identity
  readonly status: ClusterStatus | undefined
  readonly contactAgeMs: number
  readonly tickDelays: TickDelays['figures']
  readonly replicaHeapBytes: number
  readonly read: <T>(query: (catalog: CatalogReader) => T) => T
  /** Undefined: this node answers no DNS. */
  readonly dns: Pick<DnsService, 'figures'> | undefined
  readonly connections: ConnectionFigures
  /** Probes that could not be made. */
  readonly unprobed: number
}

/** All that this node tells of itself, as it is now. */
export function nodeMetrics(parts: MetricsParts): readonly AnyMetric[] {
  const dns = parts.dns === undefined ? [] : dnsMetrics(parts.dns.figures)
  return [
    buildInfo(parts.identity),
    threadHeaps(parts),
    ...raftMetrics(parts),
    ...diskMetrics(parts),
    ...catalogMetrics(parts),
    ...dns,
    ...connectionMetrics(parts.connections),
    {
      name: 'svcd_checks_unprobed_total',
      help: 'Probes that could not be made here; the check stayed as it was.',
      kind: 'counter',
      samples: [{ labels: {}, value: parts.unprobed }],
    },
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
    help: "Memory of each thread's JavaScript heap, used or not.",
    kind: 'gauge',
    samples: heaps.map(([thread, value]) => ({ labels: { thread }, value })),
  }
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
    gauge(
      'raft_left_behind',
      '1 on a server that a recovery of its cluster has left behind.',
      status?.leftBehind === undefined ? 0 : 1,
    ),
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
    {
      name: 'svcd_state_undecided_total',
      help: 'Times that this server, as the leader, found the states of the servers to differ, and no majority for one.',
      kind: 'counter',
      samples: [{ labels: {}, value: status?.undecidedStates ?? 0 }],
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

function diskMetrics({ status }: MetricsParts): Metric[] {
  const disk = status?.disk
  if (disk === undefined) return []
  const isRefusing = disk.level === 'enough' ? 0 : 1
  return [
    gauge('disk_free_bytes', 'Space left on the disk of the data directory.', disk.freeBytes),
    gauge('disk_reserve_bytes', 'Below so much nothing is registered.', disk.reserveBytes),
    gauge('disk_is_low', '1 where this server, as leader, refuses registrations.', isRefusing),
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
