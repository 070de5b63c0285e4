import { parseIp } from '../base/ip.ts'

let lastClient = { client: '', number: 0 }

/** A number that all clients of one network share: IPv4 by /24, IPv6 by /56. */
export function clientNumber(client: string): number {
  if (lastClient.client !== client) lastClient = { client, number: hashNetwork(client) }
  return lastClient.number
}

function hashNetwork(client: string): number {
  const ip = parseIp(client.split('%')[0] ?? '') ?? new Uint8Array(4)
  const mapped = ip.length === 16 && client.toLowerCase().startsWith('::ffff:')
  const from = mapped ? 12 : 0
  const to = mapped ? 15 : ip.length === 4 ? 3 : 7
  let hash = 0x811c9dc5
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (ip[at] ?? 0), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}
