import type { IpBytes } from '../base/ip.ts'
import type { Name } from './name.ts'

/** The types that this module knows by name (RFC 1035 §3.2.2 and IANA's later ones). */
export const recordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  'NSAP-PTR': 23,
  SIG: 24,
  KEY: 25,
  PX: 26,
  GPOS: 27,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  SRV: 33,
  ATMA: 34,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  A6: 38,
  DNAME: 39,
  SINK: 40,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  UINFO: 100,
  UID: 101,
  GID: 102,
  UNSPEC: 103,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  URI: 256,
  CAA: 257,
  AVC: 258,
  DOA: 259,
  AMTRELAY: 260,
  RESINFO: 261,
  WALLET: 262,
  TA: 32768,
  DLV: 32769,
} as const

export type RecordTypeName = keyof typeof recordType

const namesByCode = new Map<number, string>(
  Object.entries(recordType).map(([name, code]) => [code, name]),
)

const codesByName = new Map<string, number>(Object.entries(recordType))

/** `A`, `SRV`, …, or `TYPE1000` (RFC 3597 §5) for a type without a name here. */
export function formatType(code: number): string {
  return namesByCode.get(code) ?? `TYPE${code}`
}

/** The code of `A`, `srv` or `TYPE1000`; undefined if it is not a type. */
export function parseType(text: string): number | undefined {
  const upper = text.toUpperCase()
  const known = codesByName.get(upper)
  if (known !== undefined) return known
  const number = /^TYPE(\d{1,5})$/.exec(upper)?.[1]
  return number === undefined || Number(number) > 0xffff ? undefined : Number(number)
}

export const recordClass = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const

/** RFC 1035 §4.1.1, RFC 6895 §2.3. BADVERS needs an OPT record to carry its upper bits. */
export const rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  NOTAUTH: 9,
  BADVERS: 16,
  /** RFC 7873 §8. */
  BADCOOKIE: 23,
} as const

export type Rcode = (typeof rcode)[keyof typeof rcode]

const rcodeNames = new Map<number, string>(
  Object.entries(rcode).map(([name, code]) => [code, name]),
)

/** `NXDOMAIN`, or `RCODE7` for a code without a name here. */
export function rcodeName(code: number): string {
  return rcodeNames.get(code) ?? `RCODE${code}`
}

export interface SoaData {
  readonly kind: 'soa'
  readonly primary: Name
  readonly mailbox: Name
  readonly serial: number
  /** It is the registry's SOA: the serial is set when the answer is sent. */
  readonly isLive?: boolean
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

export interface SrvData {
  readonly kind: 'srv'
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: Name
}

/** RDATA by its shape; A and AAAA are both `ip`, NS, CNAME and PTR are all `name`. */
export type RecordData =
  | { readonly kind: 'ip'; readonly ip: IpBytes }
  | { readonly kind: 'name'; readonly name: Name }
  | SoaData
  | SrvData
  | { readonly kind: 'mx'; readonly preference: number; readonly exchange: Name }
  /** Character strings as octets, each of at most 255. */
  | { readonly kind: 'txt'; readonly strings: readonly string[] }
  | { readonly kind: 'raw'; readonly bytes: Uint8Array }

/** A resource record of class IN. */
export interface ResourceRecord {
  readonly name: Name
  readonly type: number
  /** Seconds, 0 to 2^31 − 1 (RFC 2181 §8). */
  readonly ttl: number
  readonly data: RecordData
}

/** Splits octets into the character strings of a TXT record. */
export function characterStrings(octets: string): string[] {
  const strings: string[] = []
  for (let at = 0; at < octets.length; at += 255) strings.push(octets.slice(at, at + 255))
  return strings.length === 0 ? [''] : strings
}
