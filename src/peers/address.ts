/** The parts of `host:port` or `[IPv6]:port`; undefined when it is neither. */
export function dialAddress(address: string): { host: string; port: number } | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address)
  const host = parts?.[1] ?? parts?.[2]
  const port = Number(parts?.[3])
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}
