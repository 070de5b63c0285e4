import { foldOctet } from '../dns/query-scan.ts'

/** What a client asks of a name that svcd does not serve. */
export interface OutsideQuestion {
  /** Name in lower case, type and class, as on the wire. */
  readonly octets: Uint8Array
  readonly flags: number
}

/** The bits of a query that change what an upstream server answers. */
export const questionFlag = { dnssecOk: 1, checkingDisabled: 2 } as const

const headerBytes = 12

/** The question of a packet that was read before as a query, which ends at `questionEnd`. */
export function outsideQuestion(
  packet: Uint8Array,
  questionEnd: number,
  dnssecOk: boolean,
): OutsideQuestion {
  // Not slice(), which for a Buffer is a view of it.
  const octets = new Uint8Array(packet.subarray(headerBytes, questionEnd))
  // The lengths of labels are at most 63, so they are not letters.
  for (let at = 0; at < octets.length - 4; at++) octets[at] = foldOctet(octets[at] ?? 0)
  const checkingDisabled = ((packet[3] ?? 0) & 0x10) !== 0
  return { octets, flags: flagsOf(dnssecOk, checkingDisabled) }
}

export function flagsOf(dnssecOk: boolean, checkingDisabled: boolean): number {
  return (
    (dnssecOk ? questionFlag.dnssecOk : 0) | (checkingDisabled ? questionFlag.checkingDisabled : 0)
  )
}

/** The type that a question is about. */
export function typeOf({ octets }: OutsideQuestion): number {
  return ((octets.at(-4) ?? 0) << 8) | (octets.at(-3) ?? 0)
}
