/** The keys of the parameters of SVCB and HTTPS records (RFC 9460 §14.3.2, RFC 9461 §5). */
export const serviceParameter = {
  mandatory: 0,
  alpn: 1,
  'no-default-alpn': 2,
  port: 3,
  ipv4hint: 4,
  ech: 5,
  ipv6hint: 6,
  dohpath: 7,
} as const

const namesByKey = new Map<number, string>(
  Object.entries(serviceParameter).map(([name, key]) => [key, name]),
)

/** `alpn`, or `key667` for a parameter without a name here. */
export function formatParameter(key: number): string {
  return namesByKey.get(key) ?? `key${key}`
}
