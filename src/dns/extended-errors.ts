import { extendedErrorOption } from './encode.ts'
import { uint16 } from './wire-records.ts'

/** An Extended DNS Error (RFC 8914 §2). */
export interface ExtendedError {
  /** The INFO-CODE. */
  readonly code: number
  /** Of the code; '' for one without a name here. */
  readonly name: string
  /** The EXTRA-TEXT; mostly ''. */
  readonly text: string
}

const optionHeaderBytes = 4

/** The names of the INFO-CODEs by number (RFC 8914 §5.2, and IANA's registry). */
const names = [
  'Other Error',
  'Unsupported DNSKEY Algorithm',
  'Unsupported DS Digest Type',
  'Stale Answer',
  'Forged Answer',
  'DNSSEC Indeterminate',
  'DNSSEC Bogus',
  'Signature Expired',
  'Signature Not Yet Valid',
  'DNSKEY Missing',
  'RRSIGs Missing',
  'No Zone Key Bit Set',
  'NSEC Missing',
  'Cached Error',
  'Not Ready',
  'Blocked',
  'Censored',
  'Filtered',
  'Prohibited',
  'Stale NXDOMAIN Answer',
  'Not Authoritative',
  'Not Supported',
  'No Reachable Authority',
  'Network Error',
  'Invalid Data',
  'Signature Expired before Valid',
  'Too Early',
  'Unsupported NSEC3 Iterations Value',
  'Unable to conform to policy',
  'Synthesized',
  'Invalid Query Type',
] as const

/** The errors in the data of an OPT record. */
export function readExtendedErrors(
  bytes: Uint8Array,
  dataAt: number,
  end: number,
): readonly ExtendedError[] {
  const errors: ExtendedError[] = []
  for (let at = dataAt; at + optionHeaderBytes + 2 <= end;) {
    const next = at + optionHeaderBytes + uint16(bytes, at + 2)
    if (uint16(bytes, at) === extendedErrorOption && next >= at + 6 && next <= end) {
      // Some servers end the text with a NUL (RFC 8914 §2).
      const text = new TextDecoder().decode(bytes.subarray(at + 6, next)).replace(/\0$/, '')
      const code = uint16(bytes, at + 4)
      errors.push({ code, name: names[code] ?? '', text })
    }
    at = next
  }
  return errors
}
