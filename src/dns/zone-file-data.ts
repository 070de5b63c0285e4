import { parseIpv4, parseIpv6 } from '../base/ip.ts'
import { parseName, utf8ToOctets } from './name.ts'
import { recordType } from './record.ts'
import type { Name } from './name.ts'
import type { RecordData } from './record.ts'
import type { Token } from './zone-file-lexer.ts'

/** Thrown and caught inside the zone file parser only. */
export class ZoneFileProblem extends Error {
  override name = 'ZoneFileProblem'
}

const { A, AAAA, NS, CNAME, PTR, MX, TXT, SRV, SOA, CAA } = recordType

/** Reads the data of a record. Throws {@link ZoneFileProblem}. */
export function parseData(type: number, tokens: readonly Token[], origin: Name): RecordData {
  if (tokens[0]?.text === '\\#' && !tokens[0].quoted) return parseUnknown(tokens)
  switch (type) {
    case A:
      return parseAddress('IPv4', parseIpv4, only(tokens, 'an IPv4 address'))
    case AAAA:
      return parseAddress('IPv6', parseIpv6, only(tokens, 'an IPv6 address'))
    case NS:
    case CNAME:
    case PTR:
      return { kind: 'name', name: absoluteName(only(tokens, 'a name'), origin) }
    case MX: {
      const [preference, exchange] = exactly(tokens, ['preference', 'exchange'])
      return {
        kind: 'mx',
        preference: integer(preference, 0xffff),
        exchange: absoluteName(exchange, origin),
      }
    }
    case SRV: {
      const [priority, weight, port, target] = exactly(tokens, [
        'priority',
        'weight',
        'port',
        'target',
      ])
      return {
        kind: 'srv',
        priority: integer(priority, 0xffff),
        weight: integer(weight, 0xffff),
        port: integer(port, 0xffff),
        target: absoluteName(target, origin),
      }
    }
    case TXT:
      return { kind: 'txt', strings: parseStrings(tokens) }
    case CAA:
      return parseCaa(tokens)
    case SOA:
      return parseSoa(tokens, origin)
    default:
      throw new ZoneFileProblem('data of this type is written as \\# LENGTH HEX (RFC 3597)')
  }
}

function parseSoa(tokens: readonly Token[], origin: Name): RecordData {
  const fields = ['primary', 'mailbox', 'serial', 'refresh', 'retry', 'expire', 'minimum']
  const [primary, mailbox, serial, refresh, retry, expire, minimum] = exactly(tokens, fields)
  return {
    kind: 'soa',
    primary: absoluteName(primary, origin),
    mailbox: absoluteName(mailbox, origin),
    serial: integer(serial, 0xffff_ffff),
    refresh: parseTtl(refresh ?? ''),
    retry: parseTtl(retry ?? ''),
    expire: parseTtl(expire ?? ''),
    minimum: parseTtl(minimum ?? ''),
  }
}

function parseAddress(
  family: string,
  parse: (text: string) => Uint8Array | undefined,
  text: string,
): RecordData {
  const ip = parse(text)
  if (ip === undefined) throw new ZoneFileProblem(`"${text}" is no ${family} address`)
  return { kind: 'ip', ip }
}

function parseStrings(tokens: readonly Token[]): string[] {
  if (tokens.length === 0) throw new ZoneFileProblem('TXT needs a string')
  return tokens.map(({ text }) => {
    const octets = unescape(text)
    if (octets.length > 255) throw new ZoneFileProblem('a string is longer than 255 octets')
    return octets
  })
}

/** RFC 8659 §4.1.1: flags, tag, value. */
function parseCaa(tokens: readonly Token[]): RecordData {
  const [flags, tag = '', value] = exactly(tokens, ['flags', 'tag', 'value'])
  if (!/^[a-z0-9]{1,15}$/i.test(tag)) throw new ZoneFileProblem(`"${tag}" is no CAA tag`)
  const head = String.fromCharCode(integer(flags, 255), tag.length)
  return { kind: 'raw', bytes: Buffer.from(head + tag + unescape(value ?? ''), 'latin1') }
}

/** RFC 3597 §5. */
function parseUnknown(tokens: readonly Token[]): RecordData {
  const hex = tokens
    .slice(2)
    .map(({ text }) => text)
    .join('')
  const length = integer(tokens[1]?.text, 0xffff)
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex) || hex.length !== length * 2) {
    throw new ZoneFileProblem(`\\# ${length} wants ${length} octets in hexadecimal digits`)
  }
  return { kind: 'raw', bytes: Buffer.from(hex, 'hex') }
}

/** A name as written in the file: `@`, absolute with its final dot, or relative to the origin. */
export function absoluteName(text: string | undefined, origin: Name | undefined): Name {
  const relative = (): Name => {
    if (origin !== undefined) return origin
    throw new ZoneFileProblem('a relative name before any $ORIGIN')
  }
  if (text === '@') return relative()
  const isAbsolute = /(?:^|[^\\])(?:\\\\)*\.$/.test(text ?? '')
  const name = text === '' ? undefined : parseName(text ?? '')
  const full = name === undefined || isAbsolute ? name : [...name, ...relative()]
  // The whole must obey the limits too.
  if (full === undefined || !isSendable(full)) throw new ZoneFileProblem(`"${text}" is no name`)
  return full
}

function isSendable(name: Name): boolean {
  return name.reduce((length, label) => length + 1 + label.length, 1) <= 255
}

/** Seconds, or BIND's `1h30m`. */
export function parseTtl(text: string): number {
  const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
  let seconds: number | undefined
  if (/^\d+$/.test(text)) seconds = Number(text)
  else if (/^(?:\d+[smhdw])+$/i.test(text)) {
    seconds = 0
    for (const [, count, unit = ''] of text.matchAll(/(\d+)([smhdw])/gi)) {
      seconds += Number(count) * (units[unit.toLowerCase()] ?? 0)
    }
  }
  // RFC 2181 §8: at most 2^31 − 1.
  if (seconds === undefined || seconds > 0x7fff_ffff) {
    throw new ZoneFileProblem(`"${text}" is no time in seconds`)
  }
  return seconds
}

function integer(text: string | undefined, max: number): number {
  if (text === undefined || !/^\d{1,10}$/.test(text) || Number(text) > max) {
    throw new ZoneFileProblem(`"${text ?? ''}" is no number up to ${max}`)
  }
  return Number(text)
}

function only(tokens: readonly Token[], what: string): string {
  return exactly(tokens, [what])[0] ?? ''
}

function exactly(tokens: readonly Token[], fields: readonly string[]): (string | undefined)[] {
  if (tokens.length !== fields.length) {
    throw new ZoneFileProblem(`expected ${fields.join(', ')}; found ${tokens.length} fields`)
  }
  return tokens.map(({ text }) => text)
}

/** The octets of a string: `\DDD` and `\X` resolved. */
function unescape(text: string): string {
  return utf8ToOctets(text).replaceAll(/\\(\d{3}|[^])/g, (_, code: string) => {
    if (!/^\d{3}$/.test(code)) return code
    if (Number(code) > 255) throw new ZoneFileProblem(`\\${code} is no octet`)
    return String.fromCharCode(Number(code))
  })
}
