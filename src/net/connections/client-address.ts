/** An IPv4 address that an IPv6 socket has taken (RFC 4291 §2.5.5.2) as plain IPv4. */
export function plainAddress(address: string): string {
  return /^::ffff:\d/i.test(address) ? address.slice(7) : address
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
