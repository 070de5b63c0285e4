import { smallAny } from './small-any.ts'
import { negativeSections, noSections } from './sections.ts'
import { rcode, recordType } from './record.ts'
import { lookUpStatic, targetAddresses } from './static-zone.ts'
import type { Name } from './name.ts'
import type { ResourceRecord } from './record.ts'
import type { Sections } from './sections.ts'
import type { StaticZone } from './static-zone.ts'

/** The answer of a zone file to a question. */
export type StaticAnswer =
  | { readonly kind: 'sections'; readonly sections: Sections }
  /** The records of the answer, with the addresses of their targets in this zone. */
  | {
      readonly kind: 'records'
      readonly records: readonly ResourceRecord[]
      readonly additional: readonly ResourceRecord[]
    }
  /** The answer continues at another name, which may be in another zone. */
  | { readonly kind: 'alias'; readonly links: readonly ResourceRecord[]; readonly target: Name }
  | { readonly kind: 'missing' }

const { CNAME, ANY, SOA } = recordType

/** How much ANY gets: as `AnswerOptions`. */
interface AnySize {
  readonly smallAny: boolean
  readonly bytesMax?: number
}

/** Answers from one zone. */
export function answerStatic(
  zone: StaticZone,
  name: Name,
  type: number,
  size: AnySize,
): StaticAnswer {
  const result = lookUpStatic(zone, name, type)
  switch (result.kind) {
    case 'missing':
      return result
    case 'referral': {
      const { servers: authority, glue: additional } = result
      const sections = { ...noSections, authority, additional }
      return {
        kind: 'sections',
        sections: { rcode: rcode.NOERROR, authoritative: false, ...sections },
      }
    }
    case 'renamed':
      return rename(result.record, name, result.target)
    case 'records':
      return choose(zone, name, result.records, type, size)
  }
}

/** RFC 6672 §3.1: DNAME, and the CNAME that results for the name in question, with its TTL. */
function rename(record: ResourceRecord, name: Name, target: Name | undefined): StaticAnswer {
  if (target === undefined) {
    const sections = { ...noSections, answer: [record] }
    return {
      kind: 'sections',
      sections: { rcode: rcode.YXDOMAIN, authoritative: true, ...sections },
    }
  }
  const data = { kind: 'name', name: target } as const
  return { kind: 'alias', links: [record, { name, type: CNAME, ttl: record.ttl, data }], target }
}

function choose(
  zone: StaticZone,
  name: Name,
  records: readonly ResourceRecord[],
  type: number,
  size: AnySize,
): StaticAnswer {
  const alias = records.find((record) => record.type === CNAME)
  if (alias?.data.kind === 'name' && type !== CNAME && type !== ANY) {
    return { kind: 'alias', links: [alias], target: alias.data.name }
  }
  const setOf = (each: number): readonly ResourceRecord[] =>
    records.filter((record) => record.type === each)
  const some = type === ANY ? anyOf(name, records, setOf, size) : setOf(type)
  if (some.length === 0) {
    return {
      kind: 'sections',
      sections: negativeSections(rcode.NOERROR, staticSoa(zone)),
    }
  }
  const additional = type === ANY ? [] : targetAddresses(zone, some)
  return { kind: 'records', records: some, additional }
}

function anyOf(
  name: Name,
  records: readonly ResourceRecord[],
  setOf: (type: number) => readonly ResourceRecord[],
  size: AnySize,
): readonly ResourceRecord[] {
  if (!size.smallAny) return records
  const types = [...new Set(records.map(({ type }) => type))]
  return smallAny(name, types, setOf, size.bytesMax)
}

/** The SOA of negative answers, with the smaller of its TTL and its minimum. */
export function staticSoa(zone: StaticZone): ResourceRecord {
  const ttl = Math.min(zone.soaTtl, zone.soa.minimum)
  return { name: zone.origin, type: SOA, ttl, data: zone.soa }
}
