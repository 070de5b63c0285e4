import { parseIp, unmappedIp } from '../base/ip.ts'
import type { SourceAddress } from '../dns/protection/rate-limiter.ts'

const unknown = new Uint8Array(4)

/** The address of a client as octets, without its zone; IPv4 always as 4. */
export function sourceOf(client: string): SourceAddress {
  const bytes = parseIp(unmappedIp(client.split('%')[0] ?? '')) ?? unknown
  return { bytes, at: 0, length: bytes.length }
}
