import { extendedErrorOption } from '../dns/encode.ts'
import { extendedError } from '../dns/message.ts'
import { variantBytesMax, variantDnssecOk, variantHasEdns } from '../dns/query-scan.ts'
import { recordType } from '../dns/record.ts'
import { ownUdpBytes } from '../dns/refusal.ts'

/** A stored answer where it lies: in the cache, or in memory of its own. */
export interface RenderSource {
  readonly bytes: Uint8Array
  /** Where the message begins, and its length. */
  readonly at: number
  readonly length: number
  readonly marks: Uint16Array
  /** Where its marks begin, and how many records it has. */
  readonly marksAt: number
  readonly records: number
  readonly extendedError: number
}

/** The query that is answered. */
export interface RenderedQuery {
  readonly packet: Uint8Array
  readonly questionEnd: number
  /** Transport, EDNS and size: see `query-scan.ts`. */
  readonly variant: number
}

/** How old the answer is, or the TTL of all its records if it is stale. */
export interface Age {
  readonly ageSeconds: number
  readonly staleTtl: number | undefined
}

const optBytes = 11
const errorBytes = 6
const rdMask = 0x01

/** Writes the answer to `out` from `start` on, cut to what the client can take. Returns its length. */
export function renderAnswer(
  source: RenderSource,
  query: RenderedQuery,
  age: Age,
  out: Uint8Array,
  start: number,
): number {
  const { packet, questionEnd, variant } = query
  const hasEdns = variantHasEdns(variant)
  const error = age.staleTtl === undefined ? source.extendedError : staleError
  const optLength = hasEdns ? optBytes + (error === 0 ? 0 : errorBytes) : 0
  const limit = Math.min(variantBytesMax(variant), out.length - start) - optLength
  const counts = source.at + 6
  const answers = count(source.bytes, counts)
  const authorities = count(source.bytes, counts + 2)
  let kept = fitting(source, limit)
  let isCut = false
  if (kept < answers + authorities && kept < source.records) {
    isCut = answers === 0 || kept < answers
    kept = Math.min(kept, answers)
  }
  const end =
    kept === 0 ? questionEnd : Math.min(source.marks[source.marksAt + kept * 2 - 1] ?? 0, limit)
  writeHeader(source, query, out, start, isCut)
  writeCount(out, start + 6, Math.min(kept, answers))
  writeCount(out, start + 8, Math.min(Math.max(0, kept - answers), authorities))
  writeCount(out, start + 10, Math.max(0, kept - answers - authorities) + (hasEdns ? 1 : 0))
  for (let at = 12; at < questionEnd; at++) out[start + at] = packet[at] ?? 0
  copy(source.bytes, source.at + questionEnd, source.at + end, out, start + questionEnd)
  for (let record = 0; record < kept; record++) {
    writeTtl(out, start + (source.marks[source.marksAt + record * 2] ?? 0), age, start + limit)
  }
  return hasEdns ? writeOpt(out, start + end, variant, error) - start : end
}

const staleError = extendedError.staleAnswer

/** How many records fit. */
function fitting(source: RenderSource, limit: number): number {
  if (source.length <= limit) return source.records
  let kept = 0
  while (kept < source.records && (source.marks[source.marksAt + kept * 2 + 1] ?? 0) <= limit)
    kept++
  return kept
}

function writeHeader(
  source: RenderSource,
  { packet, variant }: RenderedQuery,
  out: Uint8Array,
  start: number,
  isCut: boolean,
): void {
  const flags = source.bytes[source.at + 3] ?? 0
  const queryFlags = packet[3] ?? 0
  // RFC 6840 §5.8: AD is for clients that asked for it, by AD or by DO.
  const wantsAuthentic = (queryFlags & 0x20) !== 0 || variantDnssecOk(variant)
  out[start] = packet[0] ?? 0
  out[start + 1] = packet[1] ?? 0
  out[start + 2] = 0x80 | (isCut ? 0x02 : 0) | ((packet[2] ?? 0) & rdMask)
  out[start + 3] = 0x80 | (flags & 0x0f) | (queryFlags & 0x10) | (wantsAuthentic ? flags & 0x20 : 0)
  out[start + 4] = 0
  out[start + 5] = 1
}

function writeTtl(out: Uint8Array, at: number, { ageSeconds, staleTtl }: Age, end: number): void {
  if (at + 4 > end) return
  const ttl =
    (out[at] ?? 0) * 0x100_0000 +
    (((out[at + 1] ?? 0) << 16) | ((out[at + 2] ?? 0) << 8) | (out[at + 3] ?? 0))
  const left = staleTtl ?? Math.max(0, ttl - ageSeconds)
  out[at] = left >>> 24
  out[at + 1] = left >>> 16
  out[at + 2] = left >>> 8
  out[at + 3] = left
}

/** Returns where it ends. */
function writeOpt(out: Uint8Array, at: number, variant: number, error: number): number {
  out.fill(0, at, at + optBytes)
  out[at + 2] = recordType.OPT
  out[at + 3] = ownUdpBytes >> 8
  out[at + 4] = ownUdpBytes & 0xff
  out[at + 7] = variantDnssecOk(variant) ? 0x80 : 0
  if (error === 0) return at + optBytes
  out[at + 10] = errorBytes
  const option = at + optBytes
  out[option] = 0
  out[option + 1] = extendedErrorOption
  out[option + 2] = 0
  out[option + 3] = 2
  out[option + 4] = error >> 8
  out[option + 5] = error & 0xff
  return option + errorBytes
}

function count(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function writeCount(out: Uint8Array, at: number, value: number): void {
  out[at] = value >> 8
  out[at + 1] = value & 0xff
}

function copy(from: Uint8Array, start: number, end: number, out: Uint8Array, at: number): void {
  // For up to about 200 octets a loop is faster than creating a view for set().
  if (end - start > 200) return out.set(from.subarray(start, end), at)
  for (let each = start; each < end; each++) out[at + each - start] = from[each] ?? 0
  return undefined
}
