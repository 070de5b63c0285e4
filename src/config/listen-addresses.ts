import { must } from '../base/assert.ts'
import { isUnspecifiedIp, parseIp } from '../base/ip.ts'
import type { IpBytes } from '../base/ip.ts'

/**
 * The addresses to open ports on, without those that another address includes: 0.0.0.0 includes all of IPv4,
 * and :: both families. A port can be bound only once.
 */
export function listenAddresses(addresses: readonly string[]): readonly string[] {
  const parsed = addresses.map((text) => must(parseIp(text), 'options hold IP addresses'))
  return addresses.filter((_, at) => {
    const own = must(parsed[at])
    return !parsed.some((other, place) =>
      isSame(own, other) ? place < at : isWildcardOver(own, other),
    )
  })
}

function isSame(a: IpBytes, b: IpBytes): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

function isWildcardOver(own: IpBytes, other: IpBytes): boolean {
  return isUnspecifiedIp(other) && (other.length === 16 || own.length === 4)
}
