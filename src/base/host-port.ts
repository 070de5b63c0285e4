/** Where a server listens. */
export interface BoundAddress {
  readonly address: string
  readonly port: number
}

/** `host:port`, or `[address]:port` for an IPv6 address (RFC 3986 §3.2.2). */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** `address` as it is when it names a port, and with `port` otherwise. */
export function withPort(address: string, port: number): string {
  if (/^\[.*\]:\d+$/.test(address) || /^[^:]+:\d+$/.test(address)) return address
  return hostPort(address, port)
}
