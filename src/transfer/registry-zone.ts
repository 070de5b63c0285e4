import type { IpBytes } from '../base/ip.ts'
import { contentsAt, instanceContents } from '../dns/contents.ts'
import type { Contents } from '../dns/contents-shape.ts'
import { addressName } from '../dns/host-data.ts'
import { formatHexAddresses, locate } from '../dns/locate.ts'
import type { Location } from '../dns/locate.ts'
import { isNearlyHostName, isValidName, utf8ToOctets } from '../dns/name.ts'
import type { Name } from '../dns/name.ts'
import { encodeData } from '../dns/rdata.ts'
import { recordType } from '../dns/record.ts'
import type { RecordData, ResourceRecord } from '../dns/record.ts'
import { staticZoneOf } from '../dns/static-zone.ts'
import type { Endpoint, View } from '../dns/view.ts'
import { soaData } from '../dns/zone.ts'
import type { Zone } from '../dns/zone.ts'

/** What there is in the registry: the names of a zone are made from it. Each is walked through once. */
export interface RegistryNames {
  /** In lower case. */
  services(): Iterable<string>
  nodes(): Iterable<{ readonly name: string; readonly id: string }>
  addresses(): Iterable<IpBytes>
  /** Prepared queries without templates: those have any number of names. */
  queries(): Iterable<{ readonly name: string; readonly id: string }>
}

const { NS, SOA, SRV, CNAME, DNAME } = recordType

/** The SOA of the registry's zone, as answers have it. */
export function registrySoa(zone: Zone, serial: number): ResourceRecord {
  const data = { ...soaData(zone), serial, isLive: false }
  return { name: zone.domain, type: SOA, ttl: zone.soa.minimum, data }
}

/**
 * All records of the registry's zone except its SOA: at each name what DNS answers there. `zone` has the
 * domain that is transferred. All must be of one moment.
 */
export function* registryZone(
  view: View,
  names: RegistryNames,
  zone: Zone,
): Generator<ResourceRecord, void> {
  const scope = new Scope(view, zone)
  yield* apexRecords(scope)
  for (const service of names.services()) yield* serviceRecords(scope, service)
  for (const { name, id } of names.nodes()) yield* nodeRecords(scope, name, id)
  for (const ip of names.addresses()) yield* addressRecords(scope, ip)
  for (const { name, id } of names.queries()) yield* queryRecords(scope, name, id)
}

/** The names of one domain, and what is at them. */
class Scope {
  readonly view: View
  readonly zone: Zone
  readonly #localities: readonly Name[]

  constructor(view: View, zone: Zone) {
    this.view = view
    this.zone = zone
    this.#localities = [[], [zone.datacenter]]
  }

  /** The full names of labels below the domain, without and with the datacenter. */
  *everywhere(labels: Name): Generator<Name, void> {
    for (const locality of this.#localities) yield* this.within([...labels, ...locality])
  }

  /** The full name, if there can be such a name, and no zone file has it. */
  *within(labels: Name): Generator<Name, void> {
    const { domain, staticZones } = this.zone
    const name = [...labels, ...domain]
    const fixed = isValidName(name) ? staticZoneOf(staticZones, name) : undefined
    if (!isValidName(name) || (fixed && fixed.origin.length > domain.length)) return
    yield name
  }

  locate(name: Name): Location {
    return locate(name, this.zone.domain, this.zone.datacenter)
  }

  /** What DNS has at a name, whatever stands for it. */
  *at(name: Name): Generator<ResourceRecord, void> {
    const contents = contentsAt(this.locate(name), this.view, this.zone)
    if (contents !== undefined) yield* recordsOf(name, contents, contents.types)
  }
}

/** An alias is the only record at its name (RFC 2181 §10.1), except where only SRV is asked for. */
function* recordsOf(
  name: Name,
  contents: Contents,
  types: readonly number[],
): Generator<ResourceRecord, void> {
  const { alias, ttl } = contents
  if (alias !== undefined && types.some((type) => type !== SRV)) {
    yield { name, type: CNAME, ttl, data: { kind: 'name', name: alias } }
    return
  }
  for (const type of types) {
    for (const data of contents.data(type)) yield { name, type, ttl, data }
  }
}

function* apexRecords(scope: Scope): Generator<ResourceRecord, void> {
  const { zone, view } = scope
  const { domain, datacenter } = zone
  const nameserver = ['ns', ...domain]
  const servers = contentsAt({ kind: 'apex' }, view, zone)?.data(NS) ?? []
  // Secondaries refuse a zone without name servers.
  const named: readonly RecordData[] =
    servers.length > 0 ? servers : [{ kind: 'name', name: nameserver }]
  for (const data of named) yield { name: domain, type: NS, ttl: zone.nodeTtl, data }
  yield* scope.at(nameserver)
  // The names below `dc1.dc` are those below `dc1`: one record instead of as many again.
  const target = encodeData({ kind: 'name', name: [datacenter, ...domain] })
  const data = { kind: 'raw', bytes: Buffer.from(target, 'latin1') } as const
  const name = [datacenter, 'dc', ...domain]
  if (isValidName(name)) yield { name, type: DNAME, ttl: zone.nodeTtl, data }
}

/** Names that do not stand for this service, such as those of a tag with a dot at its end, are left out. */
function* serviceRecords(scope: Scope, service: string): Generator<ResourceRecord, void> {
  const endpoints = scope.view.service(service)
  if (endpoints === undefined || endpoints.length === 0) return
  const label = utf8ToOctets(service)
  for (const tag of [undefined, ...tagsOf(endpoints)]) {
    const labels = tag === undefined ? [] : utf8ToOctets(tag).split('.')
    for (const name of scope.everywhere([...labels, label, 'service'])) {
      yield* instanceRecords(scope, name, endpoints, { service, tag })
    }
    // The names of RFC 2782 are for SRV queries.
    const protocol = tag === undefined ? '_tcp' : `_${utf8ToOctets(tag)}`
    if (protocol.includes('.') || tag === 'tcp') continue
    for (const name of scope.everywhere([`_${label}`, protocol, 'service'])) {
      yield* instanceRecords(scope, name, endpoints, { service, tag }, [SRV])
    }
    for (const name of scope.within([`_${label}`, protocol])) {
      yield* instanceRecords(scope, name, endpoints, { service, tag }, [SRV])
    }
  }
}

function* instanceRecords(
  scope: Scope,
  name: Name,
  endpoints: readonly Endpoint[],
  wanted: { readonly service: string; readonly tag: string | undefined },
  types?: readonly number[],
): Generator<ResourceRecord, void> {
  const location = scope.locate(name)
  if (location.kind !== 'service') return
  if (location.service !== wanted.service || location.tag !== wanted.tag) return
  const contents = instanceContents(endpoints, location, scope.zone)
  if (contents !== undefined) yield* recordsOf(name, contents, types ?? contents.types)
}

function tagsOf(endpoints: readonly Endpoint[]): ReadonlySet<string> {
  return new Set(endpoints.flatMap(({ tags }) => tags.map((tag) => tag.toLowerCase())))
}

function* nodeRecords(scope: Scope, node: string, id: string): Generator<ResourceRecord, void> {
  const { view, zone } = scope
  const key = node.toLowerCase()
  const entry = view.node(key)
  if (entry === undefined) return
  for (const name of scope.everywhere([...utf8ToOctets(key).split('.'), 'node'])) {
    const location = scope.locate(name)
    if (location.kind === 'node' && location.node === key) yield* scope.at(name)
  }
  // A node that is named like the ID of another comes first, as in answers.
  if (id !== '' && view.node(id) === undefined) {
    for (const name of scope.everywhere([id, 'node'])) yield* scope.at(name)
  }
  const { v4, v6 } = entry.addresses
  if (v4 === undefined || v6 === undefined) return
  // Records name such a node by its addresses; see contents.ts.
  if (isNearlyHostName([...node.split('.'), 'node'])) return
  yield* scope.at(addressName([v4, v6], zone))
}

function* addressRecords(scope: Scope, ip: IpBytes): Generator<ResourceRecord, void> {
  for (const name of scope.everywhere([formatHexAddresses([ip]), 'addr'])) yield* scope.at(name)
}

function* queryRecords(scope: Scope, query: string, id: string): Generator<ResourceRecord, void> {
  const octets = utf8ToOctets(query.toLowerCase())
  const labels = octets === '' ? [] : octets.split('.')
  for (const path of labels.length === 0 ? [[id]] : [labels, [id]]) {
    for (const name of scope.everywhere([...path, 'query'])) {
      if (scope.locate(name).kind === 'query') yield* scope.at(name)
    }
  }
}
