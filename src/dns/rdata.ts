import { readName } from './name.ts'
import { recordType } from './record.ts'
import { name, string, u16, u32 } from './octets.ts'
import type { Name } from './name.ts'
import type { RecordData } from './record.ts'

const { A, AAAA, NS, CNAME, PTR, MX, SRV, SOA } = recordType

/** Data in wire form, one character per octet, its names without compression. */
export function encodeData(data: RecordData): string {
  switch (data.kind) {
    case 'ip':
      return Buffer.from(data.ip).toString('latin1')
    case 'name':
      return name(data.name)
    case 'srv':
      return u16(data.priority) + u16(data.weight) + u16(data.port) + name(data.target)
    case 'mx':
      return u16(data.preference) + name(data.exchange)
    case 'soa': {
      const { primary, mailbox, serial, refresh, retry, expire, minimum } = data
      const numbers = [serial, refresh, retry, expire, minimum]
      return name(primary) + name(mailbox) + numbers.map(u32).join('')
    }
    case 'txt':
      return data.strings.map(string).join('')
    case 'raw':
      return Buffer.from(data.bytes).toString('latin1')
  }
}

/** Data in wire form as the shape that its type has here; undefined when it is malformed. */
export function decodeData(type: number, bytes: Buffer): RecordData | undefined {
  switch (type) {
    case A:
      return bytes.length === 4 ? { kind: 'ip', ip: bytes } : undefined
    case AAAA:
      return bytes.length === 16 ? { kind: 'ip', ip: bytes } : undefined
    case NS:
    case CNAME:
    case PTR: {
      const target = nameAt(bytes, 0)
      return target === undefined ? undefined : { kind: 'name', name: target }
    }
    case MX: {
      const exchange = nameAt(bytes, 2)
      if (exchange === undefined) return undefined
      return { kind: 'mx', preference: bytes.readUInt16BE(0), exchange }
    }
    case SRV: {
      const target = nameAt(bytes, 6)
      if (target === undefined) return undefined
      const [priority, weight] = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)]
      return { kind: 'srv', priority, weight, port: bytes.readUInt16BE(4), target }
    }
    case SOA:
      return decodeSoa(bytes)
    default:
      return { kind: 'raw', bytes }
  }
}

/** The name that fills the data from `at` on. */
function nameAt(bytes: Buffer, at: number): Name | undefined {
  const read = bytes.length <= at ? undefined : readName(bytes, at, bytes.length)
  return read?.next === bytes.length ? read.name : undefined
}

function decodeSoa(bytes: Buffer): RecordData | undefined {
  const primary = readName(bytes, 0, bytes.length)
  const mailbox = primary && readName(bytes, primary.next, bytes.length)
  if (primary === undefined || mailbox?.next !== bytes.length - 20) return undefined
  const at = (field: number): number => bytes.readUInt32BE(mailbox.next + 4 * field)
  return {
    kind: 'soa',
    primary: primary.name,
    mailbox: mailbox.name,
    serial: at(0),
    refresh: at(1),
    retry: at(2),
    expire: at(3),
    minimum: at(4),
  }
}
