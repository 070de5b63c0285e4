import { encode, writeSerial } from './encode.ts'
import { wireLength } from './name.ts'
import type { Message } from './message.ts'
import type { ResourceRecord } from './record.ts'

const headerBytes = 12
const typeAndClassBytes = 4
/** Owner as a pointer, type, class, TTL, length. */
const recordHeadBytes = 12
/** Longer answers may need to be cut (512 octets without EDNS), which this class does not do. */
const plainBytesMax = 512
const questionBytesMax = 255 + typeAndClassBytes

/**
 * Negative answers that differ only in their question. A query for a name that does not exist then
 * costs no encoding and no memory, as in a flood of random names.
 */
export class NegativeAnswers {
  /** By the authority section, which is one object for all negative answers of a zone. */
  readonly #templates = new WeakMap<readonly ResourceRecord[], (NegativeAnswer | undefined)[]>()

  /** Undefined if the message must be encoded. `variant` determines the OPT record. */
  find(message: Message, variant: number): NegativeAnswer | undefined {
    const { authority, answer, additional } = message
    if (answer.length > 0 || additional.length > 0 || authority.length !== 1) return undefined
    let templates = this.#templates.get(authority)
    if (templates === undefined) this.#templates.set(authority, (templates = []))
    const at = variant * 16 + message.rcode
    return (templates[at] ??= templateOf(message))
  }
}

/** NXDOMAIN or NODATA for any name of one domain, with one kind of OPT record or none. */
export class NegativeAnswer {
  readonly rcode: number
  readonly truncated = false
  readonly #head: Uint8Array
  /** Everything after the question. */
  readonly #tail: Uint8Array
  /** The offsets in the tail of pointers to the domain within the question. */
  readonly #pointers: readonly number[]
  /** From the domain's first octet to the end of the question. */
  readonly #domainBytes: number
  /** The offset in the tail of the serial of the registry's SOA; -1 if there is none. */
  readonly #serialAt: number

  constructor(
    rcode: number,
    head: Uint8Array,
    tail: Uint8Array,
    pointers: readonly number[],
    domainBytes: number,
    serialAt: number,
  ) {
    this.rcode = rcode
    this.#head = head
    this.#tail = tail
    this.#pointers = pointers
    this.#domainBytes = domainBytes
    this.#serialAt = serialAt
  }

  /** Call it before each answer. */
  setSerial(serial: number): void {
    if (this.#serialAt >= 0) writeSerial(this.#tail, this.#serialAt, serial)
  }

  /** The answer to `packet`, whose question ends at `questionEnd`, in a buffer of its own. */
  render(packet: Uint8Array, questionEnd: number): Buffer {
    const out = Buffer.allocUnsafe(questionEnd + this.#tail.length)
    this.renderInto(packet, questionEnd, out, 0)
    return out
  }

  /** As {@link render}, but written to `out` from `at` on; returns its length. */
  renderInto(packet: Uint8Array, questionEnd: number, out: Uint8Array, at: number): number {
    const head = this.#head
    const tail = this.#tail
    for (let each = 0; each < headerBytes; each++) out[at + each] = head[each] ?? 0
    out[at] = packet[0] ?? 0
    out[at + 1] = packet[1] ?? 0
    // RD and CD are copied from the query (RFC 1035 §4.1.1, RFC 4035 §3.2.2); RA stays 0.
    out[at + 2] = (head[2] ?? 0) | ((packet[2] ?? 0) & 0x01)
    out[at + 3] = (head[3] ?? 0) | ((packet[3] ?? 0) & 0x10)
    for (let each = headerBytes; each < questionEnd; each++) out[at + each] = packet[each] ?? 0
    const start = at + questionEnd
    for (let each = 0; each < tail.length; each++) out[start + each] = tail[each] ?? 0
    const pointer = 0xc000 | (questionEnd - this.#domainBytes)
    for (const each of this.#pointers) {
      out[start + each] = pointer >> 8
      out[start + each + 1] = pointer & 0xff
    }
    return questionEnd + tail.length
  }
}

/** Undefined if the names are not compressed in the one way that this class can adapt. */
function templateOf(message: Message): NegativeAnswer | undefined {
  const [soa] = message.authority
  if (soa?.data.kind !== 'soa') return undefined
  const { bytes, questionEnd, serialAt } = encode(message)
  const domainBytes = wireLength(soa.name) + typeAndClassBytes
  const pointer = 0xc000 | (questionEnd - domainBytes)
  const tail = new Uint8Array(bytes.subarray(questionEnd))
  if (tail.length + headerBytes + questionBytesMax > plainBytesMax) return undefined
  // One label before the domain, as in `ns.consul`.
  const primary = recordHeadBytes + 1 + (soa.data.primary[0]?.length ?? 0)
  const mailbox = primary + 3 + (soa.data.mailbox[0]?.length ?? 0)
  const pointers = [0, primary, mailbox]
  for (const at of pointers) {
    if ((((tail[at] ?? 0) << 8) | (tail[at + 1] ?? 0)) !== pointer) return undefined
  }
  return new NegativeAnswer(
    message.rcode,
    bytes.subarray(0, headerBytes),
    tail,
    pointers,
    domainBytes,
    serialAt - questionEnd,
  )
}
