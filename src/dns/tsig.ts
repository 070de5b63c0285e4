import { readName } from './name.ts'
import { recordClass, recordType } from './record.ts'
import type { Name } from './name.ts'
import type { WireWriter } from './wire-writer.ts'

/** The parts of a query's TSIG record that an answer repeats (RFC 8945 §4.2). */
export interface Tsig {
  readonly key: Name
  readonly algorithm: Name
  /** Time signed (48 bits) and fudge, as they came. */
  readonly times: Uint8Array
  readonly originalId: number
}

const badKey = 17
const timesBytes = 8

/** Reads the TSIG with its type at `body` and the end of its data at `end`; undefined: malformed. */
export function readTsig(
  packet: Buffer | Uint8Array,
  key: Name,
  body: number,
  end: number,
): Tsig | undefined {
  const view = Buffer.from(packet.buffer, packet.byteOffset, packet.byteLength)
  // RFC 8945 §4.2: class ANY, TTL 0.
  if (view.readUInt16BE(body + 2) !== recordClass.ANY || view.readUInt32BE(body + 4) !== 0) {
    return undefined
  }
  const algorithm = readName(packet, body + 10, end)
  const times = algorithm?.next ?? end
  const mac = times + timesBytes + 2
  if (algorithm === undefined || mac > end) return undefined
  const macEnd = mac + view.readUInt16BE(mac - 2)
  if (macEnd + 6 > end || macEnd + 6 + view.readUInt16BE(macEnd + 4) !== end) return undefined
  return {
    key,
    algorithm: algorithm.name,
    times: packet.slice(times, times + timesBytes),
    originalId: view.readUInt16BE(macEnd),
  }
}

/**
 * The TSIG of an answer to a query with an unknown key (RFC 8945 §5.2.1): BADKEY and no MAC, as §5.3.2
 * requires. The times are those of the query: this module has no clock, and the times protect nothing.
 */
export function writeBadKey(writer: WireWriter, tsig: Tsig): void {
  writer.plainName(tsig.key)
  writer.uint16(recordType.TSIG)
  writer.uint16(recordClass.ANY)
  writer.uint32(0)
  const lengthAt = writer.length
  writer.uint16(0)
  writer.plainName(tsig.algorithm)
  writer.raw(tsig.times)
  writer.uint16(0)
  writer.uint16(tsig.originalId)
  writer.uint16(badKey)
  writer.uint16(0)
  writer.patchUint16(lengthAt, writer.length - lengthAt - 2)
}
