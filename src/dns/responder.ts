import { InvariantError } from '../base/assert.ts'
import { addressAnswer } from './address-answer.ts'
import { addressesFor, answer, isServed } from './answer.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { extendedError } from './message.ts'
import { readName } from './name.ts'
import { NegativeAnswer, NegativeAnswers } from './negative-answers.ts'
import { PackedAnswer } from './packed-answer.ts'
import { prepareAnswer } from './prepared-answer.ts'
import { parseQuery } from './query.ts'
import { QueryScan, variantBytesMax, variantOf } from './query-scan.ts'
import { rcode } from './record.ts'
import { ednsReply, refusal, refuseSigned } from './refusal.ts'
import { RecordingView, dependencesHold } from './recording-view.ts'
import { ResponderCounters } from './responder-counters.ts'
import { TopLabels } from './top-labels.ts'
import { WireCache } from './wire-cache.ts'
import type { Message } from './message.ts'
import type { Name } from './name.ts'
import type { ParsedQuery, QueryEdns } from './query.ts'
import type { Transport } from './query-scan.ts'
import type { FamilyCounters, OtherFamily, Snapshot } from './recording-view.ts'
import type { ResourceRecord } from './record.ts'
import type { KeptAnswer } from './kept-answer.ts'
import type { Zone } from './zone.ts'

/** Counters that show readers what has changed; `state/machine/versions.ts` implements it. */
export interface VersionReader extends FamilyCounters {
  readonly generation: number
  /** The serial of the registry's SOA; it moves with every entry of the log, and before `applied`. */
  readonly index: number
}

/**
 * How this node may answer. `ready`: normally. `stale`: it has lost its leader, so answers have a TTL
 * of at most 1 and Extended DNS Error 3. `never`: it has never caught up with the registry since it
 * joined, so it cannot know that a name does not exist: SERVFAIL.
 */
export type Mode = 'ready' | 'stale' | 'never'

export interface ResponderOptions {
  /** The zone as configured now; a change must increase `generation`. */
  readonly zone: () => Zone
  readonly mode: () => Mode
  readonly versions: VersionReader
  /** Those of the other families that answers are made from. */
  readonly others: Readonly<Record<OtherFamily, FamilyCounters>>
  /** Called at most once per question that is not in the cache. */
  readonly snapshot: () => Snapshot
  /** A query got SERVFAIL because a read failed or a row cannot be sent. */
  readonly onError: (error: unknown, packet: Uint8Array) => void
  /** Answers signed queries. Absent if no keys are configured. */
  readonly signed?: AnswerSigned | undefined
  /** Unguessable; also determines where rotation starts. */
  readonly seed: number
  /** The memory of the cache. */
  readonly cacheBytesMax?: number | undefined
}

/**
 * Checks the signature of a query (RFC 8945 §5.2), and signs what `answer` answers to the query without
 * its signature. The result has at most `bytesMax` octets.
 */
export type AnswerSigned = (
  packet: Uint8Array,
  query: Extract<ParsedQuery, { kind: 'signed' }>,
  bytesMax: number,
  answer: (unsigned: Uint8Array) => Uint8Array | undefined,
) => Buffer | undefined

/** Who asks, and over what. */
export interface Asker {
  readonly transport: Transport
  /** The client's IP address. */
  readonly client: string
  /** The octets of the largest UDP answer that reaches it unfragmented. */
  readonly pathBytesMax: number
}

/**
 * The longest UDP query that svcd reads. No real query with its options comes close. A longer query
 * gets the same answer whether or not the network interface cuts it.
 */
export const udpQueryBytesMax = 4096

const headerBytes = 12

/**
 * Answers DNS packets: from the wire cache if its answer is still valid, otherwise from the registry.
 * Synchronous, without sockets, clock or randomness of its own; not to be shared between threads.
 */
export class Responder {
  /** Who shares a responder between transports puts the counters of each before its queries. */
  counters = new ResponderCounters()
  readonly cache: WireCache
  /** Of the newest answer: the name that other servers know, if svcd does not have all of it. */
  outside: Name | undefined
  readonly #options: ResponderOptions
  readonly #scan: QueryScan
  readonly #negatives = new NegativeAnswers()
  readonly #doorkeeper = new Doorkeeper()
  #topLabels: TopLabels | undefined
  #topLabelsOf: Zone | undefined
  #turn: number

  constructor(options: ResponderOptions) {
    this.#options = options
    this.#scan = new QueryScan(options.seed)
    this.#turn = options.seed >>> 0
    this.cache = new WireCache({ bytesMax: options.cacheBytesMax ?? 32 * 1024 * 1024 })
  }

  /** The answer to one packet; undefined if none is to be sent. Throws only on a broken invariant. */
  respond(packet: Uint8Array, asker: Asker): Buffer | undefined {
    const answer = this.#answerTo(packet, asker)
    this.outside = answer instanceof PackedAnswer ? answer.outside : undefined
    if (answer instanceof PackedAnswer) return answer.render(packet, asker)
    if (answer instanceof NegativeAnswer) return answer.render(packet, this.#scan.questionEnd)
    return answer
  }

  /**
   * As {@link respond}, but written to `out` from `at` on; returns its length, 0: send none. There
   * must be room for the largest answer of the transport, over UDP `asker.pathBytesMax` octets.
   */
  respondInto(packet: Uint8Array, asker: Asker, out: Uint8Array, at: number): number {
    const answer = this.#answerTo(packet, asker)
    this.outside = answer instanceof PackedAnswer ? answer.outside : undefined
    if (answer instanceof PackedAnswer) return answer.renderInto(packet, asker, out, at)
    if (answer instanceof NegativeAnswer) {
      return answer.renderInto(packet, this.#scan.questionEnd, out, at)
    }
    if (answer === undefined) return 0
    out.set(answer, at)
    return answer.length
  }

  /**
   * As {@link respond}, but only from the cache: undefined if the answer is not in the cache, or if
   * there is none. The caller then calls {@link respond} when it has time.
   */
  hit(packet: Uint8Array, asker: Asker): Buffer | undefined {
    return this.#cached(packet, asker)?.render(packet, asker)
  }

  /** As {@link respondInto}, but only from the cache: 0 if the answer is not in the cache. */
  hitInto(packet: Uint8Array, asker: Asker, out: Uint8Array, at: number): number {
    return this.#cached(packet, asker)?.renderInto(packet, asker, out, at) ?? 0
  }

  /** For an ordinary query: whether svcd does not serve its name, so that only other servers can know it. */
  isOutside(packet: Uint8Array): boolean {
    const zone = this.#options.zone()
    if (zone !== this.#topLabelsOf) {
      this.#topLabelsOf = zone
      this.#topLabels = new TopLabels(zone)
    }
    if (this.#topLabels?.mayServe(packet, headerBytes) === false) return true
    const name = readName(packet, headerBytes, packet.length)?.name
    return name !== undefined && !isServed(name, zone)
  }

  /** A valid answer from the cache, counted; `scan` has then read the packet. */
  #cached(packet: Uint8Array, asker: Asker): PackedAnswer | undefined {
    if (!this.#readOrdinary(packet, asker)) return undefined
    const entry = this.cache.find(this.#scan, packet)
    return entry !== undefined && this.#holds(entry) ? this.#hit(entry, packet) : undefined
  }

  #readOrdinary(packet: Uint8Array, asker: Asker): boolean {
    return !isTooLong(packet, asker) && this.#scan.read(packet, asker.transport, asker.pathBytesMax)
  }

  #hit(entry: KeptAnswer, packet: Uint8Array): PackedAnswer {
    this.counters.queries++
    this.counters.hits++
    this.counters.count(entry, packet, this.#scan.questionEnd)
    this.outside = entry.outside
    return entry
  }

  #answerTo(packet: Uint8Array, asker: Asker): PackedAnswer | NegativeAnswer | Buffer | undefined {
    const isOrdinary = this.#readOrdinary(packet, asker)
    const entry = isOrdinary ? this.cache.find(this.#scan, packet) : undefined
    if (entry !== undefined && this.#holds(entry)) return this.#hit(entry, packet)
    this.counters.queries++
    const query = parseQuery(packet)
    if (query.kind === 'drop') {
      this.counters.dropped++
      return undefined
    }
    if (query.kind === 'error') return this.#refuse(refusal(packet, query, query.rcode))
    if (isTooLong(packet, asker)) {
      return this.#refuse(refusal(packet, query, rcode.FORMERR))
    }
    if (query.kind === 'signed') return this.#answerSigned(packet, query, asker)
    this.counters.misses++
    const answer = this.#prepare(packet, query, asker, isOrdinary, entry)
    this.counters.count(answer, packet, query.questionEnd)
    if (answer instanceof NegativeAnswer || answer.serialAt > 0) {
      answer.setSerial(this.#options.versions.index)
    }
    return answer
  }

  #answerSigned(
    packet: Uint8Array,
    query: Extract<ParsedQuery, { kind: 'signed' }>,
    asker: Asker,
  ): Buffer | undefined {
    const bytesMax = bytesMaxOf(query, asker)
    const { signed } = this.#options
    if (signed === undefined) return this.#refuse(refuseSigned(packet, query, bytesMax))
    let isCounted = false
    const answer = signed(packet, query, bytesMax, (unsigned) => {
      // It counts this query again.
      this.counters.queries--
      isCounted = true
      return this.respond(unsigned, asker)
    })
    return answer === undefined || isCounted ? answer : this.#refuse(answer)
  }

  #holds(entry: KeptAnswer): boolean {
    const { versions, mode } = this.#options
    if (entry.generation !== versions.generation || !this.cache.isOfMode(entry, mode()))
      return false
    // It moves with changes that are not of the catalog, too.
    if (entry.serialAt > 0) entry.setSerial(versions.index)
    const { applied } = versions
    const { checked } = entry
    if (checked !== applied) {
      const count = entry.slotCount
      for (let at = 0; at < count; at++) if (!versions.holds(entry.slot(at), checked)) return false
      // All batches up to `applied` had increased their slots before it was loaded.
      entry.checked = applied
    }
    return entry.others === undefined || dependencesHold(entry.others)
  }

  #prepare(
    packet: Uint8Array,
    query: Extract<ParsedQuery, { kind: 'query' }>,
    asker: Asker,
    isCacheable: boolean,
    entry: KeptAnswer | undefined,
  ): PackedAnswer | NegativeAnswer {
    const { versions, others, snapshot, onError } = this.#options
    const bytesMax = bytesMaxOf(query, asker)
    const mode = this.#options.mode()
    // Loaded before the state is read; otherwise a change in between would not reach the cache.
    const generation = versions.generation
    const view = new RecordingView(snapshot, versions, others)
    const zone = this.#options.zone()
    let prepared: PackedAnswer | undefined
    let isKept = isCacheable
    try {
      const plain = isCacheable && mode === 'ready' && addressesFor(query.question, view, zone)
      if (plain) {
        const { addresses, ttl } = plain
        const parts = { type: query.question.type, edns: ednsReply(query.edns, []), addresses, ttl }
        prepared = addressAnswer(packet, query.questionEnd, parts, bytesMax)
      }
      if (prepared === undefined) {
        const message = this.#answer(query, asker, mode, view, zone, bytesMax)
        // The number of names that do not exist is unlimited, as is that of the names of a template.
        const isEndless =
          message.answer.length === 0 || view.slots.length === 0 || view.isOfTemplate
        if (isCacheable && entry === undefined && isEndless) {
          isKept = this.#doorkeeper.knows(this.#scan.hash)
          // The shared ones say nothing of what was hidden.
          const negative =
            isKept || view.hasHidden ? undefined : this.#negatives.find(message, this.#scan.variant)
          if (negative !== undefined) return negative
        }
        prepared = prepareAnswer(message, bytesMax, zone.enableTruncate)
      }
    } catch (error) {
      if (error instanceof InvariantError) throw error
      this.counters.failures++
      onError(error, packet)
      return prepareAnswer(failed(query, []), bytesMax)
    }
    prepared.turn = entry?.turn ?? this.#nextTurn()
    const isFailed = prepared.rcode === rcode.SERVFAIL || prepared.rcode === rcode.REFUSED
    if (!isKept || isFailed) return prepared
    const loaded = view.loaded(generation)
    const validity = { mode, slots: view.slots, others: view.dependences(), ...loaded }
    const kept =
      entry === undefined
        ? this.cache.add(this.#scan, prepared, validity)
        : this.cache.replace(entry, prepared, validity)
    return kept ?? prepared
  }

  #answer(
    query: Extract<ParsedQuery, { kind: 'query' }>,
    asker: Asker,
    mode: Mode,
    view: RecordingView,
    zone: Zone,
    bytesMax: number,
  ): Message {
    if (mode === 'never' && isServed(query.question.name, zone)) {
      return failed(query, [extendedError.notReady])
    }
    const smallAny = asker.transport === 'udp'
    const message = answer(query.question, view, zone, { smallAny, bytesMax })
    const isStale = mode === 'stale' && message.rcode !== rcode.REFUSED
    const errors: number[] = isStale ? [extendedError.staleAnswer] : []
    // RFC 8914 §4.19: there is no data because the client is not authorized to see it.
    if (view.hasHidden && message.answer.length === 0) errors.push(extendedError.prohibited)
    const edns = ednsReply(query.edns, errors)
    return isStale ? { ...shortLived(message), edns } : { ...message, edns }
  }

  #refuse(answer: Buffer): Buffer {
    this.counters.countRcode(answer[3] ?? 0)
    return answer
  }

  /** Spread out, so that not every first answer after a start begins with the same instance. */
  #nextTurn(): number {
    this.#turn = (Math.imul(this.#turn, 1_664_525) + 1_013_904_223) >>> 0
    return this.#turn >>> 8
  }
}

/** The size limit of an answer to this query, in octets. */
function bytesMaxOf(
  { edns }: { readonly edns: QueryEdns | undefined },
  { transport, pathBytesMax }: Asker,
): number {
  return variantBytesMax(variantOf(edns, transport, pathBytesMax))
}

function isTooLong(packet: Uint8Array, { transport }: Asker): boolean {
  return packet.length > udpQueryBytesMax && transport === 'udp'
}

function failed(
  query: Extract<ParsedQuery, { kind: 'query' }>,
  extendedErrors: readonly number[],
): Message {
  return {
    question: query.question,
    rcode: rcode.SERVFAIL,
    authoritative: false,
    truncated: false,
    answer: [],
    authority: [],
    additional: [],
    edns: ednsReply(query.edns, extendedErrors),
  }
}

/** In the spirit of RFC 8767: data that may be out of date must not be cached for long. */
function shortLived(message: Message): Message {
  return {
    ...message,
    answer: message.answer.map(capTtl),
    authority: message.authority.map(capTtl),
    additional: message.additional.map(capTtl),
  }
}

function capTtl(record: ResourceRecord): ResourceRecord {
  return record.ttl <= 1 ? record : { ...record, ttl: 1 }
}
