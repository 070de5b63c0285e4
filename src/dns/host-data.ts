import { formatHexAddresses } from './locate.ts'
import { isNearlyHostName, isValidName, parseName } from './name.ts'
import { recordType } from './record.ts'
import type { IpBytes } from '../base/ip.ts'
import type { Name } from './name.ts'
import type { RecordData, ResourceRecord } from './record.ts'
import type { Addresses, Endpoint } from './view.ts'
import type { Zone } from './zone.ts'

const { A, AAAA } = recordType

/** The service's own address, or otherwise its node's. */
export function reachableAt(endpoint: Endpoint): Addresses {
  return isEmpty(endpoint.service) ? endpoint.nodeAddresses : endpoint.service
}

export function isEmpty({ v4, v6, name }: Addresses): boolean {
  return v4 === undefined && v6 === undefined && name === undefined
}

/**
 * The first host name, and only while no instance has an IP address: a CNAME must be the only record
 * (RFC 2181 §10.1), so an address of either family rules it out.
 */
export function soleAlias(hosts: readonly Addresses[]): Name | undefined {
  let alias: Name | undefined
  for (const { v4, v6, name } of hosts) {
    if (v4 !== undefined || v6 !== undefined) return undefined
    if (alias === undefined && name !== undefined) alias = hostName(name)
  }
  return alias
}

/** A host name as labels; undefined if it cannot be sent. */
export function hostName(text: string): Name | undefined {
  const name = parseName(text)
  return name === undefined || name.length === 0 ? undefined : name
}

/**
 * What leads to a node: its name, or one made of its addresses if resolvers reject its name. Either
 * has the addresses of both families. Undefined when it has neither such a name nor an IP address.
 */
export function nodeTarget(node: string, { v4, v6 }: Addresses, zone: Zone): Name | undefined {
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

export function hostRecords(name: Name, { v4, v6 }: Addresses, ttl: number): ResourceRecord[] {
  const records: ResourceRecord[] = []
  if (v4 !== undefined) records.push({ name, type: A, ttl, data: { kind: 'ip', ip: v4 } })
  if (v6 !== undefined) records.push({ name, type: AAAA, ttl, data: { kind: 'ip', ip: v6 } })
  return records
}

export function addressesOfIp(ip: IpBytes): Addresses {
  return ip.length === 4 ? { v4: ip } : { v6: ip }
}

export function ipData(hosts: readonly Addresses[], type: number): readonly RecordData[] {
  if (type !== A && type !== AAAA) return []
  const found = new Map<number | string, RecordData>()
  for (const { v4, v6 } of hosts) {
    const ip = type === A ? v4 : v6
    if (ip !== undefined) found.set(ipKey(ip), { kind: 'ip', ip })
  }
  return [...found.values()]
}

/** Whether no instance shares its address with another, and all have the same weight. */
export function hasEqualWeights(endpoints: readonly Endpoint[], count: number): boolean {
  const [first] = endpoints
  return count === endpoints.length && endpoints.every(({ weight }) => weight === first?.weight)
}

/** The weights of what {@link ipData} returns: of instances with the same address, their sum. */
export function ipWeights(
  endpoints: readonly Endpoint[],
  hosts: readonly Addresses[],
  type: number,
): readonly number[] {
  const found = new Map<number | string, number>()
  for (const [at, { v4, v6 }] of hosts.entries()) {
    const ip = type === A ? v4 : v6
    if (ip === undefined) continue
    const key = ipKey(ip)
    found.set(key, (found.get(key) ?? 0) + (endpoints[at]?.weight ?? 0))
  }
  return [...found.values()]
}

function ipKey(ip: IpBytes): number | string {
  if (ip.length > 4) return String.fromCharCode(...ip)
  const [a = 0, b = 0, c = 0, d = 0] = ip
  return (a << 24) | (b << 16) | (c << 8) | d
}
