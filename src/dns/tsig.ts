import { readName } from './name.ts'
import { recordClass, recordType } from './record.ts'
import type { Name } from './name.ts'
import type { WireWriter } from './wire-writer.ts'

/** The TSIG record of a message (RFC 8945 §4.2). */
export interface Tsig {
  readonly key: Name
  readonly algorithm: Name
  /** Time signed (48 bits) and fudge, as they came. */
  readonly times: Uint8Array
  readonly mac: Uint8Array
  readonly originalId: number
  readonly error: number
  /** Where the record begins in its message: everything before it is signed. */
  readonly start: number
}

/** The errors of RFC 8945 §3 in a TSIG record. */
export const tsigError = { NONE: 0, BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const

const timesBytes = 8

/**
 * Reads the TSIG that begins at `start`, with its type at `body` and the end of its data at `end`;
 * undefined: malformed.
 */
export function readTsig(
  packet: Buffer | Uint8Array,
  key: Name,
  { start, body, end }: { readonly start: number; readonly body: number; readonly end: number },
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
    mac: packet.slice(mac, macEnd),
    originalId: view.readUInt16BE(macEnd),
    error: view.readUInt16BE(macEnd + 2),
    start,
  }
}

/** What a TSIG record consists of when it is written. */
export interface WrittenTsig extends Pick<
  Tsig,
  'key' | 'algorithm' | 'times' | 'originalId' | 'mac' | 'error'
> {
  /** The server's time, if the error is BADTIME. */
  readonly other: Uint8Array
}

export function writeTsig(writer: WireWriter, tsig: WrittenTsig): void {
  writer.plainName(tsig.key)
  writer.uint16(recordType.TSIG)
  writer.uint16(recordClass.ANY)
  writer.uint32(0)
  const lengthAt = writer.length
  writer.uint16(0)
  writer.plainName(tsig.algorithm)
  writer.raw(tsig.times)
  writer.uint16(tsig.mac.length)
  writer.raw(tsig.mac)
  writer.uint16(tsig.originalId)
  writer.uint16(tsig.error)
  writer.uint16(tsig.other.length)
  writer.raw(tsig.other)
  writer.patchUint16(lengthAt, writer.length - lengthAt - 2)
}

/**
 * The TSIG of an answer to a query with an unknown key or a wrong MAC (RFC 8945 §5.2.1, §5.2.2): it has
 * no MAC, as §5.3.2 requires. The times are those of the query: this module has no clock, and the times
 * protect nothing.
 */
export function unsignedTsig(tsig: Tsig, error: number): WrittenTsig {
  const none = new Uint8Array(0)
  return { ...tsig, mac: none, error, other: none }
}
