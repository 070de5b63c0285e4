import { contentsAt } from './contents.ts'
import { locate } from './locate.ts'
import { isWithin, nameKey, sameName } from './name.ts'
import { rcode, recordClass, recordType } from './record.ts'
import { parseReverse } from './reverse.ts'
import { reverseContents } from './reverse-contents.ts'
import { negativeSections, noSections } from './sections.ts'
import { bindingTarget } from './service-binding.ts'
import { answerStatic, staticSoa } from './static-answer.ts'
import { smallAny } from './small-any.ts'
import { staticZoneOf } from './static-zone.ts'
import { serviceTtl, soaData, zoneAt } from './zone.ts'
import type { Contents } from './contents-shape.ts'
import type { Message, Question } from './message.ts'
import type { Name } from './name.ts'
import type { ResourceRecord } from './record.ts'
import type { Sections } from './sections.ts'
import type { StaticZone } from './static-zone.ts'
import type { PlainAddresses, View } from './view.ts'
import type { Zone } from './zone.ts'

export interface AnswerOptions {
  /** Keep answers to ANY small (RFC 8482); set for UDP, where ANY amplifies. */
  readonly smallAny: boolean
  /** The size limit of the answer in octets, if it is known: it saves building extras that are cut. */
  readonly bytesMax?: number
}

interface Scope extends AnswerOptions {
  readonly view: View
  readonly zone: Zone
}

const { A, AAAA, CNAME, SRV, ANY, SOA, AXFR, IXFR, SVCB, HTTPS } = recordType

/** How many aliases svcd follows in a row. */
const aliasDepthMax = 16

/** Owner as a pointer, type, class, TTL, length: no record of an answer is shorter. */
const recordBytesMin = 12

/** Answers a question in full, whatever the size; `fit` cuts the answer afterwards. */
export function answer(
  question: Question,
  view: View,
  zone: Zone,
  options: AnswerOptions,
): Message {
  const { name, type } = question
  const refused = { rcode: rcode.REFUSED, authoritative: false, ...noSections }
  if (isRefused(question, zone, options)) return { question, truncated: false, ...refused }
  // RFC 1995 §2: over UDP the SOA alone tells a client that it has to ask over TCP.
  const asked = type === IXFR ? SOA : type
  const sections = resolve({ view, zone, ...options }, name, asked, [nameKey(name)])
  return { question, truncated: false, ...(sections ?? { ...refused, outside: name }) }
}

/** Whether one of the zones contains the name, so that its answer depends on the registry's state. */
export function isServed(name: Name, zone: Zone): boolean {
  return (
    isWithin(name, zoneAt(name, zone).domain) ||
    staticZoneOf(zone.staticZones, name) !== undefined ||
    parseReverse(name) !== undefined
  )
}

/** Zone transfers use TCP, and are answered elsewhere. svcd serves class IN only; ANY is treated as IN. */
function isRefused(
  { name, type, class: asked }: Question,
  zone: Zone,
  { smallAny: isUdp }: AnswerOptions,
): boolean {
  if (type === AXFR) return true
  if (type === IXFR && !(isUdp && zone.offersTransfers === true && isApex(name, zone))) return true
  return asked !== recordClass.IN && asked !== recordClass.ANY
}

function isApex(name: Name, zone: Zone): boolean {
  return zone.staticZones.has(nameKey(name)) || sameName(name, zoneAt(name, zone).domain)
}

/** The zone file that has the name instead of the registry. */
function zoneFileOf(
  name: Name,
  type: number,
  { staticZones, domain }: Zone,
): StaticZone | undefined {
  const fixed = staticZoneOf(staticZones, name, type)
  const isAbove = fixed !== undefined && fixed.origin.length <= domain.length
  return isAbove && isWithin(name, domain) ? undefined : fixed
}

/**
 * What {@link answer} would answer to the question, if that is one address of each instance of a service and nothing
 * else; undefined: it takes more to answer it.
 */
export function addressesFor(
  { name, type, class: asked }: Question,
  view: View,
  all: Zone,
): { readonly addresses: PlainAddresses; readonly ttl: number } | undefined {
  if ((type !== A && type !== AAAA) || asked !== recordClass.IN) return undefined
  const zone = zoneAt(name, all)
  if (zoneFileOf(name, type, zone) !== undefined) return undefined
  const location = locate(name, zone.domain, zone.datacenter)
  if (location.kind !== 'service' || location.tag !== undefined || location.srvOnly)
    return undefined
  const addresses = view.lookUp?.(location.service)?.addresses()
  if (addresses?.size !== (type === A ? 4 : 16)) return undefined
  return { addresses, ttl: serviceTtl(zone, location.service) }
}

/** Undefined if no zone here contains the name. `seen` has the keys of the aliases so far. */
function resolve(
  scope: Scope,
  name: Name,
  type: number,
  seen: readonly string[],
): Sections | undefined {
  const zone = zoneAt(name, scope.zone)
  const fixed = zoneFileOf(name, type, zone)
  if (fixed !== undefined) return resolveStatic(scope, fixed, name, type, seen)
  const location = locate(name, zone.domain, zone.datacenter)
  if (location.kind === 'outside') return resolveReverse(scope, name, type)
  const contents = contentsAt(location, scope.view, zone, scope.bytesMax)
  if (contents === undefined) return negative(zone, rcode.NXDOMAIN)
  const isAliasOnly = type === ANY && contents.alias !== undefined
  const records = isAliasOnly ? [] : recordsOf(scope, contents, name, type)
  if (records.length > 0) {
    const found = positive(scope, records, () => contents.additional(type, name))
    const leading = contents.leading?.(type)
    const weights = contents.weights?.(type, records.length)
    return leading === undefined && weights === undefined ? found : { ...found, leading, weights }
  }
  // SRV records are the registry's own, even if another server has the addresses.
  if (contents.alias === undefined || type === SRV) return negative(zone, rcode.NOERROR)
  const { ttl, alias } = contents
  const link = { name, type: CNAME, ttl, data: { kind: 'name', name: alias } } as const
  return followAlias(scope, [link], alias, type, seen)
}

/**
 * An address in the registry is a zone of its own, with the SOA at its reverse name. Other addresses
 * belong to other servers (undefined), except for names above a known address: those exist.
 */
function resolveReverse(scope: Scope, name: Name, type: number): Sections | undefined {
  const { view, zone } = scope
  const reverse = parseReverse(name)
  if (reverse === undefined || reverse.kind === 'nothing') return undefined
  if (reverse.kind === 'prefix') {
    // Not for `in-addr.arpa` and `ip6.arpa` themselves: they never belong to this server.
    const isAbove = reverse.prefix.length > 1 && view.hasAddressBelow(reverse.prefix)
    return isAbove ? negative({ ...zone, domain: name }, rcode.NOERROR, zone) : undefined
  }
  const contents = reverseContents(reverse.ip, view, zone)
  if (contents === undefined) return undefined
  const { apex } = reverse
  if (apex.length < name.length) return negative({ ...zone, domain: apex }, rcode.NXDOMAIN, zone)
  const records = recordsOf(scope, contents, name, type)
  if (records.length > 0) return positive(scope, records)
  return negative({ ...zone, domain: apex }, rcode.NOERROR, zone)
}

function recordsOf(
  scope: Scope,
  contents: Contents,
  name: Name,
  type: number,
): readonly ResourceRecord[] {
  const setOf = (each: number): readonly ResourceRecord[] => {
    const ttl = each === SOA ? scope.zone.soa.minimum : contents.ttl
    return contents.data(each).map((data) => ({ name, type: each, ttl, data }))
  }
  if (type !== ANY) return setOf(type)
  if (scope.smallAny) return smallAny(name, contents.types, setOf, scope.bytesMax)
  return contents.types.flatMap(setOf)
}

/** The alias, and the records at its target if zones served here have them. */
function followAlias(
  scope: Scope,
  links: readonly ResourceRecord[],
  target: Name,
  type: number,
  seen: readonly string[],
): Sections {
  const alone = { rcode: rcode.NOERROR, authoritative: true, ...noSections, answer: links }
  const key = nameKey(target)
  if (type === CNAME || type === ANY || seen.includes(key) || seen.length > aliasDepthMax) {
    return alone
  }
  const end = resolve(scope, target, type, [...seen, key])
  if (end === undefined) return { ...alone, outside: target }
  // The resolver finds a referral below an alias when it queries the target.
  if (!end.authoritative) return alone
  return { ...end, answer: [...links, ...end.answer] }
}

function positive(
  scope: Scope,
  records: readonly ResourceRecord[],
  additional: () => readonly ResourceRecord[] = () => [],
): Sections {
  const found = { rcode: rcode.NOERROR, authoritative: true, ...noSections, answer: records }
  // An answer that will be cut has no additional records: see fit.ts.
  if (records.length * recordBytesMin > (scope.bytesMax ?? Infinity)) return found
  const own = additional()
  return { ...found, additional: [...own, ...addressesOfTargets(scope, records, own)] }
}

/** Addresses of SRV, MX, SVCB and HTTPS targets that are host names within the zones served here. */
function addressesOfTargets(
  scope: Scope,
  records: readonly ResourceRecord[],
  known: readonly ResourceRecord[],
): readonly ResourceRecord[] {
  const done = new Set(known.map(({ name }) => nameKey(name)))
  const found: ResourceRecord[] = []
  for (const record of records) {
    const target = targetOf(record)
    if (target === undefined) continue
    const key = nameKey(target)
    if (done.has(key)) continue
    done.add(key)
    for (const type of [A, AAAA]) {
      const records = resolve(scope, target, type, [key])?.answer ?? []
      found.push(
        ...records.filter((record) => record.type === type && sameName(record.name, target)),
      )
    }
  }
  return found
}

function targetOf({ type, data }: ResourceRecord): Name | undefined {
  if (data.kind === 'mx') return data.exchange
  if (data.kind === 'srv') return data.target
  const isBinding = type === SVCB || type === HTTPS
  return isBinding && data.kind === 'raw' ? bindingTarget(data.bytes) : undefined
}

function negative(
  zone: Zone,
  code: typeof rcode.NXDOMAIN | typeof rcode.NOERROR,
  named = zone,
): Sections {
  const known = named === zone ? negatives.get(zone)?.[code] : undefined
  if (known !== undefined) return known
  const soa = { name: zone.domain, type: SOA, ttl: zone.soa.minimum, data: soaData(named) }
  const sections = negativeSections(code, soa)
  if (named === zone) negatives.set(zone, { ...negatives.get(zone), [code]: sections })
  return sections
}

/** One object per zone: the responder recognises it and encodes it only once. */
const negatives = new WeakMap<Zone, Readonly<Record<number, Sections>>>()

function resolveStatic(
  scope: Scope,
  fixed: StaticZone,
  name: Name,
  type: number,
  seen: readonly string[],
): Sections {
  const found = answerStatic(fixed, name, type, scope)
  switch (found.kind) {
    case 'sections':
      return found.sections
    case 'records':
      return positive(scope, found.records, () => found.additional)
    case 'alias':
      return followAlias(scope, found.links, found.target, type, seen)
    case 'missing': {
      // A zone file for `10.in-addr.arpa` makes this server the authority; the registry adds names.
      const reverse = resolveReverse(scope, name, type)
      if (reverse === undefined) return negativeSections(rcode.NXDOMAIN, staticSoa(fixed))
      if (reverse.answer.length > 0) return reverse
      return { ...reverse, authority: [staticSoa(fixed)] }
    }
  }
}
