import type { Resume } from '../../recursor/lookup.ts'
import type { OutsideQuery, ReplyTo, ToRecursor } from './messages.ts'

// Queries for the recursor thread travel as one piece of memory for each batch of packets. To copy an object for
// each of them from thread to thread would cost more than to answer it.

/** Places in the head of a query, in words of 32 bits. Its octets follow. */
const word = {
  size: 0,
  kind: 1,
  /** Descriptor or number: to whom the answer goes. */
  to: 2,
  nameLength: 3,
  controlLength: 4,
  questionEnd: 5,
  variant: 6,
  /** Octets of the client's address and control message, of the packet, and of both parts of an alias. */
  clientBytes: 7,
  packetBytes: 8,
  ownBytes: 9,
  targetBytes: 10,
  cookieBytes: 11,
  /** A double of two words. */
  receivedMs: 12,
  /** How the lookup continues: its server + 1, or 0 if it begins, and whether the case was lost. */
  resumeServer: 14,
  resumeCaseLost: 15,
} as const

const headWords = 16
const kinds = ['socket', 'thread', 'nobody'] as const
const firstBytes = 16_384

const double = new Float64Array(1)
const halves = new Int32Array(double.buffer)

function setDouble(words: Int32Array, at: number, value: number): void {
  double[0] = value
  words.set(halves, at)
}

function doubleAt(words: Int32Array, at: number): number {
  halves.set(words.subarray(at, at + 2))
  return double[0] ?? 0
}

/** Collects queries until they are sent. */
export class QueryBatch {
  count = 0
  #bytes = new Uint8Array(firstBytes)
  #words = new Int32Array(this.#bytes.buffer)
  #end = 0

  add({ packet, questionEnd, variant, alias, cookie, resume }: OutsideQuery, to: ReplyTo): void {
    const isClient = to.kind === 'socket'
    // A saved message ends with the packet.
    const clientBytes = isClient ? to.message.bytes.length - packet.length : 0
    const ownBytes = alias?.own.length ?? 0
    const targetBytes = alias?.question.length ?? 0
    const cookieBytes = cookie?.length ?? 0
    const octets = clientBytes + packet.length + ownBytes + targetBytes + cookieBytes
    const size = headWords * 4 + ((octets + 3) & ~3)
    this.#reserve(size)
    const words = this.#words
    const head = this.#end >> 2
    words[head + word.size] = size
    words[head + word.kind] = kinds.indexOf(to.kind)
    words[head + word.to] = isClient ? to.fd : to.kind === 'thread' ? to.id : 0
    words[head + word.nameLength] = isClient ? to.message.nameLength : 0
    words[head + word.controlLength] = isClient ? to.message.controlLength : 0
    words[head + word.questionEnd] = questionEnd
    words[head + word.variant] = variant
    words[head + word.clientBytes] = clientBytes
    words[head + word.packetBytes] = packet.length
    words[head + word.ownBytes] = ownBytes
    words[head + word.targetBytes] = targetBytes
    words[head + word.cookieBytes] = cookieBytes
    words[head + word.resumeServer] = resume === undefined ? 0 : resume.server + 1
    words[head + word.resumeCaseLost] = resume?.isCaseLost === true ? 1 : 0
    if (isClient) setDouble(words, head + word.receivedMs, to.receivedMs)
    const at = this.#end + headWords * 4
    this.#bytes.set(isClient ? to.message.bytes : packet, at)
    if (alias !== undefined) {
      this.#bytes.set(alias.own, at + clientBytes + packet.length)
      this.#bytes.set(alias.question, at + clientBytes + packet.length + ownBytes)
    }
    if (cookie !== undefined) this.#bytes.set(cookie, at + octets - cookieBytes)
    this.#end += size
    this.count++
  }

  /** All queries so far, as they are sent. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#end)
    this.#end = 0
    this.count = 0
    return taken
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#bytes.length) return
    const grown = new Uint8Array((this.#bytes.length + size) * 2)
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#words = new Int32Array(grown.buffer, 0, grown.length >> 2)
  }
}

/** The queries of a batch. They are views of it. */
export function readBatch(bytes: Uint8Array): readonly ToRecursor[] {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  const queries: ToRecursor[] = []
  for (let at = 0; at < bytes.length; at += words[(at >> 2) + word.size] ?? bytes.length) {
    queries.push(readQuery(bytes, words, at))
  }
  return queries
}

function resumeOf(server: number, isCaseLost: number): Resume | undefined {
  return server === 0 ? undefined : { server: server - 1, isCaseLost: isCaseLost === 1 }
}

function readQuery(bytes: Uint8Array, words: Int32Array, start: number): ToRecursor {
  const field = (name: keyof typeof word): number => words[(start >> 2) + word[name]] ?? 0
  const client = start + headWords * 4
  const packetAt = client + field('clientBytes')
  const ownAt = packetAt + field('packetBytes')
  const targetAt = ownAt + field('ownBytes')
  const end = targetAt + field('targetBytes')
  const alias =
    end === ownAt
      ? undefined
      : { own: bytes.subarray(ownAt, targetAt), question: bytes.subarray(targetAt, end) }
  const packet = bytes.subarray(packetAt, ownAt)
  const cookieBytes = field('cookieBytes')
  const query = {
    packet,
    questionEnd: field('questionEnd'),
    variant: field('variant'),
    alias,
    cookie: cookieBytes === 0 ? undefined : bytes.subarray(end, end + cookieBytes),
    resume: resumeOf(field('resumeServer'), field('resumeCaseLost')),
  }
  const kind = kinds[field('kind')] ?? 'nobody'
  if (kind === 'nobody') return { query, to: { kind } }
  if (kind === 'thread') return { query, to: { kind, id: field('to') } }
  const message = {
    bytes: bytes.subarray(client, ownAt),
    nameLength: field('nameLength'),
    controlLength: field('controlLength'),
  }
  const receivedMs = doubleAt(words, (start >> 2) + word.receivedMs)
  return { query, to: { kind, fd: field('to'), message, receivedMs } }
}
