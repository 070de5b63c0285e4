import { parseIp } from '../base/ip.ts'
import { clearTruncated, encode, optLength, setTruncated, writeSerial } from './encode.ts'
import type { Encoded } from './encode.ts'
import { fitTo } from './fit.ts'
import { foldOctet } from './query-scan.ts'
import { recordType } from './record.ts'
import { firstByWeight, sharesOf } from './weighted-turn.ts'
import type { Message } from './message.ts'
import type { Name } from './name.ts'

/**
 * Which records of the ring an answer starts with.
 * - `turn`: every answer has all records; each starts one record later.
 * - `advance`: only some fit; each answer has the next ones, so that all get their share.
 * - `client`: only some fit; which ones depends only on the client's network, because proxies treat
 *   an instance that is missing from an SRV answer as removed.
 */
type Policy = 'turn' | 'advance' | 'client'

/** Where a client is; used only by answers that depend on it. */
interface Networked {
  readonly client: string
}

/**
 * An answer in wire form, ready to be sent for every query with the same question and variant. Its last
 * RRset is a ring: its records can start anywhere, because no pointer refers to a name in them.
 */
export class PreparedAnswer {
  /** Header, question in lower case, then the records. */
  readonly bytes: Uint8Array
  readonly questionEnd: number
  readonly rcode: number
  readonly truncated: boolean
  /** The name that other servers know; see {@link Message}. */
  readonly outside: Name | undefined
  /** The offset of the serial of the registry's SOA; 0 if there is none. */
  readonly serialAt: number
  /** Grows with each answer; the next version of the answer continues with it. */
  turn = 0
  readonly #policy: Policy
  /** The offset of each record of the ring, and the end of the last one. */
  readonly #marks: Uint32Array
  /** Records of the answer section before the ring. */
  readonly #before: number
  /** Records of the ring in one answer, unless the policy is `client`. */
  readonly #window: number
  /** The size limit of the ring in octets. */
  readonly #room: number
  /** Set if the first record follows weights; the others then take their turns behind it. */
  readonly #shares: Int32Array | undefined

  /** Prepares `message` for answers of at most `bytesMax` octets; `marksCut`: with TC if they are cut. */
  constructor(message: Message, bytesMax: number, marksCut = true) {
    const full = encode(message)
    const fitted = fitTo(message, full, bytesMax)
    const type = message.question.type
    const isTurned = turnedTypes.includes(type) && fitted.answer.at(-1)?.type === type
    let encoded = full
    let window = full.ring
    let policy: Policy = 'turn'
    const keptOfRing = fitted.answer.length - (message.answer.length - full.ring)
    if (fitted.truncated && isTurned && keptOfRing > 0) {
      window = keptOfRing
      encoded = encodeCut(message, full)
      policy = type === recordType.A || type === recordType.AAAA ? 'advance' : 'client'
    } else if (fitted !== message) {
      encoded = encode(fitted)
      window = fitted.truncated ? 0 : encoded.ring
    }
    const { bytes, ends, questionEnd, serialAt } = encoded
    const ring = window === 0 ? 0 : encoded.ring
    const answers = policy === 'turn' ? fitted.answer.length : message.answer.length
    this.#before = answers - ring
    this.#marks = new Uint32Array(ring + 1)
    this.#marks[0] = this.#before === 0 ? questionEnd : (ends[this.#before - 1] ?? 0)
    for (let at = 0; at < ring; at++) this.#marks[at + 1] = ends[this.#before + at] ?? 0
    this.bytes = bytes
    this.questionEnd = questionEnd
    this.rcode = message.rcode
    this.truncated = fitted.truncated
    this.outside = message.outside
    this.serialAt = serialAt
    if (fitted.truncated && !marksCut && isUseful(fitted)) clearTruncated(bytes)
    this.#policy = policy
    this.#window = window
    const isWeighted = message.weights !== undefined && ring > 1 && policy !== 'client'
    this.#shares = isWeighted ? sharesOf(message.weights.slice(-ring)) : undefined
    this.#room = bytesMax - optLength(message.edns) - this.#mark(0)
    for (let at = 12; at < questionEnd - 4; at++) this.bytes[at] = foldOctet(this.bytes[at] ?? 0)
  }

  /** Call it whenever the serial may have changed. */
  setSerial(serial: number): void {
    writeSerial(this.bytes, this.serialAt, serial)
  }

  /** Roughly how much memory the answer takes, in octets. */
  get weight(): number {
    return this.bytes.length + this.#marks.byteLength + (this.#shares?.byteLength ?? 0) + 300
  }

  /** The answer to `packet`, which must have the same question, in a buffer of its own. */
  render(packet: Uint8Array, asker: Networked): Buffer {
    const ring = this.#marks.length - 1
    const first = this.#first(ring, asker)
    const count = this.#count(first, ring)
    const out = Buffer.allocUnsafe(this.#length(first, count, ring))
    this.#write(out, 0, packet, first, count, ring)
    return out
  }

  /** As {@link render}, but written to `out` from `start` on; returns its length. */
  renderInto(packet: Uint8Array, asker: Networked, out: Uint8Array, start: number): number {
    const ring = this.#marks.length - 1
    const first = this.#first(ring, asker)
    return this.#write(out, start, packet, first, this.#count(first, ring), ring) - start
  }

  /** The first record of the ring; the number of the turn if that decides by weights. */
  #first(ring: number, asker: Networked): number {
    if (ring < 2) return 0
    if (this.#policy === 'client') return clientNumber(asker.client) % ring
    if (this.#shares !== undefined) {
      const { turn } = this
      this.turn = (turn + 1) >>> 0
      return turn
    }
    const first = this.turn % ring
    this.turn = (this.turn + (this.#policy === 'turn' ? 1 : this.#window)) >>> 0
    return first
  }

  #count(first: number, ring: number): number {
    return this.#policy === 'client' ? this.#countFrom(first, ring) : this.#window
  }

  /** How many records fit, starting with `first`. */
  #countFrom(first: number, ring: number): number {
    let used = 0
    let count = 0
    while (count < ring) {
      const at = (first + count) % ring
      used += this.#mark(at + 1) - this.#mark(at)
      if (used > this.#room) break
      count++
    }
    return count
  }

  #length(first: number, count: number, ring: number): number {
    if (count === ring) return this.bytes.length
    const outside = this.bytes.length - (this.#mark(ring) - this.#mark(0))
    // Only addresses are cut so, and those of one family are equally long.
    if (this.#shares !== undefined) return outside + count * (this.#mark(1) - this.#mark(0))
    const last = first + count
    if (last <= ring) return outside + this.#mark(last) - this.#mark(first)
    return outside + this.#mark(ring) - this.#mark(first) + this.#mark(last - ring) - this.#mark(0)
  }

  /** Returns where the answer ends. */
  #write(
    out: Uint8Array,
    start: number,
    packet: Uint8Array,
    first: number,
    count: number,
    ring: number,
  ): number {
    const { bytes, questionEnd } = this
    const answers = this.#before + count
    out[start] = packet[0] ?? 0
    out[start + 1] = packet[1] ?? 0
    // RD and CD are copied from the query (RFC 1035 §4.1.1, RFC 4035 §3.2.2); RA stays 0.
    out[start + 2] = (bytes[2] ?? 0) | ((packet[2] ?? 0) & 0x01)
    out[start + 3] = (bytes[3] ?? 0) | ((packet[3] ?? 0) & 0x10)
    out[start + 4] = 0
    out[start + 5] = 1
    out[start + 6] = answers >> 8
    out[start + 7] = answers & 0xff
    copyOctets(bytes, 8, 12, out, start + 8)
    let at = copyOctets(packet, 12, questionEnd, out, start + 12)
    const ringStart = this.#mark(0)
    at = copyOctets(bytes, questionEnd, ringStart, out, at)
    const last = first + count
    if (this.#shares !== undefined) {
      at = this.#writeByWeight(out, at, first, count, this.#shares)
    } else if (last <= ring) {
      at = copyOctets(bytes, this.#mark(first), this.#mark(last), out, at)
    } else {
      at = copyOctets(bytes, this.#mark(first), this.#mark(ring), out, at)
      at = copyOctets(bytes, ringStart, this.#mark(last - ring), out, at)
    }
    return copyOctets(bytes, this.#mark(ring), bytes.length, out, at)
  }

  /**
   * The record whose turn it is by weight, then as many of the others as fit. Those continue where they ended in the
   * answer before, or start one later if all fit: the second place must not always have the same neighbor.
   */
  #writeByWeight(
    out: Uint8Array,
    start: number,
    turn: number,
    count: number,
    shares: Int32Array,
  ): number {
    const lead = firstByWeight(shares, turn)
    const others = shares.length - 1
    const first = (turn * (count > others ? 1 : count - 1)) % others
    const last = first + count - 1
    const at = copyOctets(this.bytes, this.#mark(lead), this.#mark(lead + 1), out, start)
    if (last <= others) return this.#copyOthers(out, at, first, last, lead)
    return this.#copyOthers(
      out,
      this.#copyOthers(out, at, first, others, lead),
      0,
      last - others,
      lead,
    )
  }

  /** Copies records [first, last) of the ring as it is without one of them. */
  #copyOthers(
    out: Uint8Array,
    start: number,
    first: number,
    last: number,
    without: number,
  ): number {
    const gap = Math.min(Math.max(without, first), last)
    const at = copyOctets(this.bytes, this.#mark(first), this.#mark(gap), out, start)
    return copyOctets(this.bytes, this.#mark(gap + 1), this.#mark(last + 1), out, at)
  }

  #mark(at: number): number {
    return this.#marks[at] ?? 0
  }
}

/** The types of which a cut answer has a part that is of use to the client. */
const turnedTypes: readonly number[] = [
  recordType.A,
  recordType.AAAA,
  recordType.SRV,
  recordType.SVCB,
  recordType.HTTPS,
]

/**
 * Whether a cut answer may be sent without TC: it must have some of the hosts in question. Without any
 * it would mean that there are none, and for other types a part is not a usable answer.
 */
function isUseful({ question, answer }: Message): boolean {
  const last = answer.at(-1)?.type
  const { A, AAAA, SRV, ANY } = recordType
  if (last !== A && last !== AAAA && last !== SRV) return false
  return question.type === last || question.type === ANY
}

/** A message that will be cut, with its whole answer section and nothing else. */
function encodeCut(message: Message, full: Encoded): Encoded {
  if (message.authority.length + message.additional.length > 0) {
    return encode({ ...message, truncated: true, authority: [], additional: [] })
  }
  setTruncated(full.bytes)
  return full
}

/** Copies [from, to) and returns where the next octet goes. */
function copyOctets(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  start: number,
): number {
  // For up to about 200 octets a loop is faster than creating a view for set().
  if (to - from > 200) {
    target.set(source.subarray(from, to), start)
    return start + to - from
  }
  let at = start
  for (let each = from; each < to; each++) target[at++] = source[each] ?? 0
  return at
}

let lastClient = { client: '', number: 0 }

/** A number that all clients of one network share: IPv4 by /24, IPv6 by /56. */
function clientNumber(client: string): number {
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
