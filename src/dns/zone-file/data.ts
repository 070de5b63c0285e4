import { parseIpv4, parseIpv6 } from '../../base/ip.ts'
import { decodeData } from '../rdata.ts'
import { formatType, recordType } from '../record.ts'
import { Fields, ZoneFileProblem, parseInteger, parseString, quote } from './fields.ts'
import { rareData } from './rare-data.ts'
import type { Name } from '../name.ts'
import type { RecordData } from '../record.ts'
import type { Token } from './lexer.ts'

const { A, AAAA, NS, CNAME, PTR, MX, TXT, SRV, SOA } = recordType

const dataBytesMax = 0xffff

/** Reads the data of a record. Throws {@link ZoneFileProblem}. */
export function parseData(type: number, tokens: readonly Token[], origin: Name): RecordData {
  const data = readData(type, tokens, origin)
  const bytes =
    data.kind === 'txt'
      ? data.strings.reduce((sum, { length }) => sum + 1 + length, 0)
      : data.kind === 'raw'
        ? data.bytes.length
        : 0
  if (bytes <= dataBytesMax) return data
  throw new ZoneFileProblem(`the data has ${bytes} octets; the limit is ${dataBytesMax}`)
}

function readData(type: number, tokens: readonly Token[], origin: Name): RecordData {
  if (tokens[0]?.text === '\\#' && !tokens[0].quoted) return parseUnknown(type, tokens)
  const fields = new Fields(tokens, origin)
  switch (type) {
    case A:
      return parseAddress('IPv4', parseIpv4, fields.exactly('an IPv4 address').word())
    case AAAA:
      return parseAddress('IPv6', parseIpv6, fields.exactly('an IPv6 address').word())
    case NS:
    case CNAME:
    case PTR:
      return { kind: 'name', name: fields.exactly('a name').name() }
    case MX:
      fields.exactly('preference', 'exchange')
      return { kind: 'mx', preference: fields.integer(0xffff), exchange: fields.name() }
    case SRV:
      fields.exactly('priority', 'weight', 'port', 'target')
      return {
        kind: 'srv',
        priority: fields.integer(0xffff),
        weight: fields.integer(0xffff),
        port: fields.integer(0xffff),
        target: fields.name(),
      }
    case TXT:
      return { kind: 'txt', strings: fields.atLeast('a string').rest().map(parseString) }
    case SOA:
      return parseSoa(fields)
    default: {
      const parse = rareData.get(type)
      if (parse !== undefined) return { kind: 'raw', bytes: Buffer.from(parse(fields), 'latin1') }
      const name = formatType(type)
      throw new ZoneFileProblem(`write the data of ${name} as \\# LENGTH HEX (RFC 3597)`)
    }
  }
}

function parseSoa(fields: Fields): RecordData {
  fields.exactly('primary', 'mailbox', 'serial', 'refresh', 'retry', 'expire', 'minimum')
  return {
    kind: 'soa',
    primary: fields.name(),
    mailbox: fields.name(),
    serial: fields.integer(0xffff_ffff),
    refresh: fields.time(),
    retry: fields.time(),
    expire: fields.time(),
    minimum: fields.time(),
  }
}

function parseAddress(
  family: string,
  parse: (text: string) => Uint8Array | undefined,
  text: string,
): RecordData {
  const ip = parse(text)
  if (ip === undefined) throw new ZoneFileProblem(`${quote(text)} is not a valid ${family} address`)
  return { kind: 'ip', ip }
}

/** RFC 3597 §5. Data of a known type is treated as if it were written in the form of that type. */
function parseUnknown(type: number, tokens: readonly Token[]): RecordData {
  const hex = tokens
    .slice(2)
    .map(({ text }) => text)
    .join('')
  const length = parseInteger(tokens[1]?.text ?? '', 0xffff)
  if (!/^(?:[0-9a-f]{2})*$/i.test(hex) || hex.length !== length * 2) {
    throw new ZoneFileProblem(`\\# ${length} must be followed by ${length} octets in hexadecimal`)
  }
  const bytes = Buffer.from(hex, 'hex')
  const data = decodeData(type, bytes)
  if (data !== undefined) return data
  throw new ZoneFileProblem(`\\# ${length} ${quote(hex)} is not valid data for ${formatType(type)}`)
}
