import { randomInt } from 'node:crypto'
import type { After } from '../../base/timeouts.ts'
import { extendedError } from '../../dns/message.ts'
import type { Exchange } from '../../net/upstream/exchange.ts'
import { CacheReader } from '../../recursor/cache-reader.ts'
import { CacheWriter } from '../../recursor/cache-writer.ts'
import type { CacheMemory } from '../../recursor/cache-layout.ts'
import { lifetimeSeconds } from '../../recursor/lifetime.ts'
import { Lookup } from '../../recursor/lookup.ts'
import type { Resume, Step } from '../../recursor/lookup.ts'
import type { OutsideQuestion } from '../../recursor/outside-question.ts'
import { PendingQuestions } from '../../recursor/pending-questions.ts'
import { storeAnswer, storeFailure } from '../../recursor/stored-answer.ts'
import type { StoredAnswer } from '../../recursor/stored-answer.ts'
import type { Upstreams } from '../../recursor/upstreams.ts'
import { RandomOctets } from './random-octets.ts'
import type { RecursorCounters } from './recursor-counters.ts'
import { UpstreamExchange } from './upstream-exchange.ts'

/** The answer to a question, as far as it is known. */
export interface Known {
  readonly answer: StoredAnswer
  readonly ageSeconds: number
  readonly isStale: boolean
}

/** The way to the upstream servers, which are numbers. */
export interface RecursorPorts {
  readonly isTls: (server: number) => boolean
  /** Whether no host between svcd and the server could change an answer. */
  readonly isTrusted: (server: number) => boolean
  readonly askByUdp: (exchange: Exchange) => void
  /** By TCP, or TLS where the server has it. Absent: this thread cannot. */
  readonly askByStream?: (exchange: Exchange) => void
  readonly close: () => void
}

/** Takes the answer, or how another thread must continue, because this one cannot use streams. */
export type Reply = (known: Known | Resume) => void

export interface RecursorOptions {
  readonly ports: RecursorPorts
  readonly memory: CacheMemory
  /** Of this thread, as a writer of the cache. */
  readonly writer: number
  readonly after: After
  readonly upstreams: Upstreams
  readonly timeoutMs: number
  readonly counters: RecursorCounters
  readonly nowMs: () => number
}

interface Pending {
  readonly question: OutsideQuestion
  readonly lookup: Lookup
  readonly epoch: number
  /** Nothing has answered it yet. */
  isOpen: boolean
  waiters: Reply[]
  /** Clients will get what is stale when they will not wait any longer. */
  cancelStale: (() => void) | undefined
}

/** Questions that are with upstream servers at one time. */
const pendingMax = 4096
/** Clients that wait for them. */
const waitersMax = 32_768
/** RFC 8767 §5: how long clients wait until they get a stale answer, how old it may be, and how long it stands. */
const patienceMs = 1800
const staleMaxMs = 24 * 3_600_000
const staleSeconds = 30
/** RFC 9520 §3.2: a failure is cached, too. */
const failureSeconds = 1
/** RFC 8914 §4.7 to §4.13: DNSSEC says that the answer is wrong, so an older one does not help. */
const bogusErrors = { first: 6, last: 12 } as const

/** Answers questions for outside names from upstream servers, and keeps the answers in the cache. */
export class Recursor {
  readonly #options: RecursorOptions
  readonly #upstreams: Upstreams
  readonly #reader: CacheReader
  readonly #writer: CacheWriter
  readonly #pending: PendingQuestions<Pending>
  readonly #randomOctets = new RandomOctets()
  #waiters = 0

  constructor(options: RecursorOptions) {
    this.#options = options
    this.#upstreams = options.upstreams
    this.#pending = new PendingQuestions(options.memory.seed)
    this.#reader = new CacheReader(options.memory)
    this.#writer = new CacheWriter(options.memory, options.writer)
  }

  /** Calls `reply` once, now or later. Without it, an answer is asked for even if there is one. */
  ask(question: OutsideQuestion, reply: Reply | undefined, resume?: Resume): void {
    const { counters, nowMs } = this.#options
    counters.add(reply === undefined ? 'refreshed' : 'queries')
    const found = reply === undefined ? undefined : this.#reader.find(question, nowMs())
    const known = found === 'fresh' ? this.#known() : undefined
    if (known !== undefined) {
      counters.add('cached')
      this.#reader.use()
      return reply?.(known)
    }
    const asked = this.#pending.get(question)
    if (asked !== undefined) return this.#join(asked, reply)
    if (this.#pending.size >= pendingMax) {
      counters.add('refused')
      return reply?.(failure(question, extendedError.noReachableAuthority))
    }
    const pending = this.#open(question, resume)
    if (reply !== undefined) this.#wait(pending, reply, found === 'expired')
    return this.#take(pending, pending.lookup.start(nowMs()))
  }

  /** Whether questions are with upstream servers. */
  get isWaiting(): boolean {
    return this.#pending.size > 0
  }

  close(): void {
    for (const pending of this.#pending.values()) {
      pending.isOpen = false
      pending.cancelStale?.()
    }
    this.#pending.clear()
    this.#options.ports.close()
  }

  /** What the reader has found; undefined if another thread has overwritten it since. */
  #known(): Known | undefined {
    const { age } = this.#reader
    const isStale = age.staleTtl !== undefined
    const known = { answer: this.#reader.copy(), ageSeconds: age.ageSeconds, isStale }
    return this.#reader.isIntact ? known : undefined
  }

  #open(question: OutsideQuestion, resume: Resume | undefined): Pending {
    const { ports, nowMs, memory } = this.#options
    const isTls = (server: number): boolean => ports.isTls(server)
    const lookup = new Lookup({ upstreams: this.#upstreams, isTls, random, resume }, nowMs())
    const { epoch } = memory
    const pending: Pending = {
      question,
      lookup,
      epoch,
      isOpen: true,
      waiters: [],
      cancelStale: undefined,
    }
    this.#pending.add(question, pending)
    return pending
  }

  #join(pending: Pending, reply: Reply | undefined): void {
    if (reply === undefined) return
    this.#options.counters.add('shared')
    this.#wait(
      pending,
      reply,
      this.#reader.find(pending.question, this.#options.nowMs()) === 'expired',
    )
  }

  #wait(pending: Pending, reply: Reply, mayBeStale: boolean): void {
    if (this.#waiters >= waitersMax) {
      this.#options.counters.add('refused')
      return reply(failure(pending.question, extendedError.noReachableAuthority))
    }
    this.#waiters++
    pending.waiters.push(reply)
    this.#options.counters.set('waiting', this.#waiters)
    if (!mayBeStale || pending.cancelStale !== undefined) return undefined
    pending.cancelStale = this.#options.after(patienceMs, () => {
      pending.cancelStale = undefined
      const stale = this.#stale(pending.question)
      if (stale !== undefined) this.#reply(pending, stale)
    })
    return undefined
  }

  #take(pending: Pending, step: Step): void {
    if (step.kind === 'wait') return undefined
    const ask = step.kind === 'ask' ? this.#wayOf(step.transport) : undefined
    if (step.kind === 'ask' && ask !== undefined) return this.#send(pending, step, ask)
    pending.isOpen = false
    this.#pending.delete(pending.question)
    pending.cancelStale?.()
    if (step.kind === 'ask') return this.#reply(pending, pending.lookup.resume)
    if (step.kind === 'failed') return this.#fail(pending, step.extendedError)
    const { memory, ports, nowMs } = this.#options
    const { question, epoch } = pending
    const answer = storeAnswer(question, step.message, ports.isTrusted(step.server))
    const lifetime = lifetimeSeconds(step.message)
    if (lifetime > 0 && epoch === memory.epoch) {
      this.#put(question, answer, lifetime, nowMs())
    }
    return this.#reply(pending, { answer, ageSeconds: 0, isStale: false })
  }

  #put(question: OutsideQuestion, answer: StoredAnswer, lifetime: number, storedMs: number): void {
    const { epoch } = this.#options.memory
    const validity = {
      storedMs,
      originMs: storedMs,
      lifetimeSeconds: lifetime,
      epoch,
      isStale: false,
    }
    this.#writer.put(question, answer, validity)
  }

  /** Undefined: this thread cannot ask so. */
  #wayOf(transport: 'udp' | 'stream'): ((exchange: Exchange) => void) | undefined {
    const { askByUdp, askByStream } = this.#options.ports
    return transport === 'udp' ? askByUdp : askByStream
  }

  #send(
    pending: Pending,
    step: Extract<Step, { kind: 'ask' }>,
    ask: (exchange: Exchange) => void,
  ): void {
    const { ports, timeoutMs, counters, nowMs } = this.#options
    const { question, lookup } = pending
    const { server } = step
    const exchange = new UpstreamExchange(question, step, {
      timeoutMs,
      isTls: ports.isTls(server),
      counters,
      randomOctets: this.#randomOctets,
      nowMs,
      onReply: (reply) => {
        if (pending.isOpen) this.#take(pending, lookup.onReply(reply, nowMs()))
      },
      onFailure: (reason) => {
        if (pending.isOpen) this.#take(pending, lookup.onFailure(reason, nowMs()))
        counters.setOf(server, 'isDown', this.#upstreams.isDown(server, nowMs()) ? 1 : 0)
      },
    })
    ask(exchange)
  }

  /** No server could answer: an answer that is too old is better than none (RFC 8767). */
  #fail(pending: Pending, error: number): void {
    const { question, epoch } = pending
    const { counters, nowMs, memory } = this.#options
    // It was to be refreshed, and has not expired yet.
    const isFresh = this.#reader.find(question, nowMs()) === 'fresh'
    const known = isFresh ? this.#known() : undefined
    if (known !== undefined) return this.#reply(pending, known)
    const isBogus = error >= bogusErrors.first && error <= bogusErrors.last
    const stale = isBogus ? undefined : this.#stale(question)
    if (stale !== undefined) {
      const validity = { storedMs: nowMs(), originMs: stale.originMs, epoch }
      const lasting = { ...validity, lifetimeSeconds: staleSeconds, isStale: true }
      if (epoch === memory.epoch) this.#writer.put(question, stale.answer, lasting)
      return this.#reply(pending, stale)
    }
    counters.add('failed')
    const failed = failure(question, error)
    if (epoch === memory.epoch) this.#put(question, failed.answer, failureSeconds, nowMs())
    return this.#reply(pending, failed)
  }

  /** What the cache has, however old, but for failures. */
  #stale(question: OutsideQuestion): (Known & { readonly originMs: number }) | undefined {
    const nowMs = this.#options.nowMs()
    if (this.#reader.find(question, nowMs) === undefined) return undefined
    const answer = this.#reader.copy()
    const { originMs } = this.#reader
    const isTooOld = nowMs - originMs > staleMaxMs
    const isFailure = ((answer.bytes[3] ?? 0) & 0x0f) === 2
    if (isTooOld || isFailure || !this.#reader.isIntact) return undefined
    return { answer, ageSeconds: 0, isStale: true, originMs }
  }

  #reply(pending: Pending, known: Known | Resume): void {
    const { waiters } = pending
    pending.waiters = []
    this.#waiters -= waiters.length
    this.#options.counters.set('waiting', this.#waiters)
    if ('isStale' in known && known.isStale) this.#options.counters.add('stale', waiters.length)
    for (const reply of waiters) reply(known)
  }
}

/** From 0 to below 1, not to be guessed. */
function random(): number {
  return randomInt(2 ** 32) / 2 ** 32
}

function failure(question: OutsideQuestion, error: number): Known {
  return { answer: storeFailure(question, error), ageSeconds: 0, isStale: false }
}
