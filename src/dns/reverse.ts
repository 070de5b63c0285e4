import { lowerAscii } from './name.ts'
import type { IpBytes } from '../base/ip.ts'
import type { Name } from './name.ts'

/** A name below `in-addr.arpa` or `ip6.arpa` (RFC 1035 §3.5, RFC 3596 §2.5). */
export type ReverseName =
  /** `apex` is the part of the name with the address; there may be labels before it. */
  | { readonly kind: 'address'; readonly ip: IpBytes; readonly apex: Name }
  /** The beginning of addresses: `4` or `6`, then the hexadecimal digits so far. */
  | { readonly kind: 'prefix'; readonly prefix: string }
  /** No address begins like this: `256.in-addr.arpa`. */
  | { readonly kind: 'nothing' }

/** Undefined if the name is not a reverse name. */
export function parseReverse(name: Name): ReverseName | undefined {
  if (lowerAscii(name.at(-1) ?? '') !== 'arpa') return undefined
  const family = lowerAscii(name.at(-2) ?? '')
  if (family === 'in-addr') return read(name, 4, octetDigits)
  return family === 'ip6' ? read(name, 32, nibbleDigit) : undefined
}

function read(
  name: Name,
  labelsMax: number,
  digitsOf: (label: string) => string | undefined,
): ReverseName {
  const count = Math.min(name.length - 2, labelsMax)
  let digits = ''
  for (let at = 1; at <= count; at++) {
    const more = digitsOf(name.at(-2 - at) ?? '')
    if (more === undefined) return { kind: 'nothing' }
    digits += more
  }
  if (count < labelsMax) return { kind: 'prefix', prefix: (labelsMax === 4 ? '4' : '6') + digits }
  const ip = new Uint8Array(Buffer.from(digits, 'hex'))
  return { kind: 'address', ip, apex: name.slice(name.length - 2 - count) }
}

function octetDigits(label: string): string | undefined {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(label) || Number(label) > 255) return undefined
  return Number(label).toString(16).padStart(2, '0')
}

function nibbleDigit(label: string): string | undefined {
  return /^[0-9a-f]$/i.test(label) ? label.toLowerCase() : undefined
}
