import { tsigError } from '../../dns/tsig.ts'
import type { Tsig } from '../../dns/tsig.ts'
import { hashOf } from './keys.ts'
import type { TsigKey, TsigKeys } from './keys.ts'
import { isInTime, isSameMac, macOf } from './mac.ts'

const noOther = new Uint8Array(0)

/** What the signature of a request is worth (RFC 8945 §5.2). */
export type Verdict =
  | { readonly kind: 'valid'; readonly key: TsigKey }
  /** There is no such key, or it was not used: the answer cannot be signed. */
  | { readonly kind: 'unsigned'; readonly error: number }
  /** The request has the key, but it is refused nevertheless, with a signed answer. */
  | { readonly kind: 'signed'; readonly key: TsigKey; readonly error: number }
  /** The length of the MAC is not one that can be. */
  | { readonly kind: 'malformed' }

/** Checks the TSIG record of a request. */
export function verifyRequest(
  packet: Uint8Array,
  tsig: Tsig,
  keys: TsigKeys,
  nowSeconds: number,
): Verdict {
  const key = keys.find(tsig.key, tsig.algorithm)
  if (key === undefined) return { kind: 'unsigned', error: tsigError.BADKEY }
  const { bytes } = hashOf(key)
  // RFC 8945 §5.2.2.1: longer than the hash, shorter than half of it or than ten octets.
  if (tsig.mac.length > bytes || tsig.mac.length < Math.max(10, bytes / 2)) {
    return tsig.mac.length === 0
      ? { kind: 'unsigned', error: tsigError.BADSIG }
      : { kind: 'malformed' }
  }
  const mac = macOf(key, withoutTsig(packet, tsig), { ...tsig, other: noOther })
  if (!isSameMac(mac.subarray(0, tsig.mac.length), tsig.mac)) {
    return { kind: 'unsigned', error: tsigError.BADSIG }
  }
  if (!isInTime(tsig.times, nowSeconds)) return { kind: 'signed', key, error: tsigError.BADTIME }
  // RFC 8945 §5.2.4: svcd accepts whole MACs only. It is checked last, as §5.2 says.
  if (tsig.mac.length < bytes) return { kind: 'signed', key, error: tsigError.BADTRUNC }
  return { kind: 'valid', key }
}

/** Whether an answer without error has the right signature for a request with this MAC. */
export function isSignedAnswer(
  packet: Uint8Array,
  tsig: Tsig,
  key: TsigKey,
  requestMac: Uint8Array,
  nowSeconds: number,
): boolean {
  if (tsig.error !== tsigError.NONE || !isInTime(tsig.times, nowSeconds)) return false
  const fields = { ...tsig, other: noOther }
  return isSameMac(macOf(key, withoutTsig(packet, tsig), fields, requestMac), tsig.mac)
}

/** The message as it was signed: without the TSIG record, and with its original ID (RFC 8945 §4.3.2). */
export function withoutTsig(packet: Uint8Array, { start, originalId }: Tsig): Buffer {
  const bare = Buffer.from(packet.subarray(0, start))
  bare.writeUInt16BE(originalId, 0)
  bare.writeUInt16BE(bare.readUInt16BE(10) - 1, 10)
  return bare
}
