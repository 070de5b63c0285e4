import { sipHash } from './siphash.ts'
import type { SourceAddress } from './rate-limiter.ts'

/** The secrets of server cookies: the same on all servers. */
export interface CookieSecrets {
  /** 16 octets; new cookies are made with it. */
  readonly current: Uint8Array
  /** The one before, of which cookies are accepted until then, in seconds of the wall clock. */
  readonly previous?: { readonly secret: Uint8Array; readonly untilSeconds: number } | undefined
}

/** `fresh`: it may be sent again. `old`: it is valid, but the client should get a new one. */
export type CookieState = 'fresh' | 'old' | 'bad'

export const clientCookieBytes = 8
export const serverCookieBytes = 16
/** Version, reserved octets and time, which the hash covers. */
const headBytes = 8
const version = 1

/** RFC 9018 §4.3: valid for an hour, renewed after half an hour; the clocks of servers may differ by 5 minutes. */
const validSeconds = 3600
const renewSeconds = 1800
const aheadSeconds = 300

/** The server cookie of RFC 9018 §4 for a client cookie, in `out` from `at` on. */
export function writeServerCookie(
  { current }: CookieSecrets,
  clientCookie: Uint8Array,
  source: SourceAddress,
  nowSeconds: number,
  out: Uint8Array,
  at: number,
): void {
  const head = new Uint8Array(headBytes)
  head[0] = version
  new DataView(head.buffer).setUint32(4, nowSeconds >>> 0)
  out.set(head, at)
  out.set(hashOf(current, clientCookie, head, source), at + headBytes)
}

/** What a server cookie is that came with a client cookie. */
export function cookieState(
  { current, previous }: CookieSecrets,
  clientCookie: Uint8Array,
  serverCookie: Uint8Array,
  source: SourceAddress,
  nowSeconds: number,
): CookieState {
  if (serverCookie.length !== serverCookieBytes || serverCookie[0] !== version) return 'bad'
  const view = new DataView(serverCookie.buffer, serverCookie.byteOffset)
  // RFC 9018 §4.3: the time is compared with serial number arithmetic.
  const ageSeconds = ((nowSeconds >>> 0) - view.getUint32(4)) | 0
  if (ageSeconds > validSeconds || ageSeconds < -aheadSeconds) return 'bad'
  const matches = (secret: Uint8Array): boolean => {
    return isHashOf(serverCookie, hashOf(secret, clientCookie, serverCookie, source))
  }
  if (matches(current)) return ageSeconds > renewSeconds || ageSeconds < 0 ? 'old' : 'fresh'
  const isOld =
    previous !== undefined && nowSeconds < previous.untilSeconds && matches(previous.secret)
  return isOld ? 'old' : 'bad'
}

/** `head` begins with version, reserved octets and time; the hash covers them as they came. */
function hashOf(
  secret: Uint8Array,
  clientCookie: Uint8Array,
  head: Uint8Array,
  { bytes, at, length }: SourceAddress,
): Uint8Array {
  const covered = new Uint8Array(clientCookieBytes + headBytes + length)
  covered.set(clientCookie.subarray(0, clientCookieBytes))
  covered.set(head.subarray(0, headBytes), clientCookieBytes)
  covered.set(bytes.subarray(at, at + length), clientCookieBytes + headBytes)
  return sipHash(secret, covered)
}

/** Looks at all octets, so that the time tells nothing of the first wrong one. */
function isHashOf(serverCookie: Uint8Array, hash: Uint8Array): boolean {
  let difference = 0
  for (let at = 0; at < hash.length; at++) {
    difference |= (hash[at] ?? 0) ^ (serverCookie[headBytes + at] ?? 0)
  }
  return difference === 0
}
