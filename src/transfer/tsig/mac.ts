import { createHmac, timingSafeEqual } from 'node:crypto'
import { lowerAscii } from '../../dns/name.ts'
import type { Name } from '../../dns/name.ts'
import { name, u16, u32 } from '../../dns/octets.ts'
import { recordClass } from '../../dns/record.ts'
import { hashOf } from './keys.ts'
import type { TsigKey } from './keys.ts'

/** The fields of a TSIG record that are signed together with the message. */
export interface SignedFields {
  /** Time signed and fudge. */
  readonly times: Uint8Array
  readonly error: number
  readonly other: Uint8Array
}

/** The seconds by which the clocks of two servers may differ (RFC 8945 §10 recommends 300). */
export const fudgeSeconds = 300

/** Time signed and fudge, as they are in a TSIG record. */
export function timesOf(nowSeconds: number): Buffer {
  const times = Buffer.alloc(8)
  times.writeUIntBE(nowSeconds, 0, 6)
  times.writeUInt16BE(fudgeSeconds, 6)
  return times
}

/** Whether a message that was signed at these times is neither too old nor of the future (RFC 8945 §5.2.3). */
export function isInTime(times: Uint8Array, nowSeconds: number): boolean {
  const view = Buffer.from(times)
  return Math.abs(nowSeconds - view.readUIntBE(0, 6)) <= view.readUInt16BE(6)
}

/**
 * The MAC of a message without its TSIG record (RFC 8945 §4.3): a request, an answer with the MAC of its
 * request before it, or the first message of several.
 */
export function macOf(
  key: TsigKey,
  message: Uint8Array,
  fields: SignedFields,
  requestMac?: Uint8Array,
): Buffer {
  const hmac = createHmac(hashOf(key).hash, key.secret)
  if (requestMac !== undefined) hmac.update(prefixed(requestMac))
  hmac.update(message)
  const names = [canonical(key.name), u16(recordClass.ANY), u32(0), canonical([key.algorithm])]
  hmac.update(Buffer.from(names.join(''), 'latin1'))
  hmac.update(fields.times)
  hmac.update(Buffer.from(u16(fields.error) + u16(fields.other.length), 'latin1'))
  hmac.update(fields.other)
  return hmac.digest()
}

/** The MAC of a later message of several over TCP (RFC 8945 §5.3.1): after the MAC of the one before. */
export function laterMacOf(
  key: TsigKey,
  message: Uint8Array,
  times: Uint8Array,
  macBefore: Uint8Array,
): Buffer {
  const hmac = createHmac(hashOf(key).hash, key.secret)
  return hmac.update(prefixed(macBefore)).update(message).update(times).digest()
}

/** Compares two MACs in a time that does not depend on where they differ. */
export function isSameMac(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

function prefixed(mac: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(u16(mac.length), 'latin1'), mac])
}

/** RFC 8945 §4.3.3: names in lower case, without compression. */
function canonical(labels: Name): string {
  return name(labels.map(lowerAscii))
}
