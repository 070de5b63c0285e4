import { encode } from '../dns/encode.ts'
import { fit } from '../dns/fit.ts'
import { ednsReply } from '../dns/refusal.ts'
import { readName } from '../dns/name.ts'
import { rcode, recordType } from '../dns/record.ts'
import { uint16 } from './upstream-message.ts'
import { readUpstreamMessage } from './upstream-message.ts'
import type { Message } from '../dns/message.ts'
import type { ParsedQuery } from '../dns/query.ts'
import type { Rcode, ResourceRecord } from '../dns/record.ts'
import type { UpstreamMessage, WireRecord } from './upstream-message.ts'

const { CNAME, DNAME } = recordType
const headerBytes = 12

/**
 * The answer for a name of the registry that is an alias of an outside name: the alias from the answer
 * `own`, and what an upstream server says of its target. Undefined if the two cannot be read.
 */
export function chasedAnswer(
  packet: Uint8Array,
  query: Extract<ParsedQuery, { kind: 'query' }>,
  own: Uint8Array,
  outside: Uint8Array,
  bytesMax: number,
): Buffer | undefined {
  const links = readUpstreamMessage(own)
  const target = readUpstreamMessage(outside)
  if (links === undefined || target === undefined) return undefined
  const { type } = query.question
  const isWanted = ({ section, type: of }: WireRecord): boolean =>
    section === 'answer' && (of === type || of === CNAME || of === DNAME)
  const negative = target.records.filter(({ section, type: of }) => {
    return section === 'authority' && of === recordType.SOA
  })
  const found = target.records.filter(isWanted)
  const message: Message = {
    question: query.question,
    // RFC 6604 §3: the rcode is that of the last name.
    rcode: target.rcode as Rcode,
    authoritative: target.rcode !== rcode.SERVFAIL,
    truncated: false,
    answer:
      target.rcode === rcode.SERVFAIL
        ? []
        : [...recordsOf(links, links.records.filter(isAnswer)), ...recordsOf(target, found)],
    authority: found.length === 0 ? recordsOf(target, negative) : [],
    additional: [],
    edns: ednsReply(query.edns, target.extendedErrors.slice(0, 1)),
  }
  const { bytes } = encode(fit(message, bytesMax))
  bytes.set(packet.subarray(0, 2))
  bytes[2] = (bytes[2] ?? 0) | ((packet[2] ?? 0) & 0x01)
  bytes[3] = (bytes[3] ?? 0) | 0x80 | ((packet[3] ?? 0) & 0x10)
  bytes.set(packet.subarray(headerBytes, query.questionEnd), headerBytes)
  return bytes
}

function isAnswer({ section }: WireRecord): boolean {
  return section === 'answer'
}

function recordsOf(
  { bytes }: UpstreamMessage,
  records: readonly WireRecord[],
): readonly ResourceRecord[] {
  return records.map((record) => ({
    name: readName(bytes, record.at, bytes.length)?.name ?? [],
    type: record.type,
    ttl: record.ttl,
    data: dataOf(bytes, record),
  }))
}

/** Names in data are written in full, because what they point to is not copied. */
function dataOf(bytes: Uint8Array, { type, dataAt, end }: WireRecord): ResourceRecord['data'] {
  if (type === CNAME || type === DNAME) {
    return { kind: 'name', name: readName(bytes, dataAt, end)?.name ?? [] }
  }
  if (type !== recordType.SOA) return { kind: 'raw', bytes: bytes.slice(dataAt, end) }
  const primary = readName(bytes, dataAt, end)
  const mailbox = primary && readName(bytes, primary.next, end)
  const numbers = mailbox?.next ?? end - 20
  const field = (at: number): number =>
    uint16(bytes, numbers + at * 4) * 0x1_0000 + uint16(bytes, numbers + at * 4 + 2)
  return {
    kind: 'soa',
    primary: primary?.name ?? [],
    mailbox: mailbox?.name ?? [],
    serial: field(0),
    refresh: field(1),
    retry: field(2),
    expire: field(3),
    minimum: field(4),
  }
}
