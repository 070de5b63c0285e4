import { isWithin, nameKey } from './name.ts'
import { recordType } from './record.ts'
import type { Name } from './name.ts'
import type { ResourceRecord, SoaData } from './record.ts'

/** A zone read from a zone file. `index` holds an empty list at each empty non-terminal. */
export interface StaticZone {
  readonly origin: Name
  readonly soa: SoaData
  readonly soaTtl: number
  /** The records at each name, by {@link nameKey}. */
  readonly index: ReadonlyMap<string, readonly ResourceRecord[]>
}

/** What a static zone has at a name. The records of a wildcard stand at the name asked for. */
export type StaticResult =
  | { readonly kind: 'records'; readonly records: readonly ResourceRecord[] }
  | {
      readonly kind: 'referral'
      readonly servers: readonly ResourceRecord[]
      readonly glue: readonly ResourceRecord[]
    }
  | { readonly kind: 'missing' }

/** Indexes the records of a zone; `records` are all at or below `origin`, its SOA among them. */
export function staticZone(
  origin: Name,
  soa: { readonly data: SoaData; readonly ttl: number },
  records: readonly ResourceRecord[],
): StaticZone {
  const index = new Map<string, ResourceRecord[]>()
  for (const record of records) {
    for (let at = 0; at <= record.name.length - origin.length; at++) {
      const key = nameKey(record.name.slice(at))
      const there = index.get(key) ?? []
      if (at === 0) there.push(record)
      index.set(key, there)
    }
  }
  return { origin, soa: soa.data, soaTtl: soa.ttl, index }
}

/** Walks down from the origin as RFC 1034 §4.3.2 says: zone cuts first, then the name, then `*`. */
export function lookUpStatic(zone: StaticZone, name: Name): StaticResult {
  const top = name.length - zone.origin.length
  let closest: Name = zone.origin
  for (let at = top; at >= 0; at--) {
    const here = name.slice(at)
    const records = zone.index.get(nameKey(here))
    if (records === undefined) return wildcard(zone, closest, name)
    const servers = records.filter(({ type }) => type === recordType.NS)
    if (at < top && servers.length > 0) {
      return { kind: 'referral', servers, glue: glueOf(zone, servers) }
    }
    if (at === 0) return { kind: 'records', records }
    closest = here
  }
  return { kind: 'missing' }
}

/** RFC 4592 §3.3.1: only the wildcard right below the closest name that exists may match. */
function wildcard(zone: StaticZone, closest: Name, name: Name): StaticResult {
  const records = zone.index.get(nameKey(['*', ...closest]))
  if (records === undefined) return { kind: 'missing' }
  return { kind: 'records', records: records.map((record) => ({ ...record, name })) }
}

/** The addresses, in this zone, of the targets of NS, MX or SRV records. */
export function glueOf(
  zone: StaticZone,
  records: readonly ResourceRecord[],
): readonly ResourceRecord[] {
  const glue = new Map<string, readonly ResourceRecord[]>()
  for (const { data } of records) {
    const target = targetOf(data)
    if (target === undefined || !isWithin(target, zone.origin)) continue
    const there = zone.index.get(nameKey(target)) ?? []
    glue.set(
      nameKey(target),
      there.filter(({ type }) => type === recordType.A || type === recordType.AAAA),
    )
  }
  return [...glue.values()].flat()
}

function targetOf(data: ResourceRecord['data']): Name | undefined {
  if (data.kind === 'name') return data.name
  if (data.kind === 'srv') return data.target
  return data.kind === 'mx' ? data.exchange : undefined
}
