import { recordType } from '../record.ts'
import {
  parseA6,
  parseAmtRelay,
  parseApl,
  parseAtma,
  parseIpsecKey,
  parseLocator32,
  parseLocator64,
  parseNsap,
  parseWks,
} from './address-data.ts'
import {
  checkDigest,
  parseCert,
  parseCsync,
  parseDoa,
  parseDs,
  parseHip,
  parseKey,
  parseNxt,
  parseSig,
  parseSink,
  parseZoneDigest,
} from './key-data.ts'
import { ZoneFileProblem, parseString, quote, unescape } from './fields.ts'
import { parseLocation } from './location.ts'
import { parseServiceBinding } from './svcb.ts'
import { name as nameOctets, string, u16, u8 } from '../octets.ts'
import type { Fields } from './fields.ts'

/** Reads the fields of a record and returns its data in wire form, one character per octet. */
type Reader = (fields: Fields) => string

const t = recordType

/** Types that svcd serves without looking into their data. */
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
  [t.DNAME, oneName],
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
  [t.MB, oneName],
  [t.MG, oneName],
  [t.MR, oneName],
  [t.WKS, parseWks],
  [t.NSAP, parseNsap],
  [t['NSAP-PTR'], oneName],
  [t.SIG, parseSig],
  [t.KEY, parseKey],
  [
    t.PX,
    (f) => f.exactly('preference', 'map822', 'mapx400') && numberAndName(f) + nameOctets(f.name()),
  ],
  [t.GPOS, (f) => strings(f.exactly('longitude', 'latitude', 'altitude'))],
  [t.NXT, parseNxt],
  [t.EID, (f) => f.atLeast('the identifier').hex('the identifier')],
  [t.NIMLOC, (f) => f.atLeast('the locator').hex('the locator')],
  [t.ATMA, parseAtma],
  [t.A6, parseA6],
  [t.SINK, parseSink],
  [t.APL, parseApl],
  [t.IPSECKEY, parseIpsecKey],
  [t.DHCID, (f) => f.atLeast('the identifier').base64('the identifier')],
  [t.HIP, parseHip],
  [t.NINFO, (f) => strings(f.atLeast('a string'))],
  [t.RKEY, parseKey],
  [t.TALINK, (f) => f.exactly('previous', 'next') && twoNames(f)],
  [t.CSYNC, parseCsync],
  [t.ZONEMD, parseZoneDigest],
  [t.NID, parseLocator64],
  [t.L32, parseLocator32],
  [t.L64, parseLocator64],
  [t.LP, (f) => f.exactly('preference', 'name') && numberAndName(f)],
  [t.AVC, (f) => strings(f.atLeast('a string'))],
  [t.DOA, parseDoa],
  [t.AMTRELAY, parseAmtRelay],
  [t.RESINFO, (f) => strings(f.atLeast('a string'))],
  [t.WALLET, (f) => strings(f.atLeast('a string'))],
  [t.TA, parseDs],
  [t.DLV, parseDs],
])

function oneName(fields: Fields): string {
  return nameOctets(fields.exactly('a name').name())
}

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
  if (!/^[a-z0-9]{1,15}$/i.test(tag))
    throw new ZoneFileProblem(`${quote(tag)} is not a valid CAA tag`)
  return u8(flags) + string(tag) + unescape(f.word())
}

/** RFC 7553 §4.5: the target is not a character string; it may be longer. */
function parseUri(f: Fields): string {
  f.exactly('priority', 'weight', 'target')
  const numbers = u16(f.integer(0xffff)) + u16(f.integer(0xffff))
  const { text, quoted } = f.token()
  if (!quoted || text === '') {
    throw new ZoneFileProblem('the target of a URI record must be in quotes')
  }
  return numbers + unescape(text)
}

/** RFC 7043: pairs of hexadecimal digits joined by hyphens. */
function parseEui(f: Fields, octets: number): string {
  const text = f.exactly('an address').word()
  if (!/^[0-9a-f]{2}(?:-[0-9a-f]{2})+$/i.test(text) || text.length !== octets * 3 - 1) {
    throw new ZoneFileProblem(`${quote(text)} is not a valid EUI-${octets * 8} address`)
  }
  return Buffer.from(text.replaceAll('-', ''), 'hex').toString('latin1')
}
