import { recordType } from './record.ts'
import { ZoneFileProblem, parseInteger, parseString, quote, unescape } from './zone-file-fields.ts'
import { parseLocation } from './zone-file-location.ts'
import { parseServiceBinding } from './zone-file-svcb.ts'
import { name as nameOctets, string, u16, u8 } from './octets.ts'
import type { Fields } from './zone-file-fields.ts'

/** Reads the fields of a record and gives its data in wire form, one character an octet. */
type Reader = (fields: Fields) => string

const t = recordType

/** The types that are served as they are: nothing here looks into their data. */
export const rareData: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [t.HINFO, (f) => f.exactly('cpu', 'os') && string(f.string()) + string(f.string())],
  [t.MINFO, (f) => f.exactly('mailbox', 'errors') && twoNames(f)],
  [t.RP, (f) => f.exactly('mailbox', 'txt name') && twoNames(f)],
  [t.AFSDB, (f) => f.exactly('subtype', 'host') && numberAndName(f)],
  [t.RT, (f) => f.exactly('preference', 'host') && numberAndName(f)],
  [t.KX, (f) => f.exactly('preference', 'exchanger') && numberAndName(f)],
  [t.X25, (f) => f.exactly('address') && string(f.string())],
  [t.SPF, (f) => strings(f.atLeast('a string'))],
  [t.ISDN, (f) => strings(f.count === 2 ? f : f.exactly('address'))],
  [t.LOC, parseLocation],
  [t.NAPTR, parseNaptr],
  [t.DNAME, (f) => nameOctets(f.exactly('a name').name())],
  [t.CERT, parseCert],
  [t.DS, parseDs],
  [t.CDS, parseDs],
  [t.SSHFP, parseSshfp],
  [t.TLSA, parseTlsa],
  [t.SMIMEA, parseTlsa],
  [t.DNSKEY, parseKey],
  [t.CDNSKEY, parseKey],
  [t.OPENPGPKEY, (f) => f.atLeast('the key').base64('the key')],
  [t.NSEC3PARAM, parseNsec3Param],
  [t.CAA, parseCaa],
  [t.URI, parseUri],
  [t.EUI48, (f) => parseEui(f, 6)],
  [t.EUI64, (f) => parseEui(f, 8)],
  [t.SVCB, parseServiceBinding],
  [t.HTTPS, parseServiceBinding],
])

function twoNames(fields: Fields): string {
  return nameOctets(fields.name()) + nameOctets(fields.name())
}

function numberAndName(fields: Fields): string {
  return u16(fields.integer(0xffff)) + nameOctets(fields.name())
}

function strings(fields: Fields): string {
  return fields
    .rest()
    .map((token) => string(parseString(token)))
    .join('')
}

/** RFC 3403 §4.1. */
function parseNaptr(f: Fields): string {
  f.exactly('order', 'preference', 'flags', 'services', 'regular expression', 'replacement')
  const numbers = u16(f.integer(0xffff)) + u16(f.integer(0xffff))
  return (
    numbers + string(f.string()) + string(f.string()) + string(f.string()) + nameOctets(f.name())
  )
}

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

function numberOrName(text: string, names: Readonly<Record<string, number>>, max: number): number {
  return names[text.toUpperCase()] ?? parseInteger(text, max)
}

/** Octets of a digest by the number of its kind; others may have any length. */
function checkDigest(digest: string, wanted: number | undefined): string {
  if (wanted === undefined || digest.length === wanted) return digest
  throw new ZoneFileProblem(`a digest of this kind has ${wanted} octets; found ${digest.length}`)
}

/** RFC 4034 §5.3. */
function parseDs(f: Fields): string {
  f.atLeast('key tag', 'algorithm', 'digest type', 'digest')
  const head = u16(f.integer(0xffff)) + u8(numberOrName(f.word(), algorithms, 255))
  const digestType = f.integer(255)
  const wanted = [undefined, 20, 32, 32, 48][digestType]
  return head + u8(digestType) + checkDigest(f.hex('the digest'), wanted)
}

/** RFC 4255 §3.2. */
function parseSshfp(f: Fields): string {
  f.atLeast('algorithm', 'fingerprint type', 'fingerprint')
  const algorithm = f.integer(255)
  const type = f.integer(255)
  const fingerprint = checkDigest(f.hex('the fingerprint'), [undefined, 20, 32][type])
  return u8(algorithm) + u8(type) + fingerprint
}

/** RFC 6698 §2.2. */
function parseTlsa(f: Fields): string {
  f.atLeast('usage', 'selector', 'matching type', 'certificate data')
  const numbers = [f.integer(255), f.integer(255), f.integer(255)]
  return numbers.map(u8).join('') + f.hex('the certificate data')
}

/** RFC 4034 §2.2. */
function parseKey(f: Fields): string {
  f.atLeast('flags', 'protocol', 'algorithm', 'the key')
  const head = u16(f.integer(0xffff)) + u8(f.integer(255))
  return head + u8(numberOrName(f.word(), algorithms, 255)) + f.base64('the key')
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

/** RFC 4398 §2.2. */
function parseCert(f: Fields): string {
  f.atLeast('type', 'key tag', 'algorithm', 'certificate')
  const type = u16(numberOrName(f.word(), certificateTypes, 0xffff)) + u16(f.integer(0xffff))
  return type + u8(numberOrName(f.word(), algorithms, 255)) + f.base64('the certificate')
}

/** RFC 5155 §4.3. */
function parseNsec3Param(f: Fields): string {
  f.exactly('hash algorithm', 'flags', 'iterations', 'salt')
  const head = u8(f.integer(255)) + u8(f.integer(255)) + u16(f.integer(0xffff))
  const [salt] = f.rest()
  return head + string(salt?.text === '-' ? '' : f.hex('the salt'))
}

/** RFC 8659 §4.1.1: flags, tag, value. */
function parseCaa(f: Fields): string {
  f.exactly('flags', 'tag', 'value')
  const flags = f.integer(255)
  const tag = f.word()
  if (!/^[a-z0-9]{1,15}$/i.test(tag)) throw new ZoneFileProblem(`${quote(tag)} is no CAA tag`)
  return u8(flags) + string(tag) + unescape(f.word())
}

/** RFC 7553 §4.5: the target is no character string; it may be longer. */
function parseUri(f: Fields): string {
  f.exactly('priority', 'weight', 'target')
  const numbers = u16(f.integer(0xffff)) + u16(f.integer(0xffff))
  const { text, quoted } = f.token()
  if (!quoted || text === '') throw new ZoneFileProblem('the target of a URI stands in quotes')
  return numbers + unescape(text)
}

/** RFC 7043: pairs of hexadecimal digits joined by hyphens. */
function parseEui(f: Fields, octets: number): string {
  const text = f.exactly('an address').word()
  if (!/^[0-9a-f]{2}(?:-[0-9a-f]{2})+$/i.test(text) || text.length !== octets * 3 - 1) {
    throw new ZoneFileProblem(`${quote(text)} is no EUI-${octets * 8} address`)
  }
  return Buffer.from(text.replaceAll('-', ''), 'hex').toString('latin1')
}
