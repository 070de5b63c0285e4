import { must } from '../../src/base/assert.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { oddPackets } from '../dns/odd-packets.ts'

// Odd packets that are changed at random, without end. They follow from a seed.

const headerBytes = 12
const seeds = Object.values(oddPackets).map(([packet]) => packet)

/** Numbers below `max` that follow from the seed (a linear congruential generator). */
function numbers(start: number): (max: number) => number {
  let state = start >>> 0
  return (max) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % max
  }
}

/** The next packet at each call. */
export function changedPackets(seed: number): () => Buffer {
  const below = numbers(seed)
  return () => {
    let packet = Buffer.from(must(seeds[below(seeds.length)]))
    for (let times = below(4); times > 0 && packet.length > 0; times--) {
      const at = below(packet.length)
      const kind = below(4)
      if (kind === 0) packet[at] = below(256)
      else if (kind === 1) packet = packet.subarray(0, at)
      else if (kind === 2) packet = Buffer.concat([packet, packet.subarray(at)])
      else packet[at] = (packet[at] ?? 0) ^ (1 << below(8))
    }
    return packet
  }
}

/** Whether a packet is to be answered, if only with FORMERR: it has a header, which says that it is a query. */
export function isAnswerable(packet: Uint8Array): boolean {
  return packet.length >= headerBytes && ((packet[2] ?? 0) & 0x80) === 0
}

/** Whether dns2 can read an answer. */
export function isDecodable(answer: Buffer): boolean {
  try {
    decodeReply(answer)
    return true
  } catch {
    return false
  }
}
