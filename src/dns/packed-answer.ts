import { clientNumber } from './client-number.ts'
import { writeSerial } from './encode.ts'
import { foldOctet } from './query-scan.ts'
import { firstByWeight } from './weighted-turn.ts'
import type { Name } from './name.ts'

/**
 * Which records of the ring an answer starts with.
 * - `turn`: every answer has all records; each starts one record later.
 * - `advance`: only some fit; each answer has the next ones, so that all get their share.
 * - `client`: only some fit; which ones depends only on the client's network, because proxies treat
 *   an instance that is missing from an SRV answer as removed.
 */
export const policies = ['turn', 'advance', 'client'] as const
export type Policy = (typeof policies)[number]

/** The places of an answer's numbers, in words of 32 bits. The first seven belong to the cache. */
export const place = {
  capacity: 0,
  hash: 1,
  state: 2,
  checked: 3,
  generation: 4,
  /** How many slots the answer depends on, and the mode in the upper half. */
  slots: 5,
  extras: 6,
  turn: 7,
  questionEnd: 8,
  serialAt: 9,
  /** The rcode, the policy from bit 16 on, whether it is truncated in bit 24, and whether it has weights in bit 25. */
  kind: 10,
  before: 11,
  window: 12,
  room: 13,
  ring: 14,
  length: 15,
  /** The offset of each record of the ring, and the end of the last one. With weights, their shares follow. */
  marks: 16,
} as const

/** Where a client is; used only by answers that depend on it. */
interface Networked {
  readonly client: string
}

/** A piece of memory, in octets and in words. */
export interface Memory {
  readonly bytes: Uint8Array
  readonly words: Int32Array
}

/** What an answer has besides its records. */
export interface AnswerFields {
  readonly questionEnd: number
  readonly rcode: number
  readonly truncated: boolean
  readonly serialAt: number
  readonly policy: Policy
  /** Records of the answer section before the ring. */
  readonly before: number
  /** Records of the ring in one answer, unless the policy is `client`. */
  readonly window: number
  /** The size limit of the ring in octets. */
  readonly room: number
  /** Set if the first record follows weights; the others then take their turns behind it. */
  readonly shares?: Int32Array | undefined
}

const truncatedFlag = 1 << 24
const weightedFlag = 1 << 25

/**
 * An answer in wire form, ready to be sent for every query with the same question and variant. Its last
 * RRset is a ring: its records can start anywhere, because no pointer refers to a name in them. All of it
 * stands in one piece of memory: numbers, marks, then the octets of the message (header, question in lower
 * case, records). An object for each of a million answers would cost more than the answers.
 */
export class PackedAnswer {
  /** The name that other servers know; see `Message`. */
  outside: Name | undefined
  protected memory: Memory
  /** The word at which it begins. */
  protected start: number
  /** The offset of the message in the octets of the memory. */
  #messageAt = 0

  protected constructor(memory: Memory, start: number) {
    this.memory = memory
    this.start = start
    this.#messageAt = messageAtOf(memory, start)
  }

  /** Packs an answer in a memory of its own. */
  static of(message: Uint8Array, marks: readonly number[], fields: AnswerFields): PackedAnswer {
    const { shares } = fields
    const head = place.marks + marks.length + (shares?.length ?? 0)
    const buffer = new ArrayBuffer(4 * head + wholeWords(message.length))
    const memory = { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) }
    const { words } = memory
    const { questionEnd, rcode, truncated, serialAt, policy, before, window, room } = fields
    words[place.questionEnd] = questionEnd
    words[place.serialAt] = serialAt
    const flags = (truncated ? truncatedFlag : 0) | (shares === undefined ? 0 : weightedFlag)
    words[place.kind] = rcode | (policies.indexOf(policy) << 16) | flags
    words[place.before] = before
    words[place.window] = window
    words[place.room] = room
    words[place.ring] = marks.length - 1
    words[place.length] = message.length
    for (let at = 0; at < marks.length; at++) words[place.marks + at] = marks[at] ?? 0
    if (shares !== undefined) words.set(shares, place.marks + marks.length)
    memory.bytes.set(message, 4 * head)
    return new PackedAnswer(memory, 0)
  }

  /** Makes this object stand for the answer at another place. */
  protected moveTo(memory: Memory, start: number): void {
    this.memory = memory
    this.start = start
    this.#messageAt = messageAtOf(memory, start)
  }

  /** All its octets; those of an answer in a memory of its own. */
  get packed(): Uint8Array {
    return this.memory.bytes
  }

  get questionEnd(): number {
    return this.word(place.questionEnd)
  }

  get rcode(): number {
    return this.word(place.kind) & 0xffff
  }

  get truncated(): boolean {
    return (this.word(place.kind) & truncatedFlag) !== 0
  }

  /** The offset of the serial of the registry's SOA; 0 if there is none. */
  get serialAt(): number {
    return this.word(place.serialAt)
  }

  /** Grows with each answer; the next version of the answer continues with it. */
  get turn(): number {
    return this.word(place.turn) >>> 0
  }

  set turn(turn: number) {
    this.setWord(place.turn, turn)
  }

  /** Call it whenever the serial may have changed. */
  setSerial(serial: number): void {
    writeSerial(this.memory.bytes, this.#messageAt + this.serialAt, serial)
  }

  /** Whether it answers the question of `packet`, which ends at `end`. */
  isFor(packet: Uint8Array, end: number): boolean {
    if (this.questionEnd !== end) return false
    const { bytes } = this.memory
    const base = this.#messageAt
    const nameEnd = end - 4
    for (let at = 12; at < nameEnd; at++) {
      if (bytes[base + at] !== foldOctet(packet[at] ?? 0)) return false
    }
    // Type and class are numbers: their octets have no case.
    for (let at = nameEnd; at < end; at++) if (bytes[base + at] !== packet[at]) return false
    return true
  }

  /** The answer to `packet`, which must have the same question, in a buffer of its own. */
  render(packet: Uint8Array, asker: Networked): Buffer {
    const ring = this.word(place.ring)
    const first = this.#first(ring, asker)
    const count = this.#count(first, ring)
    const out = Buffer.allocUnsafe(this.#length(first, count, ring))
    this.#write(out, 0, packet, first, count, ring)
    return out
  }

  /** As {@link render}, but written to `out` from `start` on; returns its length. */
  renderInto(packet: Uint8Array, asker: Networked, out: Uint8Array, start: number): number {
    const ring = this.word(place.ring)
    const first = this.#first(ring, asker)
    return this.#write(out, start, packet, first, this.#count(first, ring), ring) - start
  }

  protected word(at: number): number {
    return this.memory.words[this.start + at] ?? 0
  }

  protected setWord(at: number, value: number): void {
    this.memory.words[this.start + at] = value
  }

  /** The words before the message. */
  protected get headWords(): number {
    return headWordsOf(this.memory, this.start)
  }

  get #isWeighted(): boolean {
    return (this.word(place.kind) & weightedFlag) !== 0
  }

  get #policy(): Policy | undefined {
    return policies[(this.word(place.kind) >> 16) & 0xff]
  }

  /** The first record of the ring; the number of the turn if that decides by weights. */
  #first(ring: number, asker: Networked): number {
    if (ring < 2) return 0
    const policy = this.#policy
    if (policy === 'client') return clientNumber(asker.client) % ring
    const { turn } = this
    if (this.#isWeighted) {
      this.turn = turn + 1
      return turn
    }
    this.turn = turn + (policy === 'turn' ? 1 : this.word(place.window))
    return turn % ring
  }

  #count(first: number, ring: number): number {
    return this.#policy === 'client' ? this.#countFrom(first, ring) : this.word(place.window)
  }

  /** How many records fit, starting with `first`. */
  #countFrom(first: number, ring: number): number {
    const room = this.word(place.room)
    let used = 0
    let count = 0
    while (count < ring) {
      const at = (first + count) % ring
      used += this.#mark(at + 1) - this.#mark(at)
      if (used > room) break
      count++
    }
    return count
  }

  #length(first: number, count: number, ring: number): number {
    const length = this.word(place.length)
    if (count === ring) return length
    const outside = length - (this.#mark(ring) - this.#mark(0))
    // Only addresses are cut so, and those of one family are equally long.
    if (this.#isWeighted) return outside + count * (this.#mark(1) - this.#mark(0))
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
    const { bytes } = this.memory
    const base = this.#messageAt
    const { questionEnd } = this
    const answers = this.word(place.before) + count
    out[start] = packet[0] ?? 0
    out[start + 1] = packet[1] ?? 0
    // RD and CD are copied from the query (RFC 1035 §4.1.1, RFC 4035 §3.2.2); RA stays 0.
    out[start + 2] = (bytes[base + 2] ?? 0) | ((packet[2] ?? 0) & 0x01)
    out[start + 3] = (bytes[base + 3] ?? 0) | ((packet[3] ?? 0) & 0x10)
    out[start + 4] = 0
    out[start + 5] = 1
    out[start + 6] = answers >> 8
    out[start + 7] = answers & 0xff
    copyOctets(bytes, base + 8, base + 12, out, start + 8)
    let at = copyOctets(packet, 12, questionEnd, out, start + 12)
    const ringStart = base + this.#mark(0)
    const ringEnd = base + this.#mark(ring)
    at = copyOctets(bytes, base + questionEnd, ringStart, out, at)
    const last = first + count
    if (this.#isWeighted) {
      at = this.#writeByWeight(out, at, first, count, ring)
    } else if (last <= ring) {
      at = copyOctets(bytes, base + this.#mark(first), base + this.#mark(last), out, at)
    } else {
      at = copyOctets(bytes, base + this.#mark(first), ringEnd, out, at)
      at = copyOctets(bytes, ringStart, base + this.#mark(last - ring), out, at)
    }
    return copyOctets(bytes, ringEnd, base + this.word(place.length), out, at)
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
    ring: number,
  ): number {
    const lead = firstByWeight(this.memory.words, turn, this.start + place.marks + ring + 1, ring)
    const others = ring - 1
    const first = (turn * (count > others ? 1 : count - 1)) % others
    const last = first + count - 1
    const at = this.#copyRecords(out, start, lead, lead + 1)
    if (last <= others) return this.#copyOthers(out, at, first, last, lead)
    const wrapped = this.#copyOthers(out, at, first, others, lead)
    return this.#copyOthers(out, wrapped, 0, last - others, lead)
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
    const at = this.#copyRecords(out, start, first, gap)
    return this.#copyRecords(out, at, gap + 1, last + 1)
  }

  /** Copies records [first, last) of the ring. */
  #copyRecords(out: Uint8Array, start: number, first: number, last: number): number {
    const base = this.#messageAt
    return copyOctets(
      this.memory.bytes,
      base + this.#mark(first),
      base + this.#mark(last),
      out,
      start,
    )
  }

  #mark(at: number): number {
    return this.word(place.marks + at)
  }
}

function messageAtOf(memory: Memory, start: number): number {
  return 4 * (start + headWordsOf(memory, start))
}

function headWordsOf({ words }: Memory, start: number): number {
  const ring = words[start + place.ring] ?? 0
  const isWeighted = ((words[start + place.kind] ?? 0) & weightedFlag) !== 0
  return place.marks + ring + 1 + (isWeighted ? ring : 0)
}

/** So many octets, rounded up to whole words. */
export function wholeWords(octets: number): number {
  return (octets + 3) & ~3
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
