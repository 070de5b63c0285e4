import { isWithin, lowerAscii, octetsToUtf8, sameName } from './name.ts'
import type { IpBytes } from '../base/ip.ts'
import type { Name } from './name.ts'

/** What a name stands for in the registry's domain. Texts are lower-case. */
export type Location =
  | { readonly kind: 'outside' }
  | { readonly kind: 'apex' }
  | { readonly kind: 'nameserver' }
  | ServiceLocation
  /** `_services._dns-sd._udp.<domain>`: the list of all services. */
  | { readonly kind: 'service-types' }
  /** `b._dns-sd._udp.<domain>`, which leads clients that browse to the domain. */
  | { readonly kind: 'browse-domains' }
  /** A prepared query, by its name, its ID or a template. */
  | { readonly kind: 'query'; readonly query: string }
  | { readonly kind: 'node'; readonly node: string }
  /** One address, or the IPv4 and the IPv6 address of one host. */
  | { readonly kind: 'address'; readonly ips: readonly IpBytes[] }
  /** The node that holds a lock. `path` names it: the labels with slashes between them. */
  | { readonly kind: 'lock'; readonly path: string }
  /** Exists only because names lie below it. */
  | { readonly kind: 'empty' }
  /** Neither it nor anything below it can exist. */
  | { readonly kind: 'unknown' }

export interface ServiceLocation {
  readonly kind: 'service'
  readonly service: string
  readonly tag: string | undefined
  /** The short form `_web._tcp.<domain>`, which has no addresses. */
  readonly srvOnly: boolean
  /** The label before the short form, which names one instance. */
  readonly instance?: string | undefined
}

const keywords = ['service', 'query', 'node', 'addr', 'lock'] as const

type Keyword = (typeof keywords)[number]

const empty: Location = { kind: 'empty' }
const unknown: Location = { kind: 'unknown' }

/**
 * Reads a name as Consul does: the labels below the domain are scanned from the right for the first
 * of `service`, `query`, `node`, `addr`, or svcd's own `lock`. The labels to its left name the object, the
 * labels to its right the datacenter (`dc1` or `dc1.dc`).
 */
export function locate(name: Name, domain: Name, datacenter: string): Location {
  if (!isWithin(name, domain)) return { kind: 'outside' }
  const labels = name
    .slice(0, name.length - domain.length)
    .map((label) => octetsToUtf8(lowerAscii(label)))
  if (labels.length === 0) return { kind: 'apex' }
  const dc = datacenter.toLowerCase()
  for (let at = labels.length - 1; at >= 0; at--) {
    const keyword = keywordOf(labels[at], dc)
    if (keyword === undefined) continue
    if (!isLocality(labels.slice(at + 1), dc)) return unknown
    return locateParts(keyword, labels.slice(0, at))
  }
  return locateWithoutKeyword(labels, dc)
}

function keywordOf(label: string | undefined, datacenter: string): Keyword | undefined {
  // In a datacenter of this name, the services of Consul's clients come first.
  if (label === 'lock' && datacenter === 'lock') return undefined
  return keywords.find((keyword) => keyword === label)
}

function isLocality(labels: readonly string[], datacenter: string): boolean {
  if (labels.length === 0) return true
  if (labels[0] !== datacenter) return false
  return labels.length === 1 || (labels.length === 2 && labels[1] === 'dc')
}

function locateParts(keyword: Keyword, parts: readonly string[]): Location {
  // RFC 8020: `service.consul` has names below it, so it must not be NXDOMAIN.
  if (parts.length === 0) return empty
  switch (keyword) {
    case 'node':
      return { kind: 'node', node: parts.join('.') }
    case 'addr': {
      const ips = parts.length === 1 ? parseHexAddresses(parts[0] ?? '') : []
      return ips.length === 0 ? unknown : { kind: 'address', ips }
    }
    case 'lock':
      return locateLock(parts)
    case 'service':
      return locateService(parts)
    case 'query':
      return locateQuery(parts)
  }
}

/** `leader.cron.backup` for the lock of `cron/backup`. Names of locks may lie below all other names. */
function locateLock([first = '', ...segments]: readonly string[]): Location {
  if (first !== 'leader' || segments.length === 0) return empty
  return { kind: 'lock', path: segments.join('/') }
}

function locateService(parts: readonly string[]): Location {
  const service = parts.at(-1) ?? ''
  if (parts.length === 2) {
    const rfc2782 = locateRfc2782(parts, false)
    if (rfc2782 !== undefined) return rfc2782
  }
  // `_tcp.service.consul`, or `_v1.…` for a tag v1: names may lie below any such label.
  if (parts.length === 1 && service.startsWith('_')) return empty
  const tag = parts.length === 1 ? undefined : parts.slice(0, -1).join('.')
  return { kind: 'service', service, tag, srvOnly: false }
}

/** `_web._tcp` stands for `web`, whatever the protocol, as in Consul 1.15. */
function locateQuery(parts: readonly string[]): Location {
  const [first = '', protocol = ''] = parts
  const isRfc2782 = parts.length === 2 && /^_./.test(first) && /^_./.test(protocol)
  return { kind: 'query', query: isRfc2782 ? first.slice(1) : parts.join('.') }
}

/** `_web._tcp`: the second label is a tag unless it is `_tcp`. So `_udp` is a tag, as in Consul. */
function locateRfc2782(parts: readonly string[], srvOnly: boolean): ServiceLocation | undefined {
  const [service = '', protocol = ''] = parts
  if (!/^_./.test(service) || !/^_./.test(protocol)) return undefined
  const tag = protocol === '_tcp' ? undefined : protocol.slice(1)
  return { kind: 'service', service: service.slice(1), tag, srvOnly }
}

function locateWithoutKeyword(labels: readonly string[], datacenter: string): Location {
  if (labels.length === 1 && labels[0] === 'ns') return { kind: 'nameserver' }
  if (sameName(labels, [datacenter]) || sameName(labels, ['dc'])) return empty
  if (sameName(labels, [datacenter, 'dc'])) return empty
  if (labels.length === 1 && labels[0]?.startsWith('_')) return empty
  if (sameName(labels.slice(-2), ['_dns-sd', '_udp'])) return locateBrowsing(labels.slice(0, -2))
  if (labels.length === 2) return locateRfc2782(labels, true) ?? unknown
  const [instance, ...type] = labels
  const location = type.length === 2 ? locateRfc2782(type, true) : undefined
  return location === undefined ? unknown : { ...location, instance }
}

/** RFC 6763 §9, and §11: `b` and `db` recommend domains for browsing, `lb` tells older clients to browse. */
function locateBrowsing(labels: readonly string[]): Location {
  const [first = '', ...rest] = labels
  if (labels.length === 0) return empty
  if (rest.length > 0) return unknown
  if (first === '_services') return { kind: 'service-types' }
  return ['b', 'db', 'lb'].includes(first) ? { kind: 'browse-domains' } : unknown
}

/** 8 hexadecimal digits for IPv4, 32 for IPv6, 40 for both in this order; otherwise []. */
export function parseHexAddresses(text: string): readonly IpBytes[] {
  const shape = /^([0-9a-f]{8})?([0-9a-f]{32})?$/.exec(text)
  return [shape?.[1], shape?.[2]]
    .filter((digits) => digits !== undefined)
    .map((digits) => new Uint8Array(Buffer.from(digits, 'hex')))
}

/** What {@link parseHexAddresses} reads: an address, or an IPv4 and then an IPv6 address. */
export function formatHexAddresses(ips: readonly IpBytes[]): string {
  return ips.map((ip) => Buffer.from(ip).toString('hex')).join('')
}
