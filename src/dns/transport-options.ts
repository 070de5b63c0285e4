import { optAtEnd, uint16 } from './wire-records.ts'

/** What a connection adds to the answers that it carries. */
export interface TransportPolicy {
  /** How long the connection stays open without a query (RFC 7828); undefined: this is not told. */
  readonly keepaliveMs: number | undefined
  readonly isEncrypted: boolean
}

const keepaliveOption = 11
const paddingOption = 12
/** The block length that RFC 8467 §4.1 recommends for answers. */
const blockBytes = 468
const messageBytesMax = 65_535
const optionHeadBytes = 4
/** An OPT record after its owner: type, size, rcode and flags, length. */
const optFixedBytes = 10
/** The header, the shortest question, and an OPT record with one option. */
const shortestBytes = 12 + 5 + 11 + optionHeadBytes

/** How many octets more than its answer {@link addTransportOptions} may need. */
export const transportOptionBytesMax = optionHeadBytes + 2 + optionHeadBytes + blockBytes

/**
 * Adds to an answer at [start, start + length) of `out` what its query asked of the connection: how long
 * it stays open, and padding. Returns the new length. There must be room for
 * {@link transportOptionBytesMax} more octets.
 */
export function addTransportOptions(
  query: Uint8Array,
  out: Uint8Array,
  start: number,
  length: number,
  { keepaliveMs, isEncrypted }: TransportPolicy,
): number {
  if (query.length < shortestBytes || query[11] === 0) return length
  const asked = optionsOf(query)
  const saysKeepalive = asked.keepalive && keepaliveMs !== undefined
  // RFC 7830 §4: an answer is padded if its query was, and not without encryption.
  const isPadded = asked.padding && isEncrypted
  if (!saysKeepalive && !isPadded) return length
  const opt = optAtEnd(out, start, start + length)
  if (opt === 0) return length
  let end = start + length
  if (saysKeepalive && length + optionHeadBytes + 2 <= messageBytesMax) {
    end = writeHead(out, end, keepaliveOption, 2)
    // RFC 7828 §3.1: in units of 100 milliseconds.
    writeUint16(out, end, Math.min(Math.floor(keepaliveMs / 100), 0xffff))
    end += 2
  }
  if (isPadded) end = pad(out, start, end)
  writeUint16(out, opt + 8, end - opt - optFixedBytes)
  return end - start
}

/** Fills up the last block; the largest message need not be a whole number of blocks. */
function pad(out: Uint8Array, start: number, end: number): number {
  const bare = end - start + optionHeadBytes
  const whole = Math.min(Math.ceil(bare / blockBytes) * blockBytes, messageBytesMax)
  if (bare > whole) return end
  const from = writeHead(out, end, paddingOption, whole - bare)
  // RFC 7830 §3: padding octets are 0.
  out.fill(0, from, start + whole)
  return start + whole
}

function optionsOf(query: Uint8Array): { keepalive: boolean; padding: boolean } {
  const found = { keepalive: false, padding: false }
  const opt = optAtEnd(query, 0, query.length)
  if (opt === 0) return found
  let at = opt + optFixedBytes
  while (at + optionHeadBytes <= query.length) {
    const code = uint16(query, at)
    if (code === keepaliveOption) found.keepalive = true
    if (code === paddingOption) found.padding = true
    at += optionHeadBytes + uint16(query, at + 2)
  }
  return found
}

function writeHead(out: Uint8Array, at: number, code: number, length: number): number {
  writeUint16(out, at, code)
  writeUint16(out, at + 2, length)
  return at + optionHeadBytes
}

function writeUint16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >> 8
  out[at + 1] = value & 0xff
}
