import { contentsAt } from './contents.ts'
import { locate } from './locate.ts'
import { isWithin, nameKey } from './name.ts'
import { rcode, recordClass, recordType } from './record.ts'
import { glueOf, lookUpStatic } from './static-zone.ts'
import { soaData } from './zone.ts'
import type { Contents } from './contents.ts'
import type { Message, Question } from './message.ts'
import type { Name } from './name.ts'
import type { Rcode, ResourceRecord } from './record.ts'
import type { StaticZone } from './static-zone.ts'
import type { View } from './view.ts'
import type { Zone } from './zone.ts'

export interface AnswerOptions {
  /** Answer ANY with one RRset only (RFC 8482); set for UDP, where ANY amplifies. */
  readonly smallAny: boolean
}

interface Scope extends AnswerOptions {
  readonly view: View
  readonly zone: Zone
}

/** The sections found for a name and type. */
interface Sections {
  readonly rcode: Rcode
  readonly authoritative: boolean
  readonly answer: readonly ResourceRecord[]
  readonly authority: readonly ResourceRecord[]
  readonly additional: readonly ResourceRecord[]
}

const { CNAME, SRV, ANY, SOA, AXFR, IXFR } = recordType

/** How many names a chain of aliases is followed through. */
const aliasDepthMax = 3

const noSections = { answer: [], authority: [], additional: [] } as const

/** Answers a question in full, whatever its size; `fit` cuts it down afterwards. */
export function answer(
  question: Question,
  view: View,
  zone: Zone,
  options: AnswerOptions,
): Message {
  const { name, type } = question
  const sections = isRefused(question)
    ? undefined
    : resolve({ view, zone, ...options }, name, type, [nameKey(name)])
  return {
    question,
    truncated: false,
    ...(sections ?? { rcode: rcode.REFUSED, authoritative: false, ...noSections }),
  }
}

/** Whether one of the zones holds the name, so that the registry's state matters to its answer. */
export function isServed(name: Name, zone: Zone): boolean {
  return isWithin(name, zone.domain) || staticZoneOf(name, zone) !== undefined
}

/** Zone transfers are not offered, and no class but IN is served; ANY may stand for IN. */
function isRefused({ type, class: asked }: Question): boolean {
  if (type === AXFR || type === IXFR) return true
  return asked !== recordClass.IN && asked !== recordClass.ANY
}

/** Undefined when no zone here holds the name. `seen` are the keys of the chain up to it. */
function resolve(
  scope: Scope,
  name: Name,
  type: number,
  seen: readonly string[],
): Sections | undefined {
  const fixed = staticZoneOf(name, scope.zone)
  if (fixed !== undefined) return resolveStatic(scope, fixed, name, type, seen)
  const location = locate(name, scope.zone.domain, scope.zone.datacenter)
  if (location.kind === 'outside') return undefined
  const contents = contentsAt(location, scope.view, scope.zone)
  if (contents === undefined) return negative(scope.zone, rcode.NXDOMAIN)
  const isAliasOnly = type === ANY && contents.alias !== undefined
  const records = isAliasOnly ? [] : recordsOf(scope, contents, name, type)
  if (records.length > 0) return positive(scope, records, contents.additional(type, name))
  // SRV records are the registry's own even where the addresses are somebody else's.
  if (contents.alias === undefined || type === SRV) {
    return negative(scope.zone, rcode.NOERROR)
  }
  const { ttl, alias } = contents
  const link = { name, type: CNAME, ttl, data: { kind: 'name', name: alias } } as const
  return followAlias(scope, link, alias, type, seen)
}

function recordsOf(
  { zone, smallAny }: Scope,
  contents: Contents,
  name: Name,
  type: number,
): readonly ResourceRecord[] {
  const records: ResourceRecord[] = []
  for (const each of type === ANY ? contents.types : [type]) {
    const ttl = each === SOA ? zone.soa.minimum : contents.ttl
    for (const data of contents.data(each)) records.push({ name, type: each, ttl, data })
    // RFC 8482 §4.1: a subset is answer enough.
    if (type === ANY && smallAny && records.length > 0) break
  }
  return records
}

/** The alias and, as far as it leads through zones served here, what it leads to. */
function followAlias(
  scope: Scope,
  link: ResourceRecord,
  target: Name,
  type: number,
  seen: readonly string[],
): Sections {
  const alone = { rcode: rcode.NOERROR, authoritative: true, ...noSections, answer: [link] }
  const key = nameKey(target)
  if (type === CNAME || type === ANY || seen.includes(key) || seen.length > aliasDepthMax) {
    return alone
  }
  const end = resolve(scope, target, type, [...seen, key])
  // A referral below an alias is for the resolver to find by asking for the target.
  if (end === undefined || !end.authoritative) return alone
  return { ...end, answer: [link, ...end.answer] }
}

function positive(
  scope: Scope,
  records: readonly ResourceRecord[],
  additional: readonly ResourceRecord[],
): Sections {
  const more = [...additional, ...addressesOfTargets(scope, records, additional)]
  return {
    rcode: rcode.NOERROR,
    authoritative: true,
    answer: records,
    authority: [],
    additional: more,
  }
}

/** Addresses of SRV targets that are host names within the zones served here. */
function addressesOfTargets(
  scope: Scope,
  records: readonly ResourceRecord[],
  known: readonly ResourceRecord[],
): readonly ResourceRecord[] {
  const done = new Set(known.map(({ name }) => nameKey(name)))
  const found: ResourceRecord[] = []
  for (const { data } of records) {
    if (data.kind !== 'srv') continue
    const target = data.target
    if (done.has(nameKey(target))) continue
    done.add(nameKey(target))
    for (const type of [recordType.A, recordType.AAAA]) {
      const records = resolve(scope, target, type, [nameKey(target)])?.answer ?? []
      found.push(...records.filter((record) => record.type === type && record.name === target))
    }
  }
  return found
}

/** NXDOMAIN or NODATA: the SOA tells how long it may be remembered (RFC 2308 §3). */
function negative(zone: Zone, code: Rcode): Sections {
  const ttl = zone.soa.minimum
  const soa = { name: zone.domain, type: SOA, ttl, data: soaData(zone) }
  return { rcode: code, authoritative: true, ...noSections, authority: [soa] }
}

function staticZoneOf(name: Name, zone: Zone): StaticZone | undefined {
  let best: StaticZone | undefined
  for (const fixed of zone.staticZones) {
    const floor = best?.origin.length ?? (isWithin(name, zone.domain) ? zone.domain.length : -1)
    if (fixed.origin.length > floor && isWithin(name, fixed.origin)) best = fixed
  }
  return best
}

function resolveStatic(
  scope: Scope,
  fixed: StaticZone,
  name: Name,
  type: number,
  seen: readonly string[],
): Sections {
  const result = lookUpStatic(fixed, name)
  if (result.kind === 'missing') return staticNegative(fixed, rcode.NXDOMAIN)
  if (result.kind === 'referral') {
    const { servers: authority, glue: additional } = result
    return { rcode: rcode.NOERROR, authoritative: false, answer: [], authority, additional }
  }
  const { records } = result
  const alias = records.find((record) => record.type === CNAME)
  if (alias?.data.kind === 'name') return followAlias(scope, alias, alias.data.name, type, seen)
  const matching = records.filter((record) => type === ANY || record.type === type)
  const [first] = matching
  if (first === undefined) return staticNegative(fixed, rcode.NOERROR)
  const some =
    type === ANY && scope.smallAny
      ? matching.filter((record) => record.type === first.type)
      : matching
  return positive(scope, some, type === ANY ? [] : glueOf(fixed, some))
}

function staticNegative(fixed: StaticZone, code: Rcode): Sections {
  const ttl = Math.min(fixed.soaTtl, fixed.soa.minimum)
  const soa = { name: fixed.origin, type: SOA, ttl, data: fixed.soa }
  return { rcode: code, authoritative: true, ...noSections, authority: [soa] }
}
