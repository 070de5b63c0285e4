import { arch, availableParallelism, platform } from 'node:os'
import type { CertificateExpiry } from '../base/expiry.ts'
import type { Statistics } from '../ports/facts.ts'
import type { ClusterStatus } from '../replica/messages.ts'

type PeerTlsFigures = NonNullable<ClusterStatus['peerTls']>

export interface StatisticsParts {
  readonly nodeId: string
  /** Undefined while the replica has not told it yet. */
  readonly status: ClusterStatus | undefined
  readonly appliedIndex: number
  /** Since the leader was heard; 0 on the leader. */
  readonly lastContactMs: number
  readonly certificates: readonly CertificateExpiry[]
}

/** What `svcd info` shows of Raft and of the process, under Consul's names where it has them. */
export function statistics(parts: StatisticsParts): Statistics {
  const tls = parts.status?.peerTls
  return {
    raft: raftFacts(parts),
    runtime: runtimeFacts(),
    ...(tls === undefined ? {} : { peer_tls: tlsFacts(tls) }),
    ...(parts.certificates.length === 0 ? {} : { certificates: expiryDates(parts) }),
  }
}

function raftFacts({ nodeId, status, appliedIndex, lastContactMs }: StatisticsParts) {
  const servers = status?.servers ?? []
  const own = servers.find(({ id }) => id === nodeId)
  const configuration = servers.map(
    ({ id, address, isVoter }) =>
      `{Suffrage:${isVoter ? 'Voter' : 'Nonvoter'} ID:${id} Address:${address}}`,
  )
  const role = status?.role ?? 'unknown'
  return {
    applied_index: String(appliedIndex),
    last_contact: `${lastContactMs}ms`,
    // The status is told now and then, what is applied is read now.
    last_log_index: String(Math.max(own?.lastIndex ?? 0, appliedIndex)),
    latest_configuration: `[${configuration.join(' ')}]`,
    latest_configuration_index: String(status?.configIndex ?? 0),
    num_peers: String(servers.filter(({ id, isVoter }) => isVoter && id !== nodeId).length),
    state: role.charAt(0).toUpperCase() + role.slice(1),
    term: String(status?.term ?? 0),
  }
}

/** Connections between servers. */
function tlsFacts({ mode, encrypted, plain }: PeerTlsFigures) {
  return { mode, connections_encrypted: String(encrypted), connections_plain: String(plain) }
}

/** When each certificate expires. */
function expiryDates({ certificates }: StatisticsParts): Readonly<Record<string, string>> {
  const dates = certificates.map(
    ({ use, expiresMs }) => [use, new Date(expiresMs).toISOString()] as const,
  )
  return Object.fromEntries(dates)
}

function runtimeFacts() {
  const { rss, heapUsed, external } = process.memoryUsage()
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  return {
    arch: arch(),
    cpu_count: String(availableParallelism()),
    cpu_seconds: ((userCPUTime + systemCPUTime) / 1e6).toFixed(1),
    external_bytes: String(external),
    heap_bytes: String(heapUsed),
    os: platform(),
    pid: String(process.pid),
    rss_bytes: String(rss),
    uptime_seconds: process.uptime().toFixed(1),
    version: `node ${process.versions.node}`,
  }
}
