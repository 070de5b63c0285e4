import { must } from '../base/assert.ts'
import { ednsReply } from '../dns/refusal.ts'
import { writeOpt, writeRecord } from '../dns/encode.ts'
import { formatName, wireLength } from '../dns/name.ts'
import type { Name } from '../dns/name.ts'
import type { QueryEdns } from '../dns/query.ts'
import { encodeData } from '../dns/rdata.ts'
import { formatType, rcode, recordClass, recordType } from '../dns/record.ts'
import type { ResourceRecord } from '../dns/record.ts'
import { WireWriter } from '../dns/wire-writer.ts'

const headerBytes = 12
/** OPT, and TSIG with the longest names. */
const endBytes = 700
const messageBytesMax = 65_535 - endBytes
/** Beyond 16 KiB names can no longer be compressed by pointers to them (RFC 1035 §4.1.4). */
const messageBytesWanted = 24 * 1024

/**
 * The messages of a zone transfer (RFC 5936 §2.2): the SOA, all other records of the zone, and the SOA
 * again. They have the ID 0, and no OPT or TSIG record; see {@link fitToQuery}. Throws an error for a
 * record that no message can hold. Records are taken as they are needed.
 */
export function* transferMessages(
  soa: ResourceRecord,
  records: Iterable<ResourceRecord>,
): Generator<Buffer, void> {
  let message = new TransferMessage(soa.name)
  for (const record of between(soa, records)) {
    const bytes = recordBytes(record)
    if (message.length + bytes > messageBytesMax) {
      if (message.count > 0) yield message.finish()
      message = new TransferMessage(undefined)
      if (message.length + bytes > messageBytesMax) {
        throw new Error(
          `the ${formatType(record.type)} record at ${formatName(record.name)} is too long for a zone transfer`,
        )
      }
    }
    message.add(record)
    if (message.length < messageBytesWanted) continue
    yield message.finish()
    message = new TransferMessage(undefined)
  }
  if (message.count > 0) yield message.finish()
}

function* between(
  soa: ResourceRecord,
  records: Iterable<ResourceRecord>,
): Generator<ResourceRecord, void> {
  yield soa
  for (const record of records) if (record.type !== recordType.SOA) yield record
  yield soa
}

/** The most octets that a record takes: those without compression. */
function recordBytes({ name, data }: ResourceRecord): number {
  return wireLength(name) + 10 + encodeData(data).length
}

/** One message while it is filled. No other message may be written until it is finished. */
class TransferMessage {
  count = 0
  readonly #writer = new WireWriter()

  /** RFC 5936 §2.2.2: the first message has the question, and later ones may leave it out. */
  constructor(asked: Name | undefined) {
    const writer = this.#writer
    writer.uint16(0)
    // QR and AA.
    writer.uint16(0x8400)
    writer.uint16(asked === undefined ? 0 : 1)
    for (let section = 0; section < 3; section++) writer.uint16(0)
    if (asked === undefined) return
    writer.name(asked)
    writer.uint16(recordType.AXFR)
    writer.uint16(recordClass.IN)
  }

  get length(): number {
    return this.#writer.length
  }

  add(record: ResourceRecord): void {
    writeRecord(this.#writer, record)
    this.count++
  }

  finish(): Buffer {
    this.#writer.patchUint16(6, this.count)
    return this.#writer.bytes()
  }
}

/** The query that a transfer answers. */
export interface TransferQuery {
  readonly packet: Uint8Array
  readonly questionEnd: number
  readonly edns: QueryEdns | undefined
}

/**
 * Makes a message of {@link transferMessages} the answer to a query: with its ID, and the first one with
 * its question octet by octet and an OPT record if the query had one. The message must not be shared.
 */
export function fitToQuery(
  message: Buffer,
  { packet, questionEnd, edns }: TransferQuery,
  isFirst: boolean,
): Buffer {
  message.set(packet.subarray(0, 2))
  // RD is copied (RFC 1035 §4.1.1).
  message[2] = must(message[2]) | ((packet[2] ?? 0) & 0x01)
  if (!isFirst) return message
  message.set(packet.subarray(headerBytes, questionEnd), headerBytes)
  const reply = ednsReply(edns, [])
  if (reply === undefined) return message
  const writer = new WireWriter()
  writer.raw(message)
  writeOpt(writer, reply, rcode.NOERROR)
  writer.patchUint16(10, 1)
  return writer.bytes()
}
