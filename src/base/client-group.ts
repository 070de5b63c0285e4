import { formatIp, parseIp } from './ip.ts'

/**
 * Addresses that one machine may well have all of: an IPv4 address alone, and of IPv6 the /64 that a
 * host picks its addresses from (RFC 4291 §2.5.1, RFC 8981).
 */
export function clientGroup(address: string): string {
  if (!address.includes(':')) return address
  const ip = parseIp(address.replace(/%.*$/, ''))
  return ip === undefined
    ? address
    : `${formatIp(Uint8Array.from([...ip.subarray(0, 8), 0, 0, 0, 0, 0, 0, 0, 0]))}/64`
}
