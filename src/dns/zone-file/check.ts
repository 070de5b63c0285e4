import { formatName, isWithin, nameKey, sameName } from '../name.ts'
import { formatType, recordType } from '../record.ts'
import { recordsAt } from '../packed-records.ts'
import { dataKey } from './data-key.ts'
import { staticZone, targetOf } from '../static-zone.ts'
import { checkDomains } from './domains.ts'
import type { Name } from '../name.ts'
import type { SoaData } from '../record.ts'
import type { StaticZone } from '../static-zone.ts'
import type { Findings } from './findings.ts'
import type { Row } from './row.ts'

const { A, AAAA, NS, SOA, CNAME, DNAME, MX, SRV } = recordType
const hostTypes = [A, AAAA, CNAME]

/**
 * Checks that the records form a zone: one SOA, name servers with addresses, no other records at an
 * alias. Undefined if they do not. Gives all records of a set the same TTL.
 */
export function checkZone(
  rows: readonly Row[],
  { file, domains = [] }: { readonly file: string; readonly domains?: readonly Name[] },
  findings: Findings,
): StaticZone | undefined {
  const soa = rows.find(({ record }) => record.type === SOA)
  if (soa?.record.data.kind !== 'soa') {
    findings.fault(file, 1, 'the file has no SOA record')
    return undefined
  }
  const origin = soa.record.name
  checkDomains(soa, rows, domains, findings)
  const kept = rows.filter((row) => isInside(row, origin, findings))
  const unique = [...groupByName(kept).values()].flatMap((group) => checkName(group, findings))
  for (const row of unique) {
    if (row.record.type === SOA && row !== soa) {
      findings.fault(row.file, row.line, 'a second SOA record; a zone has exactly one')
    }
  }
  if (findings.hasFaults) return undefined
  const data: SoaData = soa.record.data
  const records = unique.map(({ record }) => record)
  const zone = staticZone(origin, { data, ttl: soa.record.ttl }, records)
  checkServers(zone, soa, unique, findings)
  for (const row of unique) checkTarget(zone, row, findings)
  checkHidden(zone, unique, findings)
  for (const row of unique) checkDots(zone, row, findings)
  return zone
}

function isInside({ file, line, record }: Row, origin: Name, findings: Findings): boolean {
  if (isWithin(record.name, origin)) return true
  const [name, zone] = [formatName(record.name), formatName(origin)]
  findings.warn(file, line, `${name} is outside of the zone ${zone}; svcd ignores it`)
  return false
}

function groupByName(rows: readonly Row[]): ReadonlyMap<string, Row[]> {
  const groups = new Map<string, Row[]>()
  let lastName: Name | undefined
  let last: Row[] = []
  for (const row of rows) {
    const { name } = row.record
    if (name !== lastName) {
      const key = nameKey(name)
      last = groups.get(key) ?? []
      if (last.length === 0) groups.set(key, last)
      lastName = name
    }
    last.push(row)
  }
  return groups
}

/** Checks the records of one name, and returns them without duplicates. */
function checkName(rows: readonly Row[], findings: Findings): readonly Row[] {
  const [only] = rows
  if (only !== undefined && rows.length === 1) {
    checkOwner(only, findings)
    return rows
  }
  const unique = withoutDoubles(rows)
  const first = new Map<number, Row>()
  for (const row of unique) {
    checkOwner(row, findings)
    const { record } = row
    const earlier = first.get(record.type)
    if (earlier === undefined) first.set(record.type, row)
    else checkSet(row, earlier, findings)
  }
  const alias = first.get(CNAME)
  // RFC 1034 §3.6.2: a name with a CNAME has no other records.
  if (alias !== undefined && first.size > 1) {
    const other = [...first.values()].findLast((row) => row !== alias) ?? alias
    const { file, line } = unique.indexOf(other) > unique.indexOf(alias) ? other : alias
    findings.fault(file, line, aliasReason(alias))
  }
  return unique
}

function aliasReason({ record }: Row): string {
  return `${formatName(record.name)} is an alias (CNAME) and cannot have other records`
}

/** A second record of a set: some types allow only one, and all records have the same TTL. */
function checkSet(row: Row, first: Row, findings: Findings): void {
  const { file, line, record } = row
  if (record.type === CNAME) findings.fault(file, line, aliasReason(row))
  if (record.type === DNAME) {
    const name = formatName(record.name)
    findings.fault(file, line, `${name} has a second DNAME record; only one is allowed`)
  }
  const { ttl } = first.record
  if (record.ttl === ttl) return
  const set = `${formatName(record.name)} ${formatType(record.type)}`
  // RFC 2181 §5.2.
  findings.warn(file, line, `${set}: the TTL differs from line ${first.line}; svcd uses ${ttl}`)
  row.record = { ...record, ttl }
}

function checkOwner({ file, line, record }: Row, findings: Findings): void {
  if (record.type !== NS || record.name[0] !== '*') return
  // RFC 4592 §4.2.
  findings.fault(file, line, `${formatName(record.name)} is a wildcard and cannot have NS records`)
}

function withoutDoubles(rows: readonly Row[]): readonly Row[] {
  const seen = new Set<string>()
  return rows.filter(({ record }) => {
    const key = dataKey(record)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

function checkServers(zone: StaticZone, soa: Row, rows: readonly Row[], findings: Findings): void {
  const servers = rows.filter(({ record }) => {
    return record.type === NS && sameName(record.name, zone.origin)
  })
  if (servers.length === 0) {
    findings.fault(soa.file, soa.line, `the zone ${formatName(zone.origin)} has no NS record`)
  }
  for (const { file, line, record } of servers) {
    const target = targetOf(record)
    const problem = target === undefined ? undefined : problemOfTarget(zone, target)
    if (problem !== undefined) findings.fault(file, line, `the name server ${problem}`)
  }
}

/** A mistake that no other check finds: `www.example.org` without its final dot, in example.org. */
function checkDots({ origin }: StaticZone, { file, line, record }: Row, findings: Findings): void {
  // A name may repeat an origin of one label on purpose: `com.com`.
  if (origin.length < 2) return
  const { data } = record
  const target = data.kind === 'name' ? data.name : targetOf(record)
  for (const name of target === undefined ? [record.name] : [record.name, target]) {
    if (name.length < 2 * origin.length || !isWithin(name, origin)) continue
    if (!isWithin(name.slice(0, name.length - origin.length), origin)) continue
    const [found, zone] = [formatName(name), formatName(origin)]
    findings.warn(file, line, `${found} repeats ${zone}; a final dot is probably missing`)
  }
}

/** As named-checkzone warns: hosts that are aliases or have no addresses. */
function checkTarget(zone: StaticZone, { file, line, record }: Row, findings: Findings): void {
  const { type } = record
  if (type !== MX && type !== SRV && (type !== NS || sameName(record.name, zone.origin))) return
  const target = targetOf(record)
  const problem = target === undefined ? undefined : problemOfTarget(zone, target)
  if (problem !== undefined) findings.warn(file, line, `the ${formatType(type)} host ${problem}`)
}

function problemOfTarget(zone: StaticZone, target: Name): string | undefined {
  // RFC 2782, RFC 7505: the root as target means that there is no such service.
  if (target.length === 0 || !isWithin(target, zone.origin)) return undefined
  const there = recordsFor(zone, target)
  const name = formatName(target)
  if (there.some(({ type }) => type === CNAME)) return `${name} is an alias (CNAME)`
  const isReachable = there.some(({ type }) => type === A || type === AAAA)
  return isReachable ? undefined : `${name} has no address (A or AAAA)`
}

/** The records at a name, including glue, or those of the wildcard that matches it. */
function recordsFor(zone: StaticZone, name: Name): readonly { readonly type: number }[] {
  for (let at = 0; at <= name.length - zone.origin.length; at++) {
    const here = recordsAt(zone.records, nameKey(name.slice(at)), hostTypes)
    if (here === undefined) continue
    if (at === 0) return here
    return recordsAt(zone.records, nameKey(['*', ...name.slice(at)]), hostTypes) ?? []
  }
  return []
}

/** Names below a delegation or a DNAME, which are never served. */
function checkHidden(zone: StaticZone, rows: readonly Row[], findings: Findings): void {
  const cuts = rows.filter(({ record }) => {
    const isCut = record.type === NS && !sameName(record.name, zone.origin)
    return isCut || record.type === DNAME
  })
  if (cuts.length === 0) return
  const keys = new Map(cuts.map((row) => [nameKey(row.record.name), row]))
  for (const { file, line, record } of rows) {
    const depth = record.name.length - zone.origin.length
    for (let at = 1; at < depth; at++) {
      const cut = keys.get(nameKey(record.name.slice(at)))
      if (cut === undefined) continue
      const isGlue = cut.record.type === NS && (record.type === A || record.type === AAAA)
      if (isGlue) break
      const where = `the ${formatType(cut.record.type)} record of ${formatName(cut.record.name)}`
      findings.warn(file, line, `${formatName(record.name)} is hidden by ${where}`)
      break
    }
  }
}
