import { must } from '../base/assert.ts'
import { decodeData, encodeData } from './rdata.ts'
import type { Name } from './name.ts'
import type { ResourceRecord } from './record.ts'

/**
 * The records of a zone in one piece of shared memory, which never changes: all threads share a zone of
 * any size. Its contents are the number of slots; a hash table with the offset of each name's entry; and
 * the entries. An entry has the length of the name, the name in lower case and as written, the number of
 * its records, and type, TTL, length and data of each record. Numbers are big-endian.
 */
export type PackedRecords = SharedArrayBuffer

const [headBytes, slotBytes] = [4, 4]
const recordHeadBytes = 8

/** Packs records by name. The keys are those of `nameKey`; empty lists are empty non-terminals. */
export function packRecords(
  recordsByKey: ReadonlyMap<string, readonly ResourceRecord[]>,
): PackedRecords {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(2, recordsByKey.size * 2)))
  const tableEnd = headBytes + slots * slotBytes
  let size = tableEnd
  for (const [key, records] of recordsByKey) {
    size += 1 + 2 * key.length + 4
    for (const { data } of records) size += recordHeadBytes + encodeData(data).length
  }
  const packed = new SharedArrayBuffer(size)
  const bytes = Buffer.from(packed)
  bytes.writeUInt32BE(slots, 0)
  let at = tableEnd
  for (const [key, records] of recordsByKey) {
    let slot = hash(key) % slots
    while (bytes.readUInt32BE(placeOf(slot)) !== 0) slot = (slot + 1) & (slots - 1)
    bytes.writeUInt32BE(at, placeOf(slot))
    at = writeEntry(bytes, at, key, records)
  }
  return packed
}

function writeEntry(
  bytes: Buffer,
  start: number,
  key: string,
  records: readonly ResourceRecord[],
): number {
  let at = bytes.writeUInt8(key.length, start)
  at += bytes.write(key, at, 'latin1')
  at += bytes.write(writtenName(key, records), at, 'latin1')
  at = bytes.writeUInt32BE(records.length, at)
  for (const { type, ttl, data } of records) {
    const octets = encodeData(data)
    at = bytes.writeUInt16BE(type, at)
    at = bytes.writeUInt32BE(ttl, at)
    at = bytes.writeUInt16BE(octets.length, at)
    at += bytes.write(octets, at, 'latin1')
  }
  return at
}

/** The name in the case of its first record; it is as long as the key. */
function writtenName(key: string, [first]: readonly ResourceRecord[]): string {
  if (first === undefined) return key
  return first.name.map((label) => String.fromCharCode(label.length) + label).join('')
}

/**
 * The records at a name, by its `nameKey`, all or those of some types; undefined when there is no
 * such name.
 */
export function recordsAt(
  packed: PackedRecords,
  key: string,
  types?: readonly number[],
): readonly ResourceRecord[] | undefined {
  const bytes = Buffer.from(packed)
  const slots = bytes.readUInt32BE(0)
  // At least half of the slots are empty, so this ends.
  for (let slot = hash(key) % slots; ; slot = (slot + 1) & (slots - 1)) {
    const start = bytes.readUInt32BE(placeOf(slot))
    if (start === 0) return undefined
    if (isKeyAt(bytes, start, key)) return readEntry(bytes, start, types)
  }
}

/** All records, in no particular order; for tests and tools. */
export function allRecords(packed: PackedRecords): readonly ResourceRecord[] {
  return [...eachRecord(packed)]
}

/** All records, those of one name together, and the names in no particular order. */
export function* eachRecord(packed: PackedRecords): Generator<ResourceRecord, void> {
  const bytes = Buffer.from(packed)
  for (let slot = 0; slot < bytes.readUInt32BE(0); slot++) {
    const start = bytes.readUInt32BE(placeOf(slot))
    if (start !== 0) yield* readEntry(bytes, start, undefined)
  }
}

function placeOf(slot: number): number {
  return headBytes + slot * slotBytes
}

function isKeyAt(bytes: Buffer, start: number, key: string): boolean {
  if (bytes[start] !== key.length) return false
  for (let at = 0; at < key.length; at++) {
    if (bytes[start + 1 + at] !== key.charCodeAt(at)) return false
  }
  return true
}

function readEntry(
  bytes: Buffer,
  start: number,
  types: readonly number[] | undefined,
): readonly ResourceRecord[] {
  const keyLength = bytes.readUInt8(start)
  let at = start + 1 + 2 * keyLength
  const count = bytes.readUInt32BE(at)
  at += 4
  const records: ResourceRecord[] = []
  let name: Name | undefined
  for (let index = 0; index < count; index++) {
    const type = bytes.readUInt16BE(at)
    const length = bytes.readUInt16BE(at + 6)
    const data = at + recordHeadBytes
    if (types === undefined || types.includes(type)) {
      name ??= readLabels(bytes, start + 1 + keyLength, keyLength)
      // A copy: data that is sent must not be in shared memory.
      const octets = Buffer.from(bytes.subarray(data, data + length))
      const decoded = must(decodeData(type, octets), 'packed data is read back')
      records.push({ name, type, ttl: bytes.readUInt32BE(at + 2), data: decoded })
    }
    at = data + length
  }
  return records
}

function readLabels(bytes: Buffer, start: number, length: number): Name {
  const labels: string[] = []
  for (let at = start; at < start + length;) {
    const size = bytes.readUInt8(at)
    labels.push(bytes.toString('latin1', at + 1, at + 1 + size))
    at += 1 + size
  }
  return labels
}

/** FNV-1a over the octets. */
export function hash(key: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < key.length; at++) {
    value = Math.imul(value ^ key.charCodeAt(at), 0x01000193)
  }
  // The lower bits alone decide the slot: let the upper ones have their say.
  return (value ^ (value >>> 15)) >>> 0
}
