import { encode, optLength } from './encode.ts'
import type { Encoded } from './encode.ts'
import type { Message } from './message.ts'

/**
 * Cuts the message to `limit` octets. Additional records are dropped first, from the end and without
 * TC, because they are optional (RFC 2181 §9). If the answer itself is too long, it is cut and TC is set.
 * It then has no additional records at all, because some might belong to records that were cut. The
 * OPT record always stays. At least one record of the answer stays if any one fits.
 */
export function fit(message: Message, limit: number): Message {
  return fitTo(message, encode(message), limit)
}

/** {@link fit} for a caller that has `message` in wire form already, as `encoded`. */
export function fitTo(message: Message, { ends }: Encoded, limit: number): Message {
  const room = limit - optLength(message.edns)
  const required = message.answer.length + message.authority.length
  const fitting = countFitting(ends, room)
  if (fitting === ends.length) return message
  if (fitting >= required) {
    return { ...message, additional: message.additional.slice(0, fitting - required) }
  }
  const bare = { ...message, authority: [], additional: [] }
  const kept = Math.min(fitting, message.answer.length)
  // An authority section that was too long does not make the answer incomplete.
  if (kept > 0 && kept === message.answer.length) return bare
  return { ...bare, truncated: true, answer: message.answer.slice(0, kept) }
}

function countFitting(ends: readonly number[], room: number): number {
  let count = 0
  while (count < ends.length && (ends[count] ?? 0) <= room) count++
  return count
}
