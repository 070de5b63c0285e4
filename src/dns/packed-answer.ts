import { clientNumber } from './client-number.ts'
import { copyOctets } from './copy-octets.ts'
import type { Memory, Target } from './copy-octets.ts'
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
const policyShift = 16
const policyMask = 0xff << policyShift
const turnPolicy = policies.indexOf('turn') << policyShift
const clientPolicy = policies.indexOf('client') << policyShift
const headerBytes = 12
const slabOctets = 16_384
const noTarget: Target = { bytes: new Uint8Array(0), words: undefined }

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
  /** Whether the question is octet by octet that of the query it was last compared with. */
  #isVerbatim = false
  #target = noTarget

  protected constructor(memory: Memory, start: number) {
    this.memory = memory
    this.start = start
    this.#messageAt = messageAtOf(memory, start)
  }

  /** Packs an answer in memory that no other answer uses. */
  static of(message: Uint8Array, marks: readonly number[], fields: AnswerFields): PackedAnswer {
    const { shares } = fields
    const head = place.marks + marks.length + (shares?.length ?? 0)
    const octets = 4 * head + wholeWords(message.length)
    const { memory, start } = takeMemory(octets)
    const { words } = memory
    const { questionEnd, rcode, truncated, serialAt, policy, before, window, room } = fields
    words[start + place.questionEnd] = questionEnd
    words[start + place.serialAt] = serialAt
    const flags = (truncated ? truncatedFlag : 0) | (shares === undefined ? 0 : weightedFlag)
    words[start + place.kind] = rcode | (policies.indexOf(policy) << policyShift) | flags
    words[start + place.before] = before
    words[start + place.window] = window
    words[start + place.room] = room
    words[start + place.ring] = marks.length - 1
    words[start + place.length] = message.length
    const marksAt = start + place.marks
    for (let at = 0; at < marks.length; at++) words[marksAt + at] = marks[at] ?? 0
    if (shares !== undefined) words.set(shares, marksAt + marks.length)
    memory.bytes.set(message, 4 * (start + head))
    return new PackedAnswer(memory, start)
  }

  /** Makes this object stand for the answer at another place. */
  protected moveTo(memory: Memory, start: number): void {
    this.memory = memory
    this.start = start
    this.#messageAt = messageAtOf(memory, start)
    this.#isVerbatim = false
  }

  /** How much memory it takes: numbers, marks and message. */
  get octets(): number {
    return 4 * this.headWords + wholeWords(this.word(place.length))
  }

  /** Copies all of it to the word `start`. */
  copyTo(target: Memory, start: number): void {
    const from = 4 * this.start
    copyOctets(this.memory, from, from + this.octets, target, 4 * start)
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
    let isVerbatim = true
    for (let at = headerBytes; at < nameEnd; at++) {
      const octet = packet[at] ?? 0
      const own = bytes[base + at]
      if (own === octet) continue
      if (own !== foldOctet(octet)) return false
      isVerbatim = false
    }
    // Type and class are numbers: their octets have no case.
    for (let at = nameEnd; at < end; at++) if (bytes[base + at] !== packet[at]) return false
    this.#isVerbatim = isVerbatim
    return true
  }

  /** The answer to `packet`, which must have the same question, in a buffer of its own. */
  render(packet: Uint8Array, asker: Networked): Buffer {
    const ring = this.word(place.ring)
    const first = this.#first(ring, asker)
    const count = this.#count(first, ring)
    const out = Buffer.allocUnsafe(this.#length(first, count, ring))
    this.#write({ bytes: out, words: undefined }, 0, packet, first, count, ring)
    return out
  }

  /**
   * As {@link render}, but written to `out` from `start` on; returns its length. If `start` is a multiple of
   * 4, up to 3 octets behind the answer are overwritten, too.
   */
  renderInto(packet: Uint8Array, asker: Networked, out: Uint8Array, start: number): number {
    const ring = this.word(place.ring)
    const first = this.#first(ring, asker)
    const target = (start & 3) === 0 ? this.#targetIn(out) : { bytes: out, words: undefined }
    return this.#write(target, start, packet, first, this.#count(first, ring), ring) - start
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

  /** Kept: a cached answer is written to the same buffer each time. */
  #targetIn(out: Uint8Array): Target {
    if (this.#target.bytes !== out) {
      const isAligned = (out.byteOffset & 3) === 0
      const words = isAligned
        ? new Int32Array(out.buffer, out.byteOffset, out.length >> 2)
        : undefined
      this.#target = { bytes: out, words }
    }
    return this.#target
  }

  /** The first record of the ring; the number of the turn if that decides by weights. */
  #first(ring: number, asker: Networked): number {
    if (ring < 2) return 0
    const kind = this.word(place.kind)
    const policy = kind & policyMask
    if (policy === clientPolicy) return clientNumber(asker.client) % ring
    const { turn } = this
    if ((kind & weightedFlag) !== 0) {
      this.turn = turn + 1
      return turn
    }
    this.turn = turn + (policy === turnPolicy ? 1 : this.word(place.window))
    return turn % ring
  }

  #count(first: number, ring: number): number {
    const isOfClient = (this.word(place.kind) & policyMask) === clientPolicy
    return isOfClient ? this.#countFrom(first, ring) : this.word(place.window)
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
    if (this.#isWeighted()) return outside + count * (this.#mark(1) - this.#mark(0))
    const last = first + count
    if (last <= ring) return outside + this.#mark(last) - this.#mark(first)
    return outside + this.#mark(ring) - this.#mark(first) + this.#mark(last - ring) - this.#mark(0)
  }

  #isWeighted(): boolean {
    return (this.word(place.kind) & weightedFlag) !== 0
  }

  /** Returns where the answer ends. */
  #write(
    out: Target,
    start: number,
    packet: Uint8Array,
    first: number,
    count: number,
    ring: number,
  ): number {
    const { memory } = this
    const { words } = memory
    const base = this.#messageAt
    const marks = this.start + place.marks
    const end = base + this.word(place.length)
    let at: number
    if (this.#isWeighted()) {
      at = this.#writeByWeight(out, start, first, count, ring)
    } else if (first === 0 && count === ring) {
      at = copyOctets(memory, base, end, out, start)
    } else {
      const ringStart = base + (words[marks] ?? 0)
      const ringEnd = base + (words[marks + ring] ?? 0)
      const from = base + (words[marks + first] ?? 0)
      const last = first + count
      at = copyOctets(memory, base, ringStart, out, start)
      if (last <= ring) {
        at = copyOctets(memory, from, base + (words[marks + last] ?? 0), out, at)
      } else {
        at = copyOctets(memory, from, ringEnd, out, at)
        at = copyOctets(memory, ringStart, base + (words[marks + last - ring] ?? 0), out, at)
      }
      at = copyOctets(memory, ringEnd, end, out, at)
    }
    this.#adapt(out.bytes, start, packet, this.word(place.before) + count)
    return at
  }

  /** Makes the message that stands in `out` the answer to `packet`. */
  #adapt(out: Uint8Array, start: number, packet: Uint8Array, answers: number): void {
    out[start] = packet[0] ?? 0
    out[start + 1] = packet[1] ?? 0
    // RD and CD are copied from the query (RFC 1035 §4.1.1, RFC 4035 §3.2.2); RA stays 0.
    out[start + 2] = (out[start + 2] ?? 0) | ((packet[2] ?? 0) & 0x01)
    out[start + 3] = (out[start + 3] ?? 0) | ((packet[3] ?? 0) & 0x10)
    out[start + 6] = answers >> 8
    out[start + 7] = answers & 0xff
    if (this.#isVerbatim) return
    const { questionEnd } = this
    for (let at = headerBytes; at < questionEnd; at++) out[start + at] = packet[at] ?? 0
  }

  #writeByWeight(out: Target, start: number, turn: number, count: number, ring: number): number {
    const base = this.#messageAt
    const head = copyOctets(this.memory, base, base + this.#mark(0), out, start)
    const at = this.#writeChosen(out, head, turn, count, ring)
    const end = base + this.word(place.length)
    return copyOctets(this.memory, base + this.#mark(ring), end, out, at)
  }

  /**
   * The record whose turn it is by weight, then as many of the others as fit. Those continue where they ended in the
   * answer before, or start one later if all fit: the second place must not always have the same neighbor.
   */
  #writeChosen(out: Target, start: number, turn: number, count: number, ring: number): number {
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
  #copyOthers(out: Target, start: number, first: number, last: number, without: number): number {
    const gap = Math.min(Math.max(without, first), last)
    const at = this.#copyRecords(out, start, first, gap)
    return this.#copyRecords(out, at, gap + 1, last + 1)
  }

  /** Copies records [first, last) of the ring. */
  #copyRecords(out: Target, start: number, first: number, last: number): number {
    const base = this.#messageAt
    return copyOctets(this.memory, base + this.#mark(first), base + this.#mark(last), out, start)
  }

  #mark(at: number): number {
    return this.word(place.marks + at)
  }
}

let slab: Memory = { bytes: new Uint8Array(0), words: new Int32Array(0) }
let slabEnd = 0

/** Memory for an answer, all 0. Most are copied to the cache immediately; memory of their own would cost more than that. */
function takeMemory(octets: number): { readonly memory: Memory; readonly start: number } {
  if (octets > slabOctets / 4) return { memory: newMemory(octets), start: 0 }
  if (4 * slabEnd + octets > slab.bytes.length) {
    slab = newMemory(slabOctets)
    slabEnd = 0
  }
  const start = slabEnd
  slabEnd += octets / 4
  return { memory: slab, start }
}

function newMemory(octets: number): Memory {
  const buffer = new ArrayBuffer(octets)
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) }
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
