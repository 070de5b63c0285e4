import { unreachable } from '../base/assert.ts'
import { sameName } from './name.ts'
import { recordClass, recordType } from './record.ts'
import { WireWriter } from './wire-writer.ts'
import type { Edns, Message } from './message.ts'
import type { RecordData, ResourceRecord } from './record.ts'

export const headerBytes = 12
export const extendedErrorOption = 15

/** A message in wire form, and where its records lie. */
export interface Encoded {
  readonly bytes: Buffer
  /** Where the question ends and the first record begins. */
  readonly questionEnd: number
  /** Where each record of answer, authority and additional ends, in that order, OPT left out. */
  readonly ends: readonly number[]
  /**
   * How many records at the end of the answer section can change places octet by octet: one RRset
   * whose owner is a pointer, and whose names no pointer refers to.
   */
  readonly ring: number
  /** The offset of the serial of the registry's SOA; 0 if there is none. */
  readonly serialAt: number
}

/** Encodes with id 0, RD and CD clear; a responder fills them in from the packet it answers. */
export function encode(message: Message): Encoded {
  const writer = new WireWriter()
  writeHeader(writer, message)
  writer.name(message.question.name)
  writer.uint16(message.question.type)
  writer.uint16(message.question.class)
  const questionEnd = writer.length
  const ends: number[] = []
  const ring = ringLength(message)
  let serialAt = 0
  for (const [at, record] of message.answer.entries()) {
    // Names inside the ring must not be compression targets: rotating it would break the pointers.
    writer.recording = at < message.answer.length - ring
    writeRecord(writer, record)
    if (isLive(record)) serialAt = writer.length - serialToEnd
    ends.push(writer.length)
  }
  writer.recording = true
  for (const record of [...message.authority, ...message.additional]) {
    writeRecord(writer, record)
    if (isLive(record)) serialAt = writer.length - serialToEnd
    ends.push(writer.length)
  }
  if (message.edns !== undefined) writeOpt(writer, message.edns, message.rcode)
  return { bytes: writer.bytes(), questionEnd, ends, ring, serialAt }
}

/** Serial, refresh, retry, expire and minimum are the last fields of an SOA. */
const serialToEnd = 20

function isLive({ data }: ResourceRecord): boolean {
  return data.kind === 'soa' && data.isLive === true
}

/** Writes a serial of 32 bits in network order. */
export function writeSerial(bytes: Uint8Array, at: number, serial: number): void {
  bytes[at] = serial >>> 24
  bytes[at + 1] = serial >>> 16
  bytes[at + 2] = serial >>> 8
  bytes[at + 3] = serial
}

/** Sets TC in what was encoded without it. */
export function setTruncated(bytes: Uint8Array): void {
  bytes[2] = (bytes[2] ?? 0) | 0x02
}

export function clearTruncated(bytes: Uint8Array): void {
  bytes[2] = (bytes[2] ?? 0) & ~0x02
}

/** The octets that the OPT record of an answer takes. */
export function optLength(edns: Edns | undefined): number {
  return edns === undefined ? 0 : 11 + edns.extendedErrors.length * 6
}

function ringLength(message: Message): number {
  const last = message.answer.at(-1)
  if (last === undefined || !isOwnerKnown(message, last)) return 0
  let count = 0
  for (let at = message.answer.length - 1; at >= 0; at--) {
    const record = message.answer[at]
    if (record?.type !== last.type || !sameName(record.name, last.name)) break
    count++
  }
  return Math.max(0, count - (message.leading ?? 0))
}

/** Whether the owner was written before the ring: as the question, or as the target of a CNAME. */
function isOwnerKnown(message: Message, record: ResourceRecord): boolean {
  if (sameName(record.name, message.question.name)) return true
  return message.answer.some(
    (earlier) =>
      earlier.type === recordType.CNAME &&
      earlier.data.kind === 'name' &&
      sameName(earlier.data.name, record.name),
  )
}

function writeHeader(writer: WireWriter, message: Message): void {
  writer.uint16(0)
  writer.uint8(0x80 | (message.authoritative ? 0x04 : 0) | (message.truncated ? 0x02 : 0))
  writer.uint8(message.rcode & 0x0f)
  writer.uint16(1)
  writer.uint16(message.answer.length & 0xffff)
  writer.uint16(message.authority.length)
  writer.uint16(message.additional.length + (message.edns === undefined ? 0 : 1))
}

export function writeRecord(writer: WireWriter, record: ResourceRecord): void {
  writer.name(record.name)
  writer.uint16(record.type)
  writer.uint16(recordClass.IN)
  writer.uint32(record.ttl)
  const lengthAt = writer.length
  writer.uint16(0)
  writeData(writer, record.data)
  writer.patchUint16(lengthAt, writer.length - lengthAt - 2)
}

function writeData(writer: WireWriter, data: RecordData): void {
  switch (data.kind) {
    case 'ip':
      return writer.raw(data.ip)
    case 'name':
      return writer.name(data.name)
    case 'srv':
      writer.uint16(data.priority)
      writer.uint16(data.weight)
      writer.uint16(data.port)
      // RFC 2782: "name compression is not to be used for this field".
      return writer.plainName(data.target)
    case 'mx':
      writer.uint16(data.preference)
      return writer.name(data.exchange)
    case 'soa':
      writer.name(data.primary)
      writer.name(data.mailbox)
      for (const field of [data.serial, data.refresh, data.retry, data.expire, data.minimum]) {
        writer.uint32(field)
      }
      return undefined
    case 'txt':
      for (const text of data.strings) {
        writer.uint8(text.length)
        writer.octets(text)
      }
      return undefined
    case 'raw':
      return writer.raw(data.bytes)
    default:
      return unreachable(data)
  }
}

/** RFC 6891 §6.1.2 and §6.1.3: the class is the size, the TTL holds rcode, version and DO. */
export function writeOpt(writer: WireWriter, edns: Edns, rcode: number): void {
  writer.uint8(0)
  writer.uint16(recordType.OPT)
  writer.uint16(edns.udpSize)
  writer.uint8(rcode >> 4)
  writer.uint8(0)
  writer.uint16(edns.dnssecOk ? 0x8000 : 0)
  writer.uint16(edns.extendedErrors.length * 6)
  for (const code of edns.extendedErrors) {
    writer.uint16(extendedErrorOption)
    writer.uint16(2)
    writer.uint16(code)
  }
}
