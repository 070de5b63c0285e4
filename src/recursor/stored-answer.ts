import { pooledOctets } from '../base/pooled-octets.ts'
import { foldOctet } from '../dns/query-scan.ts'
import { rcode } from '../dns/record.ts'
import type { OutsideQuestion } from './outside-question.ts'
import { sensibleTtl } from './lifetime.ts'
import type { UpstreamMessage, WireRecord } from './upstream-message.ts'

/** An answer as it is kept: the upstream's records octet by octet, without OPT. */
export interface StoredAnswer {
  /** Header, question in lower case, records. Only the counts, AD and the rcode of the header count. */
  readonly bytes: Uint8Array
  /** Where the TTL of each record lies, and where the record ends. */
  readonly marks: Uint16Array
  /** INFO-CODE of RFC 8914; 0: none. */
  readonly extendedError: number
}

const headerBytes = 12
/** Where the header counts the records of a section. */
const countsAt = { answer: 6, authority: 8, additional: 10 } as const

/** `isTrusted`: no host between svcd and the upstream server could have set the AD bit. */
export function storeAnswer(
  { octets }: OutsideQuestion,
  message: UpstreamMessage,
  isTrusted: boolean,
): StoredAnswer {
  const { records, questionEnd } = message
  const shift = headerBytes + octets.length - questionEnd
  const end = records.at(-1)?.end ?? questionEnd
  const bytes = pooledOctets(end + shift)
  for (let at = questionEnd; at < end; at++) bytes[at + shift] = message.bytes[at] ?? 0
  writeHeader(bytes, message, isTrusted)
  bytes.set(octets, headerBytes)
  const marks = new Uint16Array(records.length * 2)
  let at = 0
  for (const record of records) {
    lowerOwner(bytes, message, record)
    writeUint32(bytes, record.ttlAt, sensibleTtl(record.ttl))
    marks[at++] = record.ttlAt
    marks[at++] = record.end
  }
  return { bytes, marks, extendedError: message.extendedErrors[0] ?? 0 }
}

/** An answer without records, for a question that no upstream server could answer. */
export function storeFailure({ octets }: OutsideQuestion, extendedError: number): StoredAnswer {
  const bytes = new Uint8Array(headerBytes + octets.length)
  bytes[3] = rcode.SERVFAIL
  bytes[5] = 1
  bytes.set(octets, headerBytes)
  return { bytes, marks: new Uint16Array(0), extendedError }
}

function writeHeader(bytes: Uint8Array, message: UpstreamMessage, isTrusted: boolean): void {
  // RFC 4035 §4.9.3: the AD bit counts only if the path to the server is secure.
  bytes[3] = (isTrusted && message.isAuthentic ? 0x20 : 0) | (message.rcode & 0x0f)
  bytes[5] = 1
  for (const { section } of message.records) {
    const low = countsAt[section] + 1
    bytes[low] = (bytes[low] ?? 0) + 1
    if (bytes[low] === 0) bytes[low - 1] = (bytes[low - 1] ?? 0) + 1
  }
}

/** The question was asked in mixed case, and a server may copy it into the owners of records. */
function lowerOwner(bytes: Uint8Array, message: UpstreamMessage, record: WireRecord): void {
  const length = message.questionEnd - 4 - headerBytes
  for (let at = 0; at < length; at++) {
    if (message.bytes[record.at + at] !== message.bytes[headerBytes + at]) return
  }
  for (let at = record.at; at < record.at + length; at++) bytes[at] = foldOctet(bytes[at] ?? 0)
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
