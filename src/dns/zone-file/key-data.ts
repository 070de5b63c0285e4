import { parseType } from '../record.ts'
import { ZoneFileProblem, notHex, parseInteger, quote } from './fields.ts'
import { bits } from './address-data.ts'
import { name as nameOctets, string, u16, u32, u8 } from '../octets.ts'
import type { Fields } from './fields.ts'

// Data about keys, signatures and digests. One character per octet.

/** IANA's names of DNSSEC algorithms. */
const algorithms: Readonly<Record<string, number>> = {
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  NSEC3DSA: 6,
  NSEC3RSASHA1: 7,
  RSASHA256: 8,
  RSASHA512: 10,
  ECCGOST: 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
}

/** RFC 2535 §3.1.2 and BIND's names of the bits. */
const keyFlags: Readonly<Record<string, number>> = {
  NOCONF: 0x4000,
  NOAUTH: 0x8000,
  NOKEY: 0xc000,
  FLAG2: 0x2000,
  EXTEND: 0x1000,
  FLAG4: 0x0800,
  FLAG5: 0x0400,
  USER: 0,
  ZONE: 0x0100,
  HOST: 0x0200,
  NTYP3: 0x0300,
  FLAG8: 0x0080,
  FLAG9: 0x0040,
  FLAG10: 0x0020,
  FLAG11: 0x0010,
  ...Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`SIG${at}`, at])),
}

const keyProtocols: Readonly<Record<string, number>> = {
  NONE: 0,
  TLS: 1,
  EMAIL: 2,
  DNSSEC: 3,
  IPSEC: 4,
  ALL: 255,
}

const certificateTypes: Readonly<Record<string, number>> = {
  PKIX: 1,
  SPKI: 2,
  PGP: 3,
  IPKIX: 4,
  ISPKI: 5,
  IPGP: 6,
  ACPKIX: 7,
  IACPKIX: 8,
  URI: 253,
  OID: 254,
}

function numberOrName(text: string, names: Readonly<Record<string, number>>, max: number): number {
  return names[text.toUpperCase()] ?? parseInteger(text, max)
}

/** Checks the length of a digest; `wanted` is undefined for types with any length. */
export function checkDigest(digest: string, wanted: number | undefined): string {
  if (wanted === undefined || digest.length === wanted) return digest
  throw new ZoneFileProblem(`a digest of this type has ${wanted} octets; found ${digest.length}`)
}

/** RFC 4034 §5.3; DLV and TA are of the same form. */
export function parseDs(f: Fields): string {
  f.atLeast('key tag', 'algorithm', 'digest type', 'digest')
  const head = u16(f.integer(0xffff)) + u8(numberOrName(f.word(), algorithms, 255))
  const digestType = f.integer(255)
  const wanted = [undefined, 20, 32, 32, 48][digestType]
  return head + u8(digestType) + checkDigest(f.hex('the digest'), wanted)
}

/** RFC 4034 §2.2, RFC 2535 §7.1: flags, protocol, algorithm, and the key unless the flags say none. */
export function parseKey(f: Fields): string {
  f.atLeast('flags', 'protocol', 'algorithm')
  const flags = parseFlags(f.word())
  const protocol = numberOrName(f.word(), keyProtocols, 255)
  const algorithm = numberOrName(f.word(), algorithms, 255)
  const head = u16(flags) + u8(protocol) + u8(algorithm)
  const hasNoKey = (flags & 0xc000) === 0xc000 && f.rest().length === 0
  return head + (hasNoKey ? '' : f.base64('the key'))
}

/** A number, also in hexadecimal digits, or names with `|` between them. */
function parseFlags(text: string): number {
  if (/^0x[0-9a-f]{1,4}$/i.test(text)) return Number(text)
  if (/^\d/.test(text)) return parseInteger(text, 0xffff)
  let flags = 0
  for (const word of text.split('|')) {
    const flag = keyFlags[word.toUpperCase()]
    if (flag === undefined) throw new ZoneFileProblem(`${quote(word)} is not a valid key flag`)
    flags |= flag
  }
  return flags
}

/** RFC 4398 §2.2. */
export function parseCert(f: Fields): string {
  f.atLeast('type', 'key tag', 'algorithm', 'certificate')
  const type = u16(numberOrName(f.word(), certificateTypes, 0xffff)) + u16(f.integer(0xffff))
  return type + u8(numberOrName(f.word(), algorithms, 255)) + f.base64('the certificate')
}

/** RFC 2535 §7.2. */
export function parseSig(f: Fields): string {
  const names = [
    'type',
    'algorithm',
    'labels',
    'TTL',
    'expiration',
    'inception',
    'key tag',
    'signer',
  ]
  f.atLeast(...names, 'the signature')
  const covered = u16(parseTypeName(f.word()))
  const head = covered + u8(numberOrName(f.word(), algorithms, 255)) + u8(f.integer(255))
  const times = u32(f.time()) + u32(parseDate(f.word())) + u32(parseDate(f.word()))
  const signer = u16(f.integer(0xffff)) + nameOctets(f.name())
  return head + times + signer + f.base64('the signature')
}

/** `YYYYMMDDHHmmSS` in UTC, or seconds since 1970; modulo 2^32 (RFC 4034 §3.1.5). */
function parseDate(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)
  if (parts === null) return parseInteger(text, 0xffff_ffff)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map(Number)
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  const [date] = new Date(ms).toISOString().split('T')
  if (date !== `${parts[1]}-${parts[2]}-${parts[3]}` || hour > 23 || minute > 59 || second > 60) {
    throw new ZoneFileProblem(`${quote(text)} is not a valid time`)
  }
  return (ms / 1000) >>> 0
}

/** RFC 8005 §5: algorithm, identity tag, public key, rendezvous servers. */
export function parseHip(f: Fields): string {
  f.atLeast('algorithm', 'identity tag', 'public key')
  const algorithm = f.integer(255)
  const tag = oneWord(f.word(), 'hex', 'the identity tag')
  const key = oneWord(f.word(), 'base64', 'the public key')
  if (tag.length > 255) throw new ZoneFileProblem('the identity tag has more than 255 octets')
  let servers = ''
  while (f.rest().length > 0) servers += nameOctets(f.name())
  return u8(tag.length) + u8(algorithm) + u16(key.length) + tag + key + servers
}

function oneWord(text: string, encoding: 'hex' | 'base64', what: string): string {
  const bytes = Buffer.from(text, encoding)
  if (
    text === '' ||
    bytes.toString(encoding) !== (encoding === 'hex' ? text.toLowerCase() : text)
  ) {
    const form = encoding === 'hex' ? notHex : 'is not valid base64'
    throw new ZoneFileProblem(`${what} ${quote(text)} ${form}`)
  }
  return bytes.toString('latin1')
}

/** RFC 8976 §2.3. */
export function parseZoneDigest(f: Fields): string {
  f.atLeast('serial', 'scheme', 'hash algorithm', 'digest')
  const head = u32(f.integer(0xffff_ffff)) + u8(f.integer(255))
  const algorithm = f.integer(255)
  const digest = checkDigest(f.hex('the digest'), [undefined, 48, 64][algorithm])
  // RFC 8976 §2.2.4.
  if (digest.length < 12) throw new ZoneFileProblem('a zone digest has at least 12 octets')
  return head + u8(algorithm) + digest
}

/** draft-eastlake-kitchen-sink: coding, subcoding, and data of any kind. */
export function parseSink(f: Fields): string {
  f.atLeast('meaning', 'coding', 'subcoding')
  const numbers = [f.integer(255), f.integer(255), f.integer(255)].map(u8).join('')
  return numbers + (f.rest().length === 0 ? '' : f.base64('the data'))
}

/** draft-durand-doa-over-dns: enterprise, type, location, media type, data or `-`. */
export function parseDoa(f: Fields): string {
  f.atLeast('enterprise', 'type', 'location', 'media type', 'data')
  const head = u32(f.integer(0xffff_ffff)) + u32(f.integer(0xffff_ffff)) + u8(f.integer(255))
  const mediaType = string(f.string())
  const [data, ...more] = f.rest()
  return head + mediaType + (data?.text === '-' && more.length === 0 ? '' : f.base64('the data'))
}

/** RFC 7477 §2.1.1: serial, flags, types. */
export function parseCsync(f: Fields): string {
  f.atLeast('serial', 'flags')
  const head = u32(f.integer(0xffff_ffff)) + u16(f.integer(0xffff))
  return head + typeWindows(f.rest().map(({ text }) => parseTypeName(text)))
}

/** RFC 2535 §5.2: the next name, and the types up to 127 as one piece. */
export function parseNxt(f: Fields): string {
  const next = nameOctets(f.atLeast('the next name').name())
  const types = f.rest().map(({ text }) => parseTypeName(text))
  if (types.some((type) => type > 127)) {
    throw new ZoneFileProblem('an NXT record can list only types up to 127')
  }
  return next + bits(types)
}

/** RFC 4034 §4.1.2: a window for each block of 256 types that is in use. */
function typeWindows(types: readonly number[]): string {
  const windows = [...new Set(types.map((type) => type >> 8))].toSorted((a, b) => a - b)
  return windows
    .map((window) => {
      const low = types.filter((type) => type >> 8 === window).map((type) => type & 0xff)
      return u8(window) + string(bits(low))
    })
    .join('')
}

function parseTypeName(text: string): number {
  const type = parseType(text) ?? (/^\d+$/.test(text) ? parseInteger(text, 0xffff) : undefined)
  if (type === undefined) throw new ZoneFileProblem(`${quote(text)} is not a valid record type`)
  return type
}
