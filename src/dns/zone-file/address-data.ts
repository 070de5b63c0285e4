import { parseIpv4, parseIpv6 } from '../../base/ip.ts'
import { ZoneFileProblem, notHex, parseInteger, quote } from './fields.ts'
import { name as nameOctets, u16, u8 } from '../octets.ts'
import type { Fields } from './fields.ts'

// Data with addresses, or names instead of addresses. One character per octet.

const familyBits: Readonly<Record<string, number>> = { '1': 32, '2': 128 }

/** RFC 3123 §5: `[!]family:address/prefix`, any number of them. */
export function parseApl(fields: Fields): string {
  return fields
    .rest()
    .map(({ text }) => {
      const [, not = '', family = '', address = '', prefixText = ''] =
        /^(!?)(\d+):([^/]+)\/(\d+)$/.exec(text) ?? []
      const bits = familyBits[family]
      if (bits === undefined)
        throw new ZoneFileProblem(`${quote(text)} is not [!]1:IPV4/PREFIX or [!]2:IPV6/PREFIX`)
      const octets = family === '1' ? ipv4(address) : ipv6(address)
      const kept = octets.replace(/\0+$/, '')
      const prefix = parseInteger(prefixText, bits)
      return u16(Number(family)) + u8(prefix) + u8((not === '' ? 0 : 0x80) | kept.length) + kept
    })
    .join('')
}

/** RFC 4025 §2: precedence, kind of gateway, algorithm, gateway, key. */
export function parseIpsecKey(f: Fields): string {
  f.atLeast('precedence', 'gateway type', 'algorithm', 'gateway')
  const [precedence, kind, algorithm] = [f.integer(255), f.integer(3), f.integer(255)]
  const head = u8(precedence) + u8(kind) + u8(algorithm) + gateway(f, kind)
  // Algorithm 0 says that there is no key.
  return head + (algorithm === 0 && f.rest().length === 0 ? '' : f.base64('the key'))
}

/** RFC 8777 §4.2: precedence, whether to discover first, kind of relay, relay. */
export function parseAmtRelay(f: Fields): string {
  f.exactly('precedence', 'discovery optional', 'relay type', 'relay')
  const [precedence, discovery, kind] = [f.integer(255), f.integer(1), f.integer(3)]
  return u8(precedence) + u8((discovery << 7) | kind) + gateway(f, kind)
}

function gateway(fields: Fields, kind: number): string {
  if (kind === 1) return ipv4(fields.word())
  if (kind === 2) return ipv6(fields.word())
  if (kind === 3) return nameOctets(fields.name())
  const text = fields.word()
  if (text !== '.')
    throw new ZoneFileProblem(`${quote(text)} must be "." for type 0, which has none`)
  return ''
}

/** RFC 2874 §3.1: the length of the prefix, the bits behind it, the name that has the prefix. */
export function parseA6(f: Fields): string {
  const prefix = f.atLeast('prefix length').integer(128)
  const hasName = prefix > 0
  const wanted = [
    'prefix length',
    ...(prefix < 128 ? ['address'] : []),
    ...(hasName ? ['name'] : []),
  ]
  f.exactly(...wanted)
  let suffix = ''
  if (prefix < 128) {
    suffix = ipv6(f.word()).slice(prefix >> 3)
    suffix = u8(suffix.charCodeAt(0) & (0xff >> (prefix & 7))) + suffix.slice(1)
  }
  return u8(prefix) + suffix + (hasName ? nameOctets(f.name()) : '')
}

/** RFC 6742 §2.1 and §2.3: preference and 64 bits as four groups of hexadecimal digits. */
export function parseLocator64(f: Fields): string {
  const preference = u16(f.exactly('preference', 'locator').integer(0xffff))
  const text = f.word()
  if (!/^[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3}$/i.test(text)) {
    throw new ZoneFileProblem(`${quote(text)} is not four groups, such as 2001:db8:1140:1000`)
  }
  const groups = text.split(':').map((group) => u16(Number.parseInt(group, 16)))
  return preference + groups.join('')
}

/** RFC 6742 §2.2. */
export function parseLocator32(f: Fields): string {
  return u16(f.exactly('preference', 'locator').integer(0xffff)) + ipv4(f.word())
}

const protocols: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17 }

/** The names of RFC 1010 that are still known; others are written as numbers. */
const services: Readonly<Record<string, number>> = {
  echo: 7,
  discard: 9,
  systat: 11,
  daytime: 13,
  netstat: 15,
  qotd: 17,
  chargen: 19,
  'ftp-data': 20,
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  time: 37,
  nameserver: 42,
  whois: 43,
  domain: 53,
  bootps: 67,
  bootpc: 68,
  tftp: 69,
  gopher: 70,
  finger: 79,
  http: 80,
  kerberos: 88,
  pop2: 109,
  pop3: 110,
  sunrpc: 111,
  auth: 113,
  nntp: 119,
  ntp: 123,
  imap2: 143,
  snmp: 161,
  bgp: 179,
  irc: 194,
  ldap: 389,
  https: 443,
}

/** RFC 1035 §3.4.2: address, protocol, and a bit for each port. */
export function parseWks(f: Fields): string {
  f.atLeast('address', 'protocol')
  const address = ipv4(f.word())
  const word = f.word()
  const protocol = own(protocols, word.toLowerCase()) ?? parseInteger(word, 255)
  const ports = f
    .rest()
    .map(({ text }) => own(services, text.toLowerCase()) ?? parseInteger(text, 0xffff))
  return address + u8(protocol) + bits(ports)
}

/** A bit for each number, the first octet's highest bit for 0; as long as the highest needs. */
export function bits(numbers: readonly number[]): string {
  const octets = new Uint8Array(numbers.length === 0 ? 0 : (Math.max(...numbers) >> 3) + 1)
  for (const number of numbers) {
    octets[number >> 3] = (octets[number >> 3] ?? 0) | (0x80 >> (number & 7))
  }
  return Buffer.from(octets).toString('latin1')
}

/** RFC 1706 §5: `0x` and hexadecimal digits, with dots anywhere. */
export function parseNsap(f: Fields): string {
  const text = f.exactly('an NSAP address').word()
  const digits = /^0x((?:[0-9a-f]\.*)+)$/i.exec(text)?.[1]?.replaceAll('.', '')
  if (digits === undefined) {
    throw new ZoneFileProblem(`${quote(text)} is not "0x" and hexadecimal digits`)
  }
  return hexOctets(digits, text)
}

/** ATM Forum af-saa-0069: an E.164 number, or 20 octets in hexadecimal digits. */
export function parseAtma(f: Fields): string {
  const text = f.exactly('an ATM address').word()
  if (/^\+\d+$/.test(text)) return u8(1) + text.slice(1)
  return u8(0) + hexOctets(text.replaceAll('.', ''), text)
}

function hexOctets(digits: string, text: string): string {
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) {
    throw new ZoneFileProblem(`${quote(text)} ${notHex}`)
  }
  return Buffer.from(digits, 'hex').toString('latin1')
}

function ipv4(text: string): string {
  return octetsOf(parseIpv4(text), text, 'IPv4')
}

function ipv6(text: string): string {
  return octetsOf(parseIpv6(text), text, 'IPv6')
}

function octetsOf(ip: Uint8Array | undefined, text: string, family: string): string {
  if (ip === undefined) throw new ZoneFileProblem(`${quote(text)} is not a valid ${family} address`)
  return Buffer.from(ip).toString('latin1')
}

/** Own properties only: `constructor` is not one of the names. */
function own(numbers: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(numbers, name) ? numbers[name] : undefined
}
