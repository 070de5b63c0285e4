import { wireLength } from './name.ts'
import { recordType } from './record.ts'
import type { Name } from './name.ts'
import type { ResourceRecord } from './record.ts'

const { A, AAAA } = recordType

const headerBytes = 12
/** Type and class of the question, and an OPT record with an extended error. */
const restBytes = 4 + 17
/** Owner as a pointer, type, class, TTL, length. */
const recordHeadBytes = 12

/**
 * The answer to ANY over UDP (RFC 8482 §4.1): the first RRset that is not empty. For a host with
 * addresses of both families it has both if they fit, because some clients query ANY for all addresses.
 */
export function smallAny(
  name: Name,
  types: readonly number[],
  setOf: (type: number) => readonly ResourceRecord[],
  bytesMax = Infinity,
): readonly ResourceRecord[] {
  for (const type of types) {
    const set = setOf(type)
    if (set.length === 0) continue
    const other = type === A ? AAAA : type === AAAA ? A : undefined
    if (other === undefined || !types.includes(other)) return set
    const both = [...set, ...setOf(other)]
    return bytesOf(name, both) <= bytesMax ? both : set
  }
  return []
}

/** The size of an answer with addresses of one name, in octets. */
function bytesOf(name: Name, addresses: readonly ResourceRecord[]): number {
  let bytes = headerBytes + wireLength(name) + restBytes
  for (const { type } of addresses) bytes += recordHeadBytes + (type === A ? 4 : 16)
  return bytes
}
