import { networkInterfaces } from 'node:os'
import { isUnspecifiedIp, parseIp } from '../base/ip.ts'

/**
 * The address that other nodes and the catalog are told: the one configured, or the bind address,
 * or when that is a wildcard this machine's first address that is not a loopback one.
 */
export function advertisedAddress({
  advertiseAddress,
  bindAddress,
}: {
  readonly advertiseAddress?: string | undefined
  readonly bindAddress: string
}): string {
  if (advertiseAddress !== undefined) return advertiseAddress
  const bind = parseIp(bindAddress)
  if (bind === undefined || !isUnspecifiedIp(bind)) return bindAddress
  const family = bind.length === 4 ? 'IPv4' : 'IPv6'
  const candidates = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const own = candidates.find(
    (entry) => entry.family === family && !entry.internal && !entry.address.startsWith('fe80:'),
  )
  return own?.address ?? (family === 'IPv4' ? '127.0.0.1' : '::1')
}
