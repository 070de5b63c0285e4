import { recordType } from './record.ts'

const headerBytes = 12
/** Type, class, TTL and length. */
const fixedBytes = 10

/** Called with the offset of the type of each record, and its section. True: stop here. */
type Visit = (fixedAt: number, section: number) => boolean

/** The sections of a message after the question. */
const sections = { answer: 0, authority: 1, additional: 2 } as const

/**
 * Visits the records of a message in wire form that begins at `start`. False: it is malformed, or the
 * visitor has not stopped.
 */
function someRecord(bytes: Uint8Array, start: number, end: number, visit: Visit): boolean {
  let at = start + headerBytes
  for (let left = uint16(bytes, start + 4); left > 0 && at > 0; left--) {
    at = skipName(bytes, at, end)
    if (at > 0) at += 4
  }
  for (let section = 0; section < 3; section++) {
    for (let left = uint16(bytes, start + 6 + 2 * section); left > 0; left--) {
      if (at > 0) at = skipName(bytes, at, end)
      if (at <= 0 || at + fixedBytes > end) return false
      if (visit(at, section)) return true
      at += fixedBytes + uint16(bytes, at + 8)
    }
  }
  return false
}

/** Where the question ends of an ordinary query, which `QueryScan` has read. */
export function questionEndOf(query: Uint8Array): number {
  return skipName(query, headerBytes, query.length) + 4
}

/** Where the name at `at` ends; 0 if it leaves the message. */
function skipName(bytes: Uint8Array, at: number, end: number): number {
  let next = at
  while (next < end) {
    const size = bytes[next] ?? 0
    if (size === 0) return next + 1
    if (size >= 0xc0) return next + 2
    next += 1 + size
  }
  return 0
}

/**
 * The offset of the type of the OPT record at the end of a message; 0 if there is none. A record that
 * follows it, such as TSIG, signs it: then it must not be changed.
 */
export function optAtEnd(bytes: Uint8Array, start: number, end: number): number {
  let found = 0
  someRecord(bytes, start, end, (at, section) => {
    if (section !== sections.additional || uint16(bytes, at) !== recordType.OPT) return false
    if (at + fixedBytes + uint16(bytes, at + 8) === end) found = at
    return true
  })
  return found
}

/**
 * How many seconds an answer may be kept: the smallest TTL of its answer section. For a negative answer
 * it is that of the SOA record or its last field (RFC 2308 §5), and 0 for an answer without records.
 */
export function freshSeconds(bytes: Uint8Array, start: number, end: number): number {
  let seconds = Infinity
  someRecord(bytes, start, end, (at, section) => {
    // Authority counts only if there is no answer.
    if (section > (seconds < Infinity ? sections.answer : sections.authority)) return true
    const ttl = uint32(bytes, at + 4)
    const isSoa = uint16(bytes, at) === recordType.SOA
    if (section === sections.authority && !isSoa) return false
    const last = at + fixedBytes + uint16(bytes, at + 8) - 4
    const isNegative = section === sections.authority && last + 4 <= end
    seconds = Math.min(seconds, ttl, isNegative ? uint32(bytes, last) : Infinity)
    return false
  })
  return seconds === Infinity ? 0 : seconds
}

export function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function uint32(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) * 0x1_0000 + uint16(bytes, at + 2)
}
