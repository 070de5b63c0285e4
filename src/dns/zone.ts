import { isWithin } from './name.ts'
import type { Name } from './name.ts'
import type { SoaData } from './record.ts'
import type { StaticZones } from './static-zone.ts'

/** What the answers for the registry's domain depend on, besides the registry itself. */
export interface Zone {
  /** Lower-case labels: ['consul']. */
  readonly domain: Name
  /** A second domain with the same names; its answers stay within it. */
  readonly altDomain?: Name | undefined
  readonly datacenter: string
  readonly soa: SoaFields
  /** Seconds. */
  readonly nodeTtl: number
  /** Seconds by service name, by `prefix*` or by `*`; the exact name wins, then the longest prefix. */
  readonly serviceTtls: Readonly<Record<string, number>>
  /** Send a node's meta as TXT along with its addresses. */
  readonly nodeMetaTxt: boolean
  /** The answer for a service whose instances are all unhealthy; NXDOMAIN in Consul. */
  readonly emptyAnswer: 'nxdomain' | 'nodata'
  /** Set TC in an answer that is cut, so that clients retry over TCP. */
  readonly enableTruncate: boolean
  /** Zone files, in addition to the registry. The zone with the longest matching origin answers. */
  readonly staticZones: StaticZones
  /** Whether some clients may transfer zones. */
  readonly offersTransfers?: boolean | undefined
}

/** Without the serial, which is the index of the log that has been applied. */
export interface SoaFields {
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

/** Consul's defaults, for one domain and datacenter. */
export function defaultZone(domain: Name, datacenter: string): Zone {
  return {
    domain,
    datacenter,
    soa: { refresh: 3600, retry: 600, expire: 86_400, minimum: 0 },
    nodeTtl: 0,
    serviceTtls: {},
    nodeMetaTxt: true,
    emptyAnswer: 'nxdomain',
    enableTruncate: true,
    staticZones: new Map(),
  }
}

/** The zone for `name`: names within the alternative domain have that as their domain. */
export function zoneAt(name: Name, zone: Zone): Zone {
  const { domain, altDomain } = zone
  if (altDomain === undefined || !isWithin(name, altDomain)) return zone
  // One domain may be within the other.
  if (domain.length > altDomain.length && isWithin(name, domain)) return zone
  return { ...zone, domain: altDomain }
}

export function soaData(zone: Zone): SoaData {
  return {
    kind: 'soa',
    primary: ['ns', ...zone.domain],
    mailbox: ['hostmaster', ...zone.domain],
    serial: 0,
    isLive: true,
    ...zone.soa,
  }
}

export function serviceTtl(zone: Zone, service: string): number {
  const name = service.toLowerCase()
  let best = { length: -1, ttl: 0 }
  for (const [pattern, ttl] of Object.entries(zone.serviceTtls)) {
    const wanted = pattern.toLowerCase()
    if (wanted === name) return ttl
    const prefix = wanted.endsWith('*') ? wanted.slice(0, -1) : undefined
    if (prefix !== undefined && name.startsWith(prefix) && prefix.length > best.length) {
      best = { length: prefix.length, ttl }
    }
  }
  return best.ttl
}
