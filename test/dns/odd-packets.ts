import { recordType } from '../../src/dns/record.ts'
import { buildQuery } from './fixture.ts'

// Packets that nobody sends in good faith, and some at the edge of what is.

export const query = buildQuery('web.service.consul', 'A')
/** The query with an OPT record whose options are given in hex. */
export function withOpt(options = '', { version = 0, flags = 0 } = {}): Buffer {
  const rdata = Buffer.from(options, 'hex')
  const opt = Buffer.alloc(11)
  opt.writeUInt16BE(recordType.OPT, 1)
  opt.writeUInt16BE(1232, 3)
  opt[6] = version
  opt[7] = flags
  opt.writeUInt16BE(rdata.length, 9)
  const packet = Buffer.concat([query, opt, rdata])
  packet[11] = 1
  return packet
}

export function changed(bytes: Buffer, ...patches: readonly (readonly [number, number])[]): Buffer {
  const copy = Buffer.from(bytes)
  for (const [at, value] of patches) copy[at] = value
  return copy
}

/** A query for a name given as wire octets. */
export function rawName(name: Buffer): Buffer {
  return Buffer.concat([query.subarray(0, 12), name, Buffer.from([0, 1, 0, 1])])
}

export const longLabel = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 'a')])
const name255 = Buffer.concat([
  longLabel,
  longLabel,
  longLabel,
  Buffer.from([61]),
  Buffer.alloc(61, 'b'),
  Buffer.from([0]),
])
export const cookie = (length: number): string =>
  `000a${length.toString(16).padStart(4, '0')}${'ab'.repeat(length)}`

/** Each with the rcode of its answer; undefined: none at all. */
export const oddPackets: Readonly<Record<string, readonly [Buffer, string | undefined]>> = {
  'an ordinary query': [query, 'NOERROR'],
  nothing: [Buffer.alloc(0), undefined],
  'half a header': [query.subarray(0, 11), undefined],
  'a header alone': [query.subarray(0, 12), 'FORMERR'],
  'a response': [changed(query, [2, 0x80]), undefined],
  'a response of another opcode': [changed(query, [2, 0xa8]), undefined],
  'a response with FORMERR': [changed(query.subarray(0, 12), [2, 0x80], [3, 1], [5, 0]), undefined],
  'no question': [changed(query.subarray(0, 12), [5, 0]), 'FORMERR'],
  'two questions (RFC 9619)': [
    changed(Buffer.concat([query, query.subarray(12)]), [5, 2]),
    'FORMERR',
  ],
  'opcode STATUS': [changed(query, [2, 2 << 3]), 'NOTIMP'],
  'opcode 15 with OPT': [changed(withOpt(), [2, 15 << 3]), 'NOTIMP'],
  'opcode NOTIFY': [changed(query, [2, 4 << 3]), 'NOTIMP'],
  'opcode UPDATE': [changed(query, [2, 5 << 3]), 'NOTIMP'],
  'opcode 15': [changed(query, [2, 15 << 3]), 'NOTIMP'],
  'a question cut in its name': [query.subarray(0, 20), 'FORMERR'],
  'a question cut in its class': [query.subarray(0, query.length - 1), 'FORMERR'],
  'octets after the end': [Buffer.concat([query, Buffer.from([0])]), 'FORMERR'],
  'a name that points at itself': [rawName(Buffer.from([0xc0, 12])), 'FORMERR'],
  'two names that point at each other': [rawName(Buffer.from([0xc0, 14, 0xc0, 12])), 'FORMERR'],
  'a label before the way back to it': [rawName(Buffer.from([1, 0x61, 0xc0, 12])), 'FORMERR'],
  'a name that points forward': [rawName(Buffer.from([0xc0, 14, 0])), 'FORMERR'],
  'a name that points into the header': [rawName(Buffer.from([0xc0, 4])), 'FORMERR'],
  'a label of a reserved kind': [rawName(Buffer.from([0x41, 0x61, 0])), 'FORMERR'],
  'a label of 63 octets': [rawName(Buffer.concat([longLabel, Buffer.from([0])])), 'REFUSED'],
  'a name of 255 octets': [rawName(name255), 'REFUSED'],
  'a name of 256 octets': [
    rawName(
      Buffer.concat([
        Buffer.from([1, 0x61]),
        changed(name255, [192, 60]).subarray(0, 253),
        Buffer.from([0]),
      ]),
    ),
    'FORMERR',
  ],
  'the root': [rawName(Buffer.from([0])), 'REFUSED'],
  'an additional record that is missing': [changed(query, [11, 1]), 'FORMERR'],
  OPT: [withOpt(), 'NOERROR'],
  DO: [withOpt('', { flags: 0x80 }), 'NOERROR'],
  'unknown OPT flags': [withOpt('', { flags: 0x7f }), 'NOERROR'],
  'EDNS version 1': [withOpt('', { version: 1 }), 'BADVERS'],
  'EDNS version 255 with options of another shape': [
    withOpt('ffffff', { version: 255 }),
    'BADVERS',
  ],
  'two OPT records': [
    changed(Buffer.concat([withOpt(), withOpt().subarray(query.length)]), [11, 2]),
    'FORMERR',
  ],
  'OPT among the answers': [changed(withOpt(), [11, 0], [7, 1]), 'FORMERR'],
  'OPT that is not at the root': [
    changed(
      Buffer.concat([query, Buffer.from([1, 0x61]), withOpt().subarray(query.length)]),
      [11, 1],
    ),
    'FORMERR',
  ],
  'an unknown option': [withOpt('fde90003010203'), 'NOERROR'],
  'client subnet': [withOpt('0008000700011800c00002'), 'NOERROR'],
  'an option longer than its record': [withOpt('fde90005010203'), 'FORMERR'],
  'half an option header': [withOpt('fde900'), 'FORMERR'],
  'a COOKIE of 7': [withOpt(cookie(7)), 'FORMERR'],
  'a COOKIE of 8': [withOpt(cookie(8)), 'NOERROR'],
  'a COOKIE of 15': [withOpt(cookie(15)), 'FORMERR'],
  'a COOKIE of 16': [withOpt(cookie(16)), 'NOERROR'],
  'a COOKIE of 40': [withOpt(cookie(40)), 'NOERROR'],
  'a COOKIE of 41': [withOpt(cookie(41)), 'FORMERR'],
  'type OPT as a question': [changed(query, [query.length - 3, 41]), 'FORMERR'],
  'class CH': [changed(query, [query.length - 1, 3]), 'REFUSED'],
  'AA, TC, Z and AD set': [changed(query, [2, 0x07], [3, 0x60]), 'NOERROR'],
}
