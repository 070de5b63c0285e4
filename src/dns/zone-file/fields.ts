import { isValidName, octetsToUtf8, parseOctetName } from '../name.ts'
import type { Name } from '../name.ts'
import type { Token } from './lexer.ts'

// The fields of a record in a zone file. Texts have one character per octet.

/** Thrown and caught inside the zone file parser only. */
export class ZoneFileProblem extends Error {
  override name = 'ZoneFileProblem'
}

const shownMax = 60

/** A text of the file for a message, shortened: it may be a megabyte long. */
export function quote(text: string): string {
  return `"${octetsToUtf8(text.slice(0, shownMax))}${text.length > shownMax ? '…' : ''}"`
}

/** The end of a message about digits that {@link Fields.hex} cannot read. */
export const notHex = 'is not an even number of hexadecimal digits'

export function quotedName(text: string): ZoneFileProblem {
  return new ZoneFileProblem(`a name must not be in quotes: ${quote(text)}`)
}

/** The fields of one record's data, read from left to right. */
export class Fields {
  readonly #tokens: readonly Token[]
  readonly #origin: Name
  #at = 0

  constructor(tokens: readonly Token[], origin: Name) {
    this.#tokens = tokens
    this.#origin = origin
  }

  get count(): number {
    return this.#tokens.length
  }

  /** Refuses the record unless it has exactly these fields. */
  exactly(...names: readonly string[]): this {
    return this.count === names.length ? this : this.#refuse(names)
  }

  /** Refuses the record unless it has these fields; the last one may be written in pieces. */
  atLeast(...names: readonly string[]): this {
    return this.count >= names.length ? this : this.#refuse(names)
  }

  token(): Token {
    return this.#tokens[this.#at++] ?? { text: '', quoted: false }
  }

  rest(): readonly Token[] {
    return this.#tokens.slice(this.#at)
  }

  word(): string {
    return this.token().text
  }

  integer(max: number): number {
    return parseInteger(this.word(), max)
  }

  /** A time in seconds, or BIND's `1h30m`. */
  time(): number {
    return parseTtl(this.word())
  }

  name(): Name {
    const { text, quoted } = this.token()
    if (quoted) throw quotedName(text)
    return absoluteName(text, this.#origin)
  }

  /** At most 255 octets, as a record holds them. */
  string(): string {
    return parseString(this.token())
  }

  /** All remaining fields, as hexadecimal digits. */
  hex(what: string): string {
    const digits = this.#joined()
    if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) {
      throw new ZoneFileProblem(`${what} ${quote(digits)} ${notHex}`)
    }
    return Buffer.from(digits, 'hex').toString('latin1')
  }

  /** All remaining fields, as base64. */
  base64(what: string): string {
    const text = this.#joined()
    const bytes = Buffer.from(text, 'base64')
    if (text.length === 0 || bytes.toString('base64') !== text) {
      throw new ZoneFileProblem(`${what} ${quote(text)} is not valid base64`)
    }
    return bytes.toString('latin1')
  }

  #joined(): string {
    return this.rest()
      .map(({ text }) => text)
      .join('')
  }

  #refuse(names: readonly string[]): never {
    const found = this.count === 1 ? '1 field' : `${this.count} fields`
    throw new ZoneFileProblem(`expected ${names.join(', ')}; found ${found}`)
  }
}

export function parseInteger(text: string, max: number): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > max) {
    throw new ZoneFileProblem(`${quote(text)} is not a number from 0 to ${max}`)
  }
  return Number(text)
}

/** Seconds up to 2^32 − 1, or BIND's `1h30m`. */
export function parseTtl(text: string): number {
  let seconds: number | undefined
  if (/^\d{1,10}$/.test(text)) seconds = Number(text)
  else if (/^(?:\d{1,10}[smhdw])+$/i.test(text)) {
    seconds = 0
    for (const [, count, unit = ''] of text.matchAll(/(\d+)([smhdw])/gi)) {
      seconds += Number(count) * (secondsOf[unit.toLowerCase()] ?? 0)
    }
  }
  if (seconds === undefined || seconds > 0xffff_ffff) {
    throw new ZoneFileProblem(`${quote(text)} is not a valid time; use seconds or 1h30m`)
  }
  return seconds
}

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** A name as written in the file: `@`, absolute with its final dot, or relative to the origin. */
export function absoluteName(text: string, origin: Name | undefined): Name {
  const name = text === '@' ? [] : parseOctetName(text)
  if (name === undefined || text === '')
    throw new ZoneFileProblem(`${quote(text)} is not a valid name`)
  if (isAbsolute(text)) return name
  if (origin === undefined) {
    throw new ZoneFileProblem(`${quote(text)} has no final dot, and there is no $ORIGIN before it`)
  }
  if (name.length === 0) return origin
  const full = [...name, ...origin]
  // The limits apply to the whole name too.
  if (!isValidName(full)) throw new ZoneFileProblem(`${quote(text)} is not a valid name`)
  return full
}

/** Whether a name ends in a dot that is not escaped. */
export function isAbsolute(text: string): boolean {
  if (!text.endsWith('.')) return false
  let backslashes = 0
  while (text.charAt(text.length - 2 - backslashes) === '\\') backslashes++
  return backslashes % 2 === 0
}

export function parseString({ text }: Token): string {
  const octets = unescape(text)
  if (octets.length > 255) {
    throw new ZoneFileProblem(`a string has ${octets.length} octets; the limit is 255`)
  }
  return octets
}

/** The octets of a string: `\DDD` and `\X` resolved. */
export function unescape(text: string): string {
  if (!text.includes('\\')) return text
  return text.replaceAll(/\\(\d{3}|[^])/g, (_, code: string) => {
    if (!/^\d/.test(code)) return code
    if (code.length < 3 || Number(code) > 255)
      throw new ZoneFileProblem(`\\${code} is not a valid escape; use \\000 to \\255`)
    return String.fromCharCode(Number(code))
  })
}
