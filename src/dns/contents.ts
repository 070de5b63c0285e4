import { isNearlyHostName, isValidName, nameKey, parseName } from './name.ts'
import { formatHexAddresses } from './locate.ts'
import { recordType } from './record.ts'
import { metaStrings } from './txt.ts'
import { serviceTtl, soaData } from './zone.ts'
import type { IpBytes } from '../base/ip.ts'
import type { Location } from './locate.ts'
import type { Name } from './name.ts'
import type { RecordData, ResourceRecord, SrvData } from './record.ts'
import type { Addresses, Endpoint, NodeEntry, View } from './view.ts'
import type { Zone } from './zone.ts'

/** The records at one existing name of the registry's domain. */
export interface Contents {
  /** The name that it is an alias of; an alias has no addresses. */
  readonly alias: Name | undefined
  /** The types that it can have, in the order in which ANY lists them. */
  readonly types: readonly number[]
  readonly ttl: number
  data(type: number): readonly RecordData[]
  /** How many of the first records stay in front when the others change places. */
  leading?(type: number): number
  /** Additional records that save the client a query. */
  additional(type: number, owner: Name): readonly ResourceRecord[]
}

const { A, AAAA, SRV, TXT, NS, SOA } = recordType
const nothing = (): readonly never[] => []

/** A name that exists without records: an empty non-terminal, or a service without a healthy instance. */
const emptyContents: Contents = {
  alias: undefined,
  types: [],
  ttl: 0,
  data: nothing,
  additional: nothing,
}

/** The contents at a location; undefined when there is no such name (NXDOMAIN). */
export function contentsAt(location: Location, view: View, zone: Zone): Contents | undefined {
  switch (location.kind) {
    case 'apex':
      return apexContents(view, zone)
    case 'nameserver':
      return hostContents(mergeServers(view.servers()), zone.nodeTtl)
    case 'address':
      return hostContents(location.ips.map(addressesOfIp), zone.nodeTtl)
    case 'node': {
      const node = view.node(location.node) ?? nodeOfId(location.node, view)
      if (node !== undefined) return nodeContents(node, zone)
      return view.hasNodeBelow(location.node) ? emptyContents : undefined
    }
    case 'lock':
      return findLock(location.path, view, zone)
    case 'service':
      return findService(location, view, zone)
    case 'query':
      return findQuery(location.query, view, zone)
    case 'empty':
      return emptyContents
    case 'unknown':
    case 'outside':
      return undefined
  }
}

/** Names take precedence over IDs, even if a node is named like the ID of another. */
function nodeOfId(text: string, view: View): NodeEntry | undefined {
  const isUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
  return isUuid ? view.nodeById(text) : undefined
}

/**
 * `<path>/.lock` is the key of `svcd lock <path>`, and of Consul's command. Other programs lock the key
 * itself. A lock moves at any time, so its answers have a TTL of 0.
 */
function findLock(path: string, view: View, zone: Zone): Contents | undefined {
  const holders = [`${path}/.lock`, path].map((key) => view.lockHolder(key))
  const holder = holders.find((node) => node !== undefined && node !== '')
  if (holder !== undefined) {
    const node = view.node(holder.toLowerCase())
    return node === undefined ? emptyContents : nodeContents(node, { ...zone, nodeTtl: 0 })
  }
  const isKnown = holders.some((node) => node === '')
  if (isKnown && zone.emptyAnswer === 'nodata') return emptyContents
  // A key may begin with the label: `leader.leader.cron.lock.consul` is below this name (RFC 8020).
  const below = [`leader/${path}/.lock`, `leader/${path}`].map((key) => view.lockHolder(key))
  return below.some((node) => node !== undefined && node !== '') ? emptyContents : undefined
}

function findService(
  location: Extract<Location, { kind: 'service' }>,
  view: View,
  zone: Zone,
): Contents | undefined {
  const endpoints = view.service(location.service)
  return endpoints && instanceContents(endpoints, location, zone)
}

/** The contents of a name of a service that has these instances. */
export function instanceContents(
  endpoints: readonly Endpoint[],
  location: Extract<Location, { kind: 'service' }>,
  zone: Zone,
): Contents | undefined {
  if (endpoints.length === 0) return zone.emptyAnswer === 'nodata' ? emptyContents : undefined
  const tag = location.tag
  const tagged =
    tag === undefined
      ? endpoints
      : endpoints.filter(({ tags }) => tags.some((other) => other.toLowerCase() === tag))
  if (tagged.length > 0) {
    return serviceContents(tagged, serviceTtl(zone, location.service), zone, location.srvOnly)
  }
  // With a tag "a.b", `b.web.service.consul` has a name below it (RFC 8020).
  const isAboveTag = endpoints.some(({ tags }) =>
    tags.some((other) => other.toLowerCase().endsWith(`.${tag}`)),
  )
  return isAboveTag ? emptyContents : undefined
}

/** As a service: the same rules decide what exists. */
function findQuery(name: string, view: View, zone: Zone): Contents | undefined {
  const { target, hasBelow } = view.query(name)
  // RFC 8020: with a query `a.b`, the name `b` has a name below it.
  if (target === undefined) return hasBelow ? emptyContents : undefined
  const { endpoints, near, service } = target
  if (endpoints.length === 0) {
    return hasBelow || zone.emptyAnswer === 'nodata' ? emptyContents : undefined
  }
  const ttl = target.ttl ?? serviceTtl(zone, service)
  const contents = serviceContents(endpoints, ttl, zone, false)
  if (near === 0) return contents
  const first = serviceContents(endpoints.slice(0, near), ttl, zone, false)
  return { ...contents, leading: (type) => first.data(type).length }
}

function serviceContents(
  endpoints: readonly Endpoint[],
  ttl: number,
  zone: Zone,
  srvOnly: boolean,
): Contents {
  const hosts = endpoints.map(reachableAt)
  const alias = srvOnly ? undefined : soleAlias(hosts)
  let made: readonly Srv[] | undefined
  const srvs = (): readonly Srv[] => (made ??= services(endpoints, zone))
  return {
    alias,
    types: srvOnly ? [SRV] : [A, AAAA, SRV, TXT],
    ttl,
    data: (type) => {
      if (type === SRV) return srvs().map(({ data }) => data)
      if (srvOnly) return []
      if (type === TXT) return txtData(endpoints.flatMap(({ meta }) => metaStrings(meta ?? {})))
      return alias === undefined ? ipData(hosts, type) : []
    },
    additional: (type) =>
      type === SRV
        ? uniqueHosts(srvs()).flatMap(({ target, host }) => hostRecords(target, host, ttl))
        : [],
  }
}

/** The service's own address, or otherwise its node's. */
function reachableAt(endpoint: Endpoint): Addresses {
  return isEmpty(endpoint.service) ? endpoint.nodeAddresses : endpoint.service
}

function isEmpty({ v4, v6, name }: Addresses): boolean {
  return v4 === undefined && v6 === undefined && name === undefined
}

/**
 * The first host name, and only while no instance has an IP address: a CNAME must be the only record
 * (RFC 2181 §10.1), so an address of either family rules it out.
 */
function soleAlias(hosts: readonly Addresses[]): Name | undefined {
  let alias: Name | undefined
  for (const { v4, v6, name } of hosts) {
    if (v4 !== undefined || v6 !== undefined) return undefined
    if (alias === undefined && name !== undefined) alias = hostName(name)
  }
  return alias
}

/** A host name as labels; undefined if it cannot be sent. */
function hostName(text: string): Name | undefined {
  const name = parseName(text)
  return name === undefined || name.length === 0 ? undefined : name
}

interface Srv {
  readonly data: SrvData
  readonly target: Name
  /** The addresses of the target; empty if they are not known here. */
  readonly host: Addresses
}

/** One per instance that can be named; instances with the same target and port share one. */
function services(endpoints: readonly Endpoint[], zone: Zone): readonly Srv[] {
  const found = new Map<string, Srv>()
  for (const endpoint of endpoints) {
    const at = srvTarget(endpoint, zone)
    if (at === undefined) continue
    const { port, weight } = endpoint
    const key = `${port}/${nameKey(at.target)}`
    const data = { kind: 'srv', priority: 1, weight, port, target: at.target } as const
    if (!found.has(key)) found.set(key, { data, ...at })
  }
  return [...found.values()]
}

/**
 * The node's name when the service uses its node's address. `<hex>.addr…` when it has an IP of its
 * own, or resolvers reject the node's name. A host name as it is (RFC 2782 wants a target with
 * addresses, not an alias).
 */
function srvTarget(endpoint: Endpoint, zone: Zone): Pick<Srv, 'target' | 'host'> | undefined {
  const host = reachableAt(endpoint)
  // If a service has two addresses of its own, the same choice as in Consul.
  const ip = host.v6 ?? host.v4
  if (ip === undefined) {
    const target = host.name === undefined ? undefined : hostName(host.name)
    return target === undefined ? undefined : { target, host: {} }
  }
  const node = isEmpty(endpoint.service) ? nodeTarget(endpoint.node, host, zone) : undefined
  if (node !== undefined) return { target: node, host }
  return { target: addressName([ip], zone), host: addressesOfIp(ip) }
}

/**
 * What leads to a node: its name, or one made of its addresses if resolvers reject its name. Either
 * has the addresses of both families. Undefined when it has neither such a name nor an IP address.
 */
function nodeTarget(node: string, { v4, v6 }: Addresses, zone: Zone): Name | undefined {
  const name = nodeName(node, zone)
  if (name !== undefined) return name
  const ips = [v4, v6].filter((ip) => ip !== undefined)
  return ips.length === 0 ? undefined : addressName(ips, zone)
}

/**
 * `<node>.node.<dc>.<domain>`; undefined when that is not nearly a host name: some resolvers drop
 * a whole answer that leads to a name with a space or an octet beyond ASCII in it. They all accept
 * underscores.
 */
function nodeName(node: string, zone: Zone): Name | undefined {
  const labels = [...node.split('.'), 'node']
  return isNearlyHostName(labels) ? within(labels, zone) : undefined
}

/** `<hex>.addr.<dc>.<domain>`: a host name that every address has, and every pair of IPv4 and IPv6. */
export function addressName(ips: readonly IpBytes[], zone: Zone): Name {
  return [formatHexAddresses(ips), 'addr', zone.datacenter, ...zone.domain]
}

/** The labels below datacenter and domain; undefined when the whole is too long. */
export function within(labels: Name, zone: Zone): Name | undefined {
  const name = [...labels, zone.datacenter, ...zone.domain]
  return isValidName(name) ? name : undefined
}

function uniqueHosts(services: readonly Srv[]): readonly Srv[] {
  return [...new Map(services.map((srv) => [nameKey(srv.target), srv])).values()]
}

function nodeContents(node: NodeEntry, zone: Zone): Contents {
  const host = hostContents(node.addresses, zone.nodeTtl)
  const texts = txtData(metaStrings(node.meta))
  return {
    ...host,
    types: [A, AAAA, TXT],
    data: (type) => (type === TXT ? texts : host.data(type)),
    // Consul sends a node's meta along with its addresses.
    additional: (type, owner) =>
      zone.nodeMetaTxt && (type === A || type === AAAA)
        ? texts.map((data) => ({ name: owner, type: TXT, ttl: zone.nodeTtl, data }))
        : [],
  }
}

function hostContents(addresses: Addresses | readonly Addresses[], ttl: number): Contents {
  const hosts = [addresses].flat()
  return {
    alias: soleAlias(hosts),
    types: [A, AAAA],
    ttl,
    data: (type) => ipData(hosts, type),
    additional: nothing,
  }
}

/** Leaves out servers known only by a host name: `ns.<domain>` must not be an alias. */
function mergeServers(servers: readonly NodeEntry[]): readonly Addresses[] {
  return servers.map(({ addresses: { v4, v6 } }) => ({ v4, v6 }))
}

function apexContents(view: View, zone: Zone): Contents {
  const servers = view.servers().flatMap((server) => serverHost(server, zone) ?? [])
  const glue = servers.flatMap(({ name, addresses }) => hostRecords(name, addresses, zone.nodeTtl))
  return {
    alias: undefined,
    types: [SOA, NS],
    // One TTL would do for an RRset only: SOA has its own, see soaTtl.
    ttl: zone.nodeTtl,
    data: (type) => {
      if (type === SOA) return [soaData(zone)]
      return type === NS ? servers.map(({ name }) => ({ kind: 'name', name })) : []
    },
    additional: (type) => (type === NS ? glue : []),
  }
}

/** The name of a server in NS records. */
function serverHost(
  { node, addresses }: NodeEntry,
  zone: Zone,
): { readonly name: Name; readonly addresses: Addresses } | undefined {
  const name = nodeTarget(node, addresses, zone)
  return name && { name, addresses }
}

function hostRecords(name: Name, { v4, v6 }: Addresses, ttl: number): ResourceRecord[] {
  const records: ResourceRecord[] = []
  if (v4 !== undefined) records.push({ name, type: A, ttl, data: { kind: 'ip', ip: v4 } })
  if (v6 !== undefined) records.push({ name, type: AAAA, ttl, data: { kind: 'ip', ip: v6 } })
  return records
}

function addressesOfIp(ip: IpBytes): Addresses {
  return ip.length === 4 ? { v4: ip } : { v6: ip }
}

function ipData(hosts: readonly Addresses[], type: number): readonly RecordData[] {
  if (type !== A && type !== AAAA) return []
  const found = new Map<number | string, RecordData>()
  for (const { v4, v6 } of hosts) {
    const ip = type === A ? v4 : v6
    if (ip !== undefined) found.set(ipKey(ip), { kind: 'ip', ip })
  }
  return [...found.values()]
}

function ipKey(ip: IpBytes): number | string {
  if (ip.length > 4) return String.fromCharCode(...ip)
  const [a = 0, b = 0, c = 0, d = 0] = ip
  return (a << 24) | (b << 16) | (c << 8) | d
}

/** One TXT record per text, duplicates removed. */
function txtData(texts: readonly (readonly string[])[]): readonly RecordData[] {
  const found = new Map(texts.map((strings) => [strings.join(''), strings]))
  return [...found.values()].map((strings) => ({ kind: 'txt', strings }))
}
