import { formatName, isWithin, nameKey, sameName } from './name.ts'
import { formatType, parseType, recordType } from './record.ts'
import { staticZone } from './static-zone.ts'
import { ZoneFileProblem, absoluteName, parseData, parseTtl } from './zone-file-data.ts'
import { lexZoneFile } from './zone-file-lexer.ts'
import type { Name } from './name.ts'
import type { ResourceRecord, SoaData } from './record.ts'
import type { StaticZone } from './static-zone.ts'
import type { Token, ZoneEntry } from './zone-file-lexer.ts'

export type ZoneFileResult =
  | { readonly zone: StaticZone }
  /** One text a fault: `file:line: reason`. */
  | { readonly faults: readonly string[] }

interface Row {
  readonly line: number
  readonly record: ResourceRecord
}

/**
 * Parses a master file (RFC 1035 §5): `$ORIGIN`, `$TTL`, parentheses, relative names, omitted owners,
 * classes and TTLs. `file` is for the messages; `origin` holds until the first `$ORIGIN`.
 */
export function parseZoneFile(
  text: string,
  { file, origin }: { readonly file: string; readonly origin?: Name | undefined },
): ZoneFileResult {
  const lexed = lexZoneFile(text)
  const reader = new Reader(origin)
  for (const entry of lexed.entries) reader.read(entry)
  const faults = [...lexed.errors, ...reader.faults]
  const checked = faults.length > 0 ? undefined : check(reader.rows)
  if (checked !== undefined && 'zone' in checked) return checked
  const all = checked === undefined ? faults : checked.faults
  return {
    faults: all
      .toSorted((a, b) => a.line - b.line)
      .map(({ line, reason }) => `${file}:${line}: ${reason}`),
  }
}

interface Fault {
  readonly line: number
  readonly reason: string
}

/** What one entry leaves for the next: origin, default TTL, owner. */
class Reader {
  readonly rows: Row[] = []
  readonly faults: Fault[] = []
  #origin: Name | undefined
  #defaultTtl: number | undefined
  #lastTtl: number | undefined
  #owner: Name | undefined

  constructor(origin: Name | undefined) {
    this.#origin = origin
  }

  read(entry: ZoneEntry): void {
    try {
      const first = entry.tokens[0]
      if (first?.text.startsWith('$') === true && !first.quoted) this.#directive(entry.tokens)
      else this.#record(entry)
    } catch (error) {
      if (!(error instanceof ZoneFileProblem)) throw error
      this.faults.push({ line: entry.line, reason: error.message })
    }
  }

  #directive([name, ...rest]: readonly Token[]): void {
    const [value] = rest
    const directive = name?.text.toUpperCase()
    if (directive !== '$ORIGIN' && directive !== '$TTL') {
      throw new ZoneFileProblem(`${name?.text} is not supported; use $ORIGIN and $TTL`)
    }
    if (value === undefined || rest.length > 1) {
      throw new ZoneFileProblem(`${directive} takes one value`)
    }
    if (directive === '$ORIGIN') this.#origin = absoluteName(value.text, this.#origin)
    else this.#defaultTtl = parseTtl(value.text)
  }

  #record({ line, continuesOwner, tokens }: ZoneEntry): void {
    let at = 0
    if (!continuesOwner) {
      // Set only when it is one, so that later records do not take over a bad owner.
      this.#owner = undefined
      this.#owner = absoluteName(tokens[at++]?.text, this.#origin)
    }
    const name = this.#owner
    if (name === undefined) throw new ZoneFileProblem('no owner before this record')
    let ttl: number | undefined
    // TTL and class may stand in either order, and both may be left out.
    for (; at < tokens.length; at++) {
      const word = tokens[at]?.text ?? ''
      if (/^\d/.test(word)) ttl = parseTtl(word)
      else if (/^(?:CH|HS|CS)$/i.test(word))
        throw new ZoneFileProblem(`class ${word}: only IN is served`)
      else if (word.toUpperCase() !== 'IN') break
    }
    const typeText = tokens[at++]?.text
    const type = typeText === undefined ? undefined : parseType(typeText)
    if (typeText === undefined || type === undefined || isMetaType(type)) {
      throw new ZoneFileProblem(`"${typeText ?? ''}" is no record type`)
    }
    const data = parseData(type, tokens.slice(at), this.#origin ?? [])
    // RFC 2308 §4: $TTL first; without it the TTL of the record before, or the SOA's minimum.
    const fallback = this.#defaultTtl ?? this.#lastTtl
    const given = ttl ?? fallback ?? (data.kind === 'soa' ? data.minimum : undefined)
    if (given === undefined) throw new ZoneFileProblem('no TTL; put a $TTL at the top')
    this.#lastTtl = given
    this.rows.push({ line, record: { name, type, ttl: given, data } })
  }
}

function isMetaType(type: number): boolean {
  return type === recordType.OPT || (type >= 128 && type <= 255) || type === 0
}

/** What makes records a zone: one SOA, servers, nothing outside, aliases alone, one TTL a set. */
function check(rows: readonly Row[]): { zone: StaticZone } | { faults: Fault[] } {
  const soas = rows.filter(({ record }) => record.type === recordType.SOA)
  const [soa, second] = soas
  if (soa?.record.data.kind !== 'soa') return { faults: [{ line: 1, reason: 'no SOA record' }] }
  if (second !== undefined)
    return { faults: [{ line: second.line, reason: 'a second SOA record' }] }
  const origin = soa.record.name
  const faults = groupByName(rows).flatMap((siblings) =>
    siblings.flatMap((row) => checkRow(row, siblings, origin)),
  )
  const hasServers = rows.some(
    ({ record }) => record.type === recordType.NS && sameName(record.name, origin),
  )
  if (!hasServers) {
    faults.push({ line: soa.line, reason: `no NS record at ${formatName(origin)}` })
  }
  if (faults.length > 0) return { faults }
  const data: SoaData = soa.record.data
  const zone = staticZone(origin, { data, ttl: soa.record.ttl }, withoutDoubles(rows))
  return { zone }
}

function groupByName(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = nameKey(row.record.name)
    const group = groups.get(key) ?? []
    group.push(row)
    groups.set(key, group)
  }
  return [...groups.values()]
}

/** `siblings`: all records of the same name. */
function checkRow({ line, record }: Row, siblings: readonly Row[], origin: Name): Fault[] {
  const owner = formatName(record.name)
  if (!isWithin(record.name, origin)) {
    return [{ line, reason: `${owner} is outside of ${formatName(origin)}` }]
  }
  const others = siblings.filter(
    (other) => other.record.type === recordType.CNAME && other.record !== record,
  )
  // RFC 1034 §3.6.2: where there is a CNAME, there is nothing else.
  if (others.length > 0 && !others.every((other) => isDouble(other.record, record))) {
    return [{ line, reason: `${owner} is an alias (CNAME) and cannot hold other records` }]
  }
  const first = siblings.find((other) => other.record.type === record.type)
  if (first !== undefined && first.record.ttl !== record.ttl) {
    const wanted = `${first.record.ttl}, as on line ${first.line}`
    // RFC 2181 §5.2.
    return [{ line, reason: `${owner} ${formatType(record.type)}: all TTLs must be ${wanted}` }]
  }
  return []
}

function isDouble(a: ResourceRecord, b: ResourceRecord): boolean {
  return recordKey(a) === recordKey(b)
}

function withoutDoubles(rows: readonly Row[]): readonly ResourceRecord[] {
  return [...new Map(rows.map(({ record }) => [recordKey(record), record])).values()]
}

function recordKey({ name, type, data }: ResourceRecord): string {
  return JSON.stringify([nameKey(name), type, data])
}
