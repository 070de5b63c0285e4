import { isWithin, nameKey, readName, wireLength } from './name.ts'
import { recordType } from './record.ts'
import { packRecords, recordsAt } from './packed-records.ts'
import type { PackedRecords } from './packed-records.ts'
import type { Name } from './name.ts'
import type { ResourceRecord, SoaData } from './record.ts'

/** A zone read from a zone file; it can be sent to another thread unchanged. */
export interface StaticZone {
  readonly origin: Name
  readonly soa: SoaData
  readonly soaTtl: number
  /** The records at each name, none at an empty non-terminal. */
  readonly records: PackedRecords
}

/** The zones served in addition to the registry, by the {@link nameKey} of their origin. */
export type StaticZones = ReadonlyMap<string, StaticZone>

/** What a static zone has at a name. Records of a wildcard have the name in question as owner. */
export type StaticResult =
  | { readonly kind: 'records'; readonly records: readonly ResourceRecord[] }
  | {
      readonly kind: 'referral'
      readonly servers: readonly ResourceRecord[]
      readonly glue: readonly ResourceRecord[]
    }
  /** Names below `record`'s name are found below `target` (RFC 6672); undefined: too long. */
  | {
      readonly kind: 'renamed'
      readonly record: ResourceRecord
      readonly target: Name | undefined
    }
  | { readonly kind: 'missing' }

const { A, AAAA, NS, DS, DNAME } = recordType

/** The types that matter at a name above the one in question. */
const onTheWay = [NS, DNAME]

export function staticZones(zones: readonly StaticZone[]): StaticZones {
  return new Map(zones.map((zone) => [nameKey(zone.origin), zone]))
}

/** The zone with the longest origin that contains a name. */
export function staticZoneOf(zones: StaticZones, name: Name, type = 0): StaticZone | undefined {
  if (zones.size === 0) return undefined
  // RFC 4035 §3.1.4.1: DS belongs to the parent zone, if that zone is here too.
  if (type === DS && name.length > 0) {
    const parent = staticZoneOf(zones, name.slice(1))
    if (parent !== undefined) return parent
  }
  for (let at = 0; at <= name.length; at++) {
    const zone = zones.get(nameKey(name.slice(at)))
    if (zone !== undefined) return zone
  }
  return undefined
}

/** Packs the records of a zone; `records` are all at or below `origin`, its SOA among them. */
export function staticZone(
  origin: Name,
  soa: { readonly data: SoaData; readonly ttl: number },
  records: Iterable<ResourceRecord>,
): StaticZone {
  const index = new Map<string, ResourceRecord[]>()
  for (const record of records) {
    const key = nameKey(record.name)
    const there = index.get(key)
    if (there !== undefined) {
      there.push(record)
      continue
    }
    index.set(key, [record])
    // Names above it exist too: empty non-terminals, unless they have records of their own.
    for (let at = 1; at <= record.name.length - origin.length; at++) {
      const above = nameKey(record.name.slice(at))
      if (index.has(above)) break
      index.set(above, [])
    }
  }
  return { origin, soa: soa.data, soaTtl: soa.ttl, records: packRecords(index) }
}

/** Walks down from the origin as RFC 1034 §4.3.2 says: zone cuts first, then the name, then `*`. */
export function lookUpStatic(zone: StaticZone, name: Name, type: number): StaticResult {
  const top = name.length - zone.origin.length
  let closest: Name = zone.origin
  for (let at = top; at >= 0; at--) {
    const here = name.slice(at)
    const isEnd = at === 0
    const records = recordsAt(zone.records, nameKey(here), isEnd ? undefined : onTheWay)
    if (records === undefined) return wildcard(zone, closest, name)
    // At the cut itself the parent answers for DS and for nothing else (RFC 4035 §3.1.4.1).
    if (at < top && !(isEnd && type === DS)) {
      const servers = records.filter((record) => record.type === NS)
      if (servers.length > 0) return { kind: 'referral', servers, glue: glueOf(zone, servers) }
    }
    if (isEnd) return { kind: 'records', records }
    const renaming = records.find((record) => record.type === DNAME)
    if (renaming !== undefined) return renamed(renaming, name.slice(0, at))
    closest = here
  }
  return { kind: 'missing' }
}

/** RFC 4592 §3.3.1: only the wildcard right below the closest name that exists may match. */
function wildcard(zone: StaticZone, closest: Name, name: Name): StaticResult {
  const records = recordsAt(zone.records, nameKey(['*', ...closest]))
  if (records === undefined) return { kind: 'missing' }
  return { kind: 'records', records: records.map((record) => ({ ...record, name })) }
}

function renamed(record: ResourceRecord, below: Name): StaticResult {
  const { data } = record
  const suffix = data.kind === 'raw' ? readName(data.bytes, 0, data.bytes.length) : undefined
  const target = [...below, ...(suffix?.name ?? [])]
  return { kind: 'renamed', record, target: wireLength(target) > 255 ? undefined : target }
}

/** The addresses, in this zone, of the servers of a zone below: they may be below the cut. */
function glueOf(zone: StaticZone, servers: readonly ResourceRecord[]): readonly ResourceRecord[] {
  return targetsOf(servers).flatMap((target) => {
    if (!isWithin(target, zone.origin)) return []
    return recordsAt(zone.records, nameKey(target), [A, AAAA]) ?? []
  })
}

/** The addresses, in this zone, of the targets of NS, MX or SRV records. */
export function targetAddresses(
  zone: StaticZone,
  records: readonly ResourceRecord[],
): readonly ResourceRecord[] {
  return targetsOf(records).flatMap((target) => {
    if (!isWithin(target, zone.origin)) return []
    const found = lookUpStatic(zone, target, A)
    return found.kind === 'records' ? found.records.filter(isAddress) : []
  })
}

function isAddress({ type }: ResourceRecord): boolean {
  return type === A || type === AAAA
}

function targetsOf(records: readonly ResourceRecord[]): readonly Name[] {
  const targets = new Map<string, Name>()
  for (const record of records) {
    const target = targetOf(record)
    if (target !== undefined) targets.set(nameKey(target), target)
  }
  return [...targets.values()]
}

/** The host that a record of NS, MX or SRV names. */
export function targetOf({ type, data }: ResourceRecord): Name | undefined {
  if (data.kind === 'name') return type === NS ? data.name : undefined
  if (data.kind === 'srv') return data.target
  return data.kind === 'mx' ? data.exchange : undefined
}
