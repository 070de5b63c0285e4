import { formatName, sameName } from '../name.ts'
import { recordType, parseType } from '../record.ts'
import { checkZone } from './check.ts'
import { parseData } from './data.ts'
import { ZoneFileProblem, absoluteName, isAbsolute, parseTtl, quote, quotedName } from './fields.ts'
import { generateRange, substitute } from './generate.ts'
import { ZoneFileLexer } from './lexer.ts'
import { Findings } from './findings.ts'
import type { Name } from '../name.ts'
import type { StaticZone } from '../static-zone.ts'
import type { Row } from './row.ts'
import type { Token, ZoneEntry } from './lexer.ts'

export type ZoneFileResult =
  | { readonly zone: StaticZone; readonly warnings: readonly string[] }
  /** One text per error: `file:line: reason`. */
  | { readonly faults: readonly string[]; readonly warnings: readonly string[] }

/** A file that `$INCLUDE` names, or why it cannot be read. */
export type Included =
  { readonly file: string; readonly text: string } | { readonly reason: string }

export interface ZoneFileOptions {
  /** For messages, and for finding what the file includes. */
  readonly file: string
  /** The zone that the file is named after: the origin until the first `$ORIGIN`. */
  readonly origin?: Name | undefined
  /** The registry's domains, which a file cannot contain. */
  readonly domains?: readonly Name[]
  /** Reads a file that `from` names in an `$INCLUDE`. */
  readonly include?: (path: string, from: string) => Included
}

const includeDepthMax = 10
const recordsMax = 10_000_000
const ttlMax = 0x7fff_ffff

/**
 * Parses a master file (RFC 1035 §5, RFC 2308 §4; `$GENERATE` as in BIND). `text` has one character
 * per octet. An error of BIND's named-checkzone is a fault here, a warning of it a warning.
 */
export function parseZoneFile(text: string, options: ZoneFileOptions): ZoneFileResult {
  const findings = new Findings()
  const reader = new Reader(options, findings)
  reader.readFile(text, { file: options.file, origin: options.origin, isOwnOrigin: true })
  const zone = findings.hasFaults ? undefined : checkZone(reader.rows, options, findings)
  const warnings = findings.warnings
  return zone === undefined || findings.hasFaults
    ? { faults: findings.faults, warnings }
    : { zone, warnings }
}

/** The state of one file; an included file has its own origin and owner. */
interface Context extends Start {
  owner: Name | undefined
  ownerText: string | undefined
  isOwnOwner: boolean
  /** The last `$ORIGIN`, if it was relative. */
  relativeOrigin: string | undefined
}

/** The state at the start of a file. `isOwnOrigin`: relative to the name of the zone's file. */
interface Start {
  readonly file: string
  origin: Name | undefined
  isOwnOrigin: boolean
}

class Reader {
  readonly rows: Row[] = []
  readonly #options: ZoneFileOptions
  readonly #findings: Findings
  /** The files that are open, the innermost last. */
  readonly #open: string[] = []
  #defaultTtl: number | undefined
  #lastTtl: number | undefined

  constructor(options: ZoneFileOptions, findings: Findings) {
    this.#options = options
    this.#findings = findings
  }

  readFile(text: string, start: Start): void {
    const { file } = start
    const lexer = new ZoneFileLexer(text)
    const context: Context = {
      ...start,
      owner: undefined,
      ownerText: undefined,
      isOwnOwner: false,
      relativeOrigin: undefined,
    }
    this.#open.push(file)
    // An entry with a syntax error is not read further: one mistake, one fault.
    const report = (): boolean => {
      const found = lexer.errors.splice(0)
      for (const { line, reason } of found) this.#findings.fault(file, line, reason)
      return found.length > 0
    }
    for (let entry = lexer.next(); entry !== undefined; entry = lexer.next()) {
      if (!report()) this.#readEntry(entry, context)
      if (this.#findings.areTooMany) break
    }
    report()
    this.#open.pop()
  }

  #readEntry(entry: ZoneEntry, context: Context): void {
    try {
      const first = entry.tokens[0]
      if (first?.text.startsWith('$') === true && !first.quoted) this.#directive(entry, context)
      else this.#record(entry, context)
    } catch (error) {
      if (!(error instanceof ZoneFileProblem)) throw error
      this.#findings.fault(context.file, entry.line, error.message)
    }
  }

  #directive(entry: ZoneEntry, context: Context): void {
    const [name, ...values] = entry.tokens
    const directive = name?.text.toUpperCase() ?? ''
    const value = (): string => {
      const [only] = values
      if (only === undefined || values.length > 1) {
        throw new ZoneFileProblem(`${directive} takes one value`)
      }
      return only.text
    }
    switch (directive) {
      case '$ORIGIN':
        return setOrigin(value(), context)
      case '$TTL':
        this.#defaultTtl = this.#boundTtl(parseTtl(value()), entry, context)
        return undefined
      case '$INCLUDE':
        return this.#include(values, context)
      case '$GENERATE':
        return this.#generate(entry, values, context)
      default:
        throw new ZoneFileProblem(
          `${quote(directive)} is not a valid directive; use $ORIGIN, $TTL, $INCLUDE or $GENERATE`,
        )
    }
  }

  /** RFC 1035 §5.1: the included file does not change the origin of this file. */
  #include([path, origin, ...more]: readonly Token[], context: Context): void {
    if (path === undefined || more.length > 0) {
      throw new ZoneFileProblem('$INCLUDE takes a file and, optionally, an origin')
    }
    const inner = origin === undefined ? context.origin : absoluteName(origin.text, context.origin)
    const included = this.#options.include?.(path.text, context.file) ?? {
      reason: 'no file can be included here',
    }
    if ('reason' in included) {
      throw new ZoneFileProblem(`$INCLUDE ${quote(path.text)}: ${included.reason}`)
    }
    if (this.#open.includes(included.file)) {
      throw new ZoneFileProblem(`$INCLUDE ${quote(path.text)}: the file includes itself`)
    }
    if (this.#open.length > includeDepthMax) {
      throw new ZoneFileProblem(`$INCLUDE: more than ${includeDepthMax} nested files`)
    }
    const isOwnOrigin = context.isOwnOrigin && (origin === undefined || !isAbsolute(origin.text))
    this.readFile(included.text, { file: included.file, origin: inner, isOwnOrigin })
  }

  #generate(entry: ZoneEntry, values: readonly Token[], context: Context): void {
    const [range, ...template] = values
    if (range === undefined || template.length < 3) {
      throw new ZoneFileProblem('$GENERATE takes START-STOP[/STEP], an owner, a type, and data')
    }
    for (const number of generateRange(range.text)) {
      const tokens = template.map(({ text, quoted }) => ({
        text: substitute(text, number),
        quoted,
      }))
      this.#record({ line: entry.line, continuesOwner: false, tokens }, context)
    }
  }

  #record(entry: ZoneEntry, context: Context): void {
    const { tokens } = entry
    let at = 0
    if (!entry.continuesOwner) this.#setOwner(tokens[at++], context)
    const name = context.owner
    if (name === undefined) {
      throw new ZoneFileProblem('the record has no owner; start the line with a name')
    }
    let ttl: number | undefined
    let hasClass = false
    // TTL and class are optional, in either order.
    for (; at < tokens.length; at++) {
      const word = tokens[at]?.text ?? ''
      if (ttl === undefined && /^\d/.test(word)) {
        ttl = this.#boundTtl(parseTtl(word), entry, context)
      } else if (!hasClass && /^(?:IN|CLASS1)$/i.test(word)) hasClass = true
      else if (/^(?:CH|HS|CS|CLASS\d+)$/i.test(word)) {
        throw new ZoneFileProblem(`class ${word} is not supported; use IN`)
      } else break
    }
    const type = typeOf(tokens[at++]?.text)
    const data = parseData(type, tokens.slice(at), context.origin ?? [])
    if (type === recordType.SOA) this.#checkTop(name, context)
    // RFC 2308 §4: $TTL, otherwise the TTL of the record before, otherwise the SOA's minimum.
    const fallback = this.#defaultTtl ?? this.#lastTtl
    const given = ttl ?? fallback ?? (data.kind === 'soa' ? data.minimum : undefined)
    if (given === undefined) {
      throw new ZoneFileProblem('no TTL; add a $TTL line at the top of the file')
    }
    this.#lastTtl = given
    if (this.rows.length >= recordsMax) {
      throw new ZoneFileProblem(`the zone has more than ${recordsMax} records`)
    }
    const record = { name, type, ttl: given, data }
    this.rows.push({ file: context.file, line: entry.line, record })
  }

  #setOwner(token: Token | undefined, context: Context): void {
    const text = token?.text ?? ''
    // Consecutive records often have the same name: they share one array.
    if (text === context.ownerText) return
    // Set only if it is valid, so that later records do not inherit a bad owner.
    context.owner = undefined
    context.ownerText = undefined
    if (token?.quoted === true) throw quotedName(text)
    context.owner = absoluteName(text, context.origin)
    context.ownerText = text
    context.isOwnOwner = context.isOwnOrigin && !isAbsolute(text)
  }

  /**
   * As in named-checkzone, the SOA must be at the top of the zone. A file may contain another zone than
   * the one it is named after, but only by an absolute name: in a relative name the final dot is missing.
   */
  #checkTop(name: Name, { isOwnOwner, relativeOrigin }: Context): void {
    const top = this.#options.origin
    if (top === undefined || !isOwnOwner || sameName(name, top)) return
    const hint =
      relativeOrigin === undefined ? '' : `; $ORIGIN ${quote(relativeOrigin)} has no final dot`
    throw new ZoneFileProblem(
      `the SOA record is at ${formatName(name)}, not at the top of the zone ${formatName(top)}${hint}`,
    )
  }

  /** RFC 2181 §8: a TTL with its highest bit set counts as 0. */
  #boundTtl(ttl: number, { line }: ZoneEntry, { file }: Context): number {
    if (ttl <= ttlMax) return ttl
    this.#findings.warn(file, line, `the TTL ${ttl} is above ${ttlMax}; svcd uses 0`)
    return 0
  }
}

function setOrigin(text: string, context: Context): void {
  context.origin = absoluteName(text, context.origin)
  // From here on, the same text means another name.
  context.ownerText = undefined
  if (isAbsolute(text)) context.isOwnOrigin = false
  context.relativeOrigin = isAbsolute(text) ? undefined : text
}

function typeOf(text: string | undefined): number {
  if (text === undefined) throw new ZoneFileProblem('the record has no type and no data')
  const type = parseType(text)
  if (type === undefined || isMetaType(type)) {
    throw new ZoneFileProblem(`${quote(text)} is not a valid record type`)
  }
  const { RRSIG, NSEC, NSEC3 } = recordType
  if (type === RRSIG || type === NSEC || type === NSEC3) {
    throw new ZoneFileProblem(
      `${text} belongs to a signed zone, which svcd does not serve; use the unsigned zone file`,
    )
  }
  return type
}

function isMetaType(type: number): boolean {
  return type === recordType.OPT || (type >= 128 && type <= 255) || type === 0
}
