import { browseContents, browseDomains, serviceTypes } from './browse.ts'
import { addressesOfIp, hostRecords, ipData, nodeTarget, soleAlias } from './host-data.ts'
import { tcpBytesMax } from './query-scan.ts'
import { recordType } from './record.ts'
import { serviceContents } from './service-contents.ts'
import { metaStrings, txtData } from './txt.ts'
import { serviceTtl, soaData } from './zone.ts'
import type { Contents } from './contents-shape.ts'
import type { Location, ServiceLocation } from './locate.ts'
import type { Name } from './name.ts'
import type { Addresses, Endpoint, NodeEntry, View } from './view.ts'
import type { Zone } from './zone.ts'

const { A, AAAA, TXT, NS, SOA } = recordType
const nothing = (): readonly never[] => []

/** A name that exists without records: an empty non-terminal, or a service without a healthy instance. */
const emptyContents: Contents = {
  alias: undefined,
  types: [],
  ttl: 0,
  data: nothing,
  additional: nothing,
}

/**
 * The contents at a location; undefined when there is no such name (NXDOMAIN). A list without a bound
 * is read only as far as an answer of `bytesMax` octets needs it.
 */
export function contentsAt(
  location: Location,
  view: View,
  zone: Zone,
  bytesMax = tcpBytesMax,
): Contents | undefined {
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
      return findService(location, view, zone, bytesMax)
    case 'service-types':
      return serviceTypes(view, zone, bytesMax)
    case 'browse-domains':
      return browseDomains(zone)
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
  location: ServiceLocation,
  view: View,
  zone: Zone,
  bytesMax: number,
): Contents | undefined {
  const endpoints = view.service(location.service)
  return endpoints && instanceContents(endpoints, location, zone, bytesMax)
}

/** The contents of a name of a service that has these instances. */
export function instanceContents(
  endpoints: readonly Endpoint[],
  location: ServiceLocation,
  zone: Zone,
  bytesMax = tcpBytesMax,
): Contents | undefined {
  if (endpoints.length === 0) return zone.emptyAnswer === 'nodata' ? emptyContents : undefined
  const tag = location.tag
  const tagged =
    tag === undefined
      ? endpoints
      : endpoints.filter(({ tags }) => tags.some((other) => other.toLowerCase() === tag))
  if (tagged.length > 0) {
    if (location.srvOnly) return browseContents(tagged, location, zone, bytesMax)
    return serviceContents(tagged, serviceTtl(zone, location.service), zone)
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
  const contents = serviceContents(endpoints, ttl, zone)
  if (near === 0) return contents
  const first = serviceContents(endpoints.slice(0, near), ttl, zone)
  return { ...contents, leading: (type) => first.data(type).length }
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
