import { QueryScan, variantDnssecOk } from '../../dns/query-scan.ts'
import { rcode, recordClass } from '../../dns/record.ts'
import { lowerAscii } from '../../dns/name.ts'
import type { Name } from '../../dns/name.ts'
import type { Responder } from '../../dns/responder.ts'
import { countedOf } from '../../dns/responder-counters.ts'
import { WireWriter } from '../../dns/wire-writer.ts'
import { passedOn } from '../../net/packet-responder.ts'
import type { PacketAsker, PacketResponder, PacketWriter } from '../../net/packet-responder.ts'
import { CacheReader } from '../../recursor/cache-reader.ts'
import { CacheMemory } from '../../recursor/cache-layout.ts'
import { renderAnswer } from '../../recursor/render.ts'
import type { OutsideQuery } from './messages.ts'
import type { DnsAnswering } from '../threads/messages.ts'
import type { RecursorClient } from './recursor-client.ts'
import { sharedNowMs } from './shared-clock.ts'

export interface ForwardingOptions {
  readonly memory: CacheMemory
  readonly client: RecursorClient
  /** The clock that all threads share. */
  readonly nowMs: () => number
  /** After a query to be sent was noted, on a thread whose event loop turns. */
  readonly onQueued?: () => void
}

const headerBytes = 12
/** RA, in the fourth octet of a message. */
export const recursionAvailable = 0x80
/** More are not sent to the recursor thread before it has taken some. */
const queuedMax = 8192
const reverseZone = Uint8Array.from(Buffer.from('\x04arpa\0', 'latin1'))
/** Types that are questions to a server, not for data (RFC 6895 §3.1): only ANY is passed on. */
const metaTypes = { first: 128, last: 254 } as const

/**
 * Answers from the registry as before; what the registry does not have, it answers from the cache of outside
 * names, or passes on to the recursor thread. Not to be shared between threads.
 */
export class ForwardingResponder implements PacketWriter, PacketResponder {
  readonly #inner: Responder
  readonly #options: ForwardingOptions
  readonly #reader: CacheReader
  readonly #scan = new QueryScan(0)
  readonly #scratch = new Uint8Array(65_535)
  #passedOn: OutsideQuery | undefined

  constructor(inner: Responder, options: ForwardingOptions) {
    this.#inner = inner
    this.#options = options
    this.#reader = new CacheReader(options.memory)
  }

  hitInto(packet: Uint8Array, asker: PacketAsker, out: Uint8Array, at: number): number {
    const length = this.#inner.hitInto(packet, asker, out, at)
    if (asker.mayRecurse !== true) return length
    if (length === 0) return this.#cachedInto(packet, asker, out, at)
    return this.#finish(packet, asker, out, at, length)
  }

  respondInto(packet: Uint8Array, asker: PacketAsker, out: Uint8Array, at: number): number {
    if (asker.mayRecurse === true && this.#isOutside(packet, asker)) return passedOn
    const length = this.#inner.respondInto(packet, asker, out, at)
    if (length === 0 || asker.mayRecurse !== true) return length
    return this.#finish(packet, asker, out, at, length)
  }

  hit(packet: Uint8Array, asker: PacketAsker): Buffer | undefined {
    const answer = this.#inner.hit(packet, asker)
    if (asker.mayRecurse !== true) return answer
    if (answer !== undefined && this.#inner.outside === undefined) return withRecursion(answer)
    if (answer !== undefined) this.#takeBack(packet, asker, answer)
    const length = answer === undefined ? this.#cachedInto(packet, asker, this.#scratch, 0) : 0
    return length > 0 ? Buffer.from(this.#scratch.subarray(0, length)) : undefined
  }

  respond(
    packet: Uint8Array,
    asker: PacketAsker,
  ): Buffer | Promise<Buffer | undefined> | undefined {
    const cached = this.hit(packet, asker)
    if (cached !== undefined) return cached
    const answer = this.#inner.respond(packet, asker)
    if (answer === undefined || asker.mayRecurse !== true) return answer
    const length = this.#finish(packet, asker, answer, 0, answer.length)
    return length === passedOn ? this.#options.client.ask(this.takePassedOn()) : answer
  }

  /** The query that {@link respondInto} has just passed on. Its packet is the client's, and holds as long as that. */
  takePassedOn(): OutsideQuery {
    const query = this.#passedOn
    this.#passedOn = undefined
    if (query === undefined) throw new Error('nothing was passed on')
    return query
  }

  /** A query that the registry need not be asked, because it has no such names; it is then passed on. */
  #isOutside(packet: Uint8Array, asker: PacketAsker): boolean {
    if (!this.#mayPassOn(packet, asker) || !this.#inner.isOutside(packet)) return false
    if (this.#options.memory.queued >= queuedMax) return false
    const { counters } = this.#inner
    counters.queries++
    counters.misses++
    counters.outsideMisses++
    const { questionEnd, variant } = this.#scan
    this.#passedOn = { packet, questionEnd, variant, alias: undefined }
    return true
  }

  /** Looks at an answer of the registry, which stands in `out`. */
  #finish(
    packet: Uint8Array,
    asker: PacketAsker,
    out: Uint8Array,
    at: number,
    length: number,
  ): number {
    const { outside } = this.#inner
    if (outside === undefined || !this.#mayPassOn(packet, asker)) {
      out[at + 3] = (out[at + 3] ?? 0) | recursionAvailable
      return length
    }
    const { counters } = this.#inner
    const { questionEnd, variant } = this.#scan
    counters.takeBack(countedOf(out, at), packet, questionEnd)
    counters.outsideMisses++
    const isAlias = ((out[at + 3] ?? 0) & 0x0f) === 0
    if (this.#options.memory.queued >= queuedMax) {
      // An alias alone is of use to a resolver; any other answer is not known.
      const code = isAlias ? rcode.NOERROR : rcode.SERVFAIL
      out[at + 3] = ((out[at + 3] ?? 0) & 0xf0) | recursionAvailable | code
      counters.count(countedOf(out, at), packet, questionEnd)
      return length
    }
    const alias = isAlias
      ? { own: out.slice(at, at + length), question: questionFor(outside, packet, questionEnd) }
      : undefined
    this.#passedOn = { packet, questionEnd, variant, alias }
    return passedOn
  }

  #takeBack(packet: Uint8Array, asker: PacketAsker, answer: Uint8Array): void {
    if (!this.#scan.read(packet, asker.transport, asker.pathBytesMax)) return
    const { counters } = this.#inner
    counters.queries--
    counters.hits--
    counters.takeBack(countedOf(answer, 0), packet, this.#scan.questionEnd)
  }

  /** An ordinary query for data of class IN, by a client that wants recursion. */
  #mayPassOn(packet: Uint8Array, asker: PacketAsker): boolean {
    if (((packet[2] ?? 0) & 0x01) === 0) return false
    if (!this.#scan.read(packet, asker.transport, asker.pathBytesMax)) return false
    const end = this.#scan.questionEnd
    if (packet[end - 2] !== 0 || packet[end - 1] !== recordClass.IN) return false
    const type = ((packet[end - 4] ?? 0) << 8) | (packet[end - 3] ?? 0)
    return type < metaTypes.first || type > metaTypes.last
  }

  /** An answer from the cache of outside names; 0: there is none. */
  #cachedInto(packet: Uint8Array, asker: PacketAsker, out: Uint8Array, at: number): number {
    if (((packet[2] ?? 0) & 0x01) === 0) return 0
    if (!this.#scan.read(packet, asker.transport, asker.pathBytesMax)) return 0
    const { questionEnd, variant } = this.#scan
    // A service may have got the address since then: the registry is asked first.
    if (isReverse(packet, questionEnd)) return 0
    return this.#renderCached(packet, questionEnd, variant, out, at)
  }

  #renderCached(
    packet: Uint8Array,
    questionEnd: number,
    variant: number,
    out: Uint8Array,
    at: number,
  ): number {
    const reader = this.#reader
    const nowMs = this.#options.nowMs()
    if (!reader.findFor(packet, questionEnd, variantDnssecOk(variant), nowMs)) return 0
    const query = { packet, questionEnd, variant }
    const length = renderAnswer(reader, query, reader.age, out, at)
    if (!reader.isIntact) return 0
    if (reader.use()) this.#refresh({ packet, questionEnd, variant })
    const { counters } = this.#inner
    counters.queries++
    counters.outsideHits++
    if (reader.age.staleTtl !== undefined) counters.outsideStale++
    counters.count(countedOf(out, at), packet, questionEnd)
    return length
  }

  #refresh(query: OutsideQuery): void {
    this.#options.client.refresh(query)
    this.#options.onQueued?.()
  }
}

/** Undefined: queries for outside names are refused. */
export function forwardingOf(
  { recursion }: DnsAnswering,
  responder: Responder,
  client: RecursorClient | undefined,
  onQueued?: () => void,
): ForwardingResponder | undefined {
  if (recursion === undefined || client === undefined) return undefined
  const memory = new CacheMemory(recursion.cache)
  const options = { memory, client, nowMs: sharedNowMs }
  return new ForwardingResponder(responder, onQueued ? { ...options, onQueued } : options)
}

function withRecursion(answer: Buffer): Buffer {
  answer[3] = (answer[3] ?? 0) | recursionAvailable
  return answer
}

/** The question of a packet for another name. */
function questionFor(name: Name, packet: Uint8Array, questionEnd: number): Uint8Array {
  const writer = new WireWriter()
  writer.plainName(name.map(lowerAscii))
  writer.raw(packet.subarray(questionEnd - 4, questionEnd))
  return writer.bytes()
}

function isReverse(packet: Uint8Array, questionEnd: number): boolean {
  const start = questionEnd - 4 - reverseZone.length
  if (start < headerBytes) return false
  for (let at = 0; at < reverseZone.length; at++) {
    const octet = reverseZone[at] ?? 0
    // Letters differ from their capitals in one bit.
    if (((packet[start + at] ?? 0) | (octet > 0x40 ? 0x20 : 0)) !== octet) return false
  }
  return true
}
