import { headerBytes, optLength } from './encode.ts'
import { PackedAnswer } from './packed-answer.ts'
import { foldOctet } from './query-scan.ts'
import { rcode, recordClass, recordType } from './record.ts'
import type { Edns } from './message.ts'
import type { PlainAddresses } from './view.ts'

/** What an answer of addresses alone consists of. */
export interface AddressAnswer {
  readonly type: number
  readonly ttl: number
  readonly addresses: PlainAddresses
  /** Undefined if the query had no OPT record. */
  readonly edns: Edns | undefined
}

/** The name as a pointer to the question, type, class, TTL and length. */
const recordHeadBytes = 12
const scratchBytes = 4096
const scratch = Buffer.allocUnsafeSlow(scratchBytes)

/**
 * The answer that `prepareAnswer` would make of one address record for each instance, without the objects in between.
 * `packet` is an ordinary query, the question of which ends at `questionEnd`. Undefined if the answer does not fit.
 */
export function addressAnswer(
  packet: Uint8Array,
  questionEnd: number,
  { type, ttl, addresses, edns }: AddressAnswer,
  bytesMax: number,
): PackedAnswer | undefined {
  const { size, octets } = addresses
  const count = octets.length / size
  const recordBytes = recordHeadBytes + size
  const recordsEnd = questionEnd + count * recordBytes
  const end = recordsEnd + optLength(edns)
  if (end > Math.min(bytesMax, scratchBytes)) return undefined
  writeHead(packet, questionEnd, count, edns !== undefined)
  const marks = [questionEnd]
  for (let at = questionEnd, read = 0; at < recordsEnd; at += recordBytes, read += size) {
    writeRecordHead(at, type, ttl, size)
    for (let octet = 0; octet < size; octet++) {
      scratch[at + recordHeadBytes + octet] = octets[read + octet] ?? 0
    }
    marks.push(at + recordBytes)
  }
  if (edns !== undefined) writeOpt(recordsEnd, end, edns)
  return PackedAnswer.of(scratch.subarray(0, end), marks, {
    questionEnd,
    rcode: rcode.NOERROR,
    truncated: false,
    serialAt: 0,
    policy: 'turn',
    before: 0,
    window: count,
    room: bytesMax - (end - recordsEnd) - questionEnd,
  })
}

/** The header of an authoritative answer, and the question in lower case. */
function writeHead(packet: Uint8Array, questionEnd: number, count: number, hasOpt: boolean): void {
  scratch.fill(0, 0, headerBytes)
  scratch[2] = 0x84
  scratch[5] = 1
  scratch[6] = count >> 8
  scratch[7] = count & 0xff
  scratch[11] = hasOpt ? 1 : 0
  const nameEnd = questionEnd - 4
  for (let at = headerBytes; at < nameEnd; at++) scratch[at] = foldOctet(packet[at] ?? 0)
  for (let at = nameEnd; at < questionEnd; at++) scratch[at] = packet[at] ?? 0
}

function writeRecordHead(at: number, type: number, ttl: number, size: number): void {
  scratch[at] = 0xc0
  scratch[at + 1] = headerBytes
  scratch[at + 2] = 0
  scratch[at + 3] = type
  scratch[at + 4] = 0
  scratch[at + 5] = recordClass.IN
  scratch[at + 6] = ttl >>> 24
  scratch[at + 7] = ttl >>> 16
  scratch[at + 8] = ttl >>> 8
  scratch[at + 9] = ttl
  scratch[at + 10] = 0
  scratch[at + 11] = size
}

function writeOpt(at: number, end: number, { udpSize, dnssecOk }: Edns): void {
  scratch.fill(0, at, end)
  scratch[at + 2] = recordType.OPT
  scratch[at + 3] = udpSize >> 8
  scratch[at + 4] = udpSize & 0xff
  scratch[at + 7] = dnssecOk ? 0x80 : 0
}
