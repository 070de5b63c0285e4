import { hostPort } from '../../../base/host-port.ts'
import { consulVersion } from '../../../base/version.ts'
import { nodeCheckId, serverServiceId } from '../../../state/catalog/model.ts'
import type { Check } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import type { ClusterServer } from '../../../ports/cluster.ts'
import type { Identity } from '../../../ports/identity.ts'
import type { Reads } from '../../../ports/reads.ts'
import type { Cluster } from '../../../ports/cluster.ts'

// Serf's numbers for what is known of a member.
const statuses = { none: 0, alive: 1, failed: 4 } as const
export type MemberStatus = keyof typeof statuses

/** A server of the cluster with what the catalog knows of it. */
export interface ServerMember {
  readonly server: ClusterServer
  /** '' while the catalog does not have it yet. */
  readonly name: string
  readonly status: MemberStatus
  /** Of svcd; '' while it is not known. */
  readonly version: string
}

/** What the members are read from. */
export interface MembersContext {
  readonly identity: Identity
  readonly cluster: Pick<Cluster, 'cluster'>
  readonly catalog: Reads<CatalogReader>
}

/** Every server of the cluster, sorted by name; before there is one, this server alone. */
export function serverMembers({ catalog, cluster, identity }: MembersContext): ServerMember[] {
  const { servers } = cluster.cluster()
  return catalog.read((reader) =>
    (servers.length === 0 ? [lonely(identity)] : servers)
      .map((server) => memberOf(server, identity, reader))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  )
}

function lonely(identity: Identity): ClusterServer {
  const { nodeId: id } = identity
  return { id, address: serverAddress(identity), isVoter: false, isLeader: false, lastIndex: 0 }
}

function memberOf(server: ClusterServer, identity: Identity, catalog: CatalogReader): ServerMember {
  if (server.id === identity.nodeId) {
    return { server, name: identity.nodeName, status: 'alive', version: identity.version }
  }
  const node = catalog.nodeById(server.id)
  if (node === undefined) return { server, name: '', status: 'none', version: '' }
  const status = statusOf(catalog.check(node.name, nodeCheckId))
  const version = catalog.service(node.name, serverServiceId)?.meta['version'] ?? ''
  return { server, name: node.name, status, version }
}

function statusOf(check: Check | undefined): MemberStatus {
  if (check === undefined) return 'none'
  return check.status === 'critical' ? 'failed' : 'alive'
}

/** A row of agent/members. `hasAcls`: whether this agent has access control on; nothing is known of the others. */
export function memberJson(member: ServerMember, { datacenter }: Identity, hasAcls: boolean) {
  const { server, status, version } = member
  const { host, port } = splitAddress(server.address)
  return {
    Name: nameOf(member),
    Addr: host,
    Port: port,
    Tags: {
      acls: hasAcls ? '1' : '0',
      build: `${consulVersion}:svcd-${version}`,
      dc: datacenter,
      id: server.id,
      port: String(port),
      role: 'consul',
      segment: '',
      vsn: '2',
      vsn_max: '3',
      vsn_min: '2',
    },
    Status: statuses[status],
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  }
}

/** As Consul calls a server that has no name yet. */
export function nameOf({ name }: Pick<ServerMember, 'name'>): string {
  return name === '' ? '(unknown)' : name
}

export function serverAddress({ address, ports }: Identity): string {
  return hostPort(address, ports.server)
}

/** `host:port` or `[ip6]:port`. */
function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}
