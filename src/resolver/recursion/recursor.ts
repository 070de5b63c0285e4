import { randomInt } from 'node:crypto'
import { extendedError } from '../../dns/message.ts'
import type { Exchange } from '../../net/upstream/exchange.ts'
import { CacheReader } from '../../recursor/cache-reader.ts'
import { CacheWriter } from '../../recursor/cache-writer.ts'
import type { CacheMemory } from '../../recursor/cache-layout.ts'
import { judgeReply } from '../../recursor/judge-reply.ts'
import { lifetimeSeconds } from '../../recursor/lifetime.ts'
import { Lookup } from '../../recursor/lookup.ts'
import type { Step } from '../../recursor/lookup.ts'
import { questionKey } from '../../recursor/outside-question.ts'
import type { OutsideQuestion } from '../../recursor/outside-question.ts'
import { storeAnswer, storeFailure } from '../../recursor/stored-answer.ts'
import type { StoredAnswer } from '../../recursor/stored-answer.ts'
import { upstreamQuery } from '../../recursor/upstream-query.ts'
import { Upstreams } from '../../recursor/upstreams.ts'
import type { Strategy } from '../../recursor/upstreams.ts'
import { RandomOctets } from './random-octets.ts'
import type { RecursorCounters } from './recursor-counters.ts'
import type { UpstreamPorts } from './upstream-ports.ts'

/** The answer to a question, as far as it is known. */
export interface Known {
  readonly answer: StoredAnswer
  readonly ageSeconds: number
  readonly isStale: boolean
}

export interface RecursorOptions {
  readonly ports: UpstreamPorts
  readonly memory: CacheMemory
  readonly strategy: Strategy
  readonly timeoutMs: number
  readonly counters: RecursorCounters
  readonly nowMs: () => number
}

interface Pending {
  readonly question: OutsideQuestion
  readonly lookup: Lookup
  readonly epoch: number
  waiters: ((known: Known) => void)[]
  /** Answers with what is stale when clients will not wait any longer. */
  staleTimer: NodeJS.Timeout | undefined
}

/** Questions that are with upstream servers at one time. */
const pendingMax = 4096
/** Clients that wait for them. */
const waitersMax = 32_768
/** RFC 8767 §5: how long clients wait until they get a stale answer, how old it may be, and how long it stands. */
const patienceMs = 1800
const staleMaxMs = 24 * 3_600_000
const staleSeconds = 30
/** A bit for each octet of a name. */
const caseBytes = 32
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
  readonly #pending = new Map<string, Pending>()
  readonly #randomOctets = new RandomOctets()
  #waiters = 0

  constructor(options: RecursorOptions) {
    this.#options = options
    this.#upstreams = new Upstreams(options.ports.count, options.strategy)
    this.#reader = new CacheReader(options.memory)
    this.#writer = new CacheWriter(options.memory)
  }

  /** Calls `reply` once, now or later. Without it, an answer is asked for even if there is one. */
  ask(question: OutsideQuestion, reply: ((known: Known) => void) | undefined): void {
    const { counters, nowMs } = this.#options
    counters.add(reply === undefined ? 'refreshed' : 'queries')
    const found = reply === undefined ? undefined : this.#reader.find(question, nowMs())
    if (found === 'fresh' && reply !== undefined) {
      counters.add('cached')
      this.#reader.use()
      return reply(this.#known())
    }
    const key = questionKey(question)
    const known = this.#pending.get(key)
    if (known !== undefined) return this.#join(known, reply)
    if (this.#pending.size >= pendingMax) {
      counters.add('refused')
      return reply?.(failure(question, extendedError.noReachableAuthority))
    }
    const pending = this.#open(question, key)
    if (reply !== undefined) this.#wait(pending, reply, found === 'expired')
    return this.#take(key, pending, pending.lookup.start(nowMs()))
  }

  close(): void {
    for (const { staleTimer } of this.#pending.values()) clearTimeout(staleTimer)
    this.#pending.clear()
    this.#options.ports.close()
  }

  #known(): Known {
    const { age } = this.#reader
    const isStale = age.staleTtl !== undefined
    return { answer: this.#reader.copy(), ageSeconds: age.ageSeconds, isStale }
  }

  #open(question: OutsideQuestion, key: string): Pending {
    const { ports, nowMs, memory } = this.#options
    const isTls = (server: number): boolean => ports.isTls(server)
    const lookup = new Lookup({ upstreams: this.#upstreams, isTls, random }, nowMs())
    const { epoch } = memory
    const pending: Pending = { question, lookup, epoch, waiters: [], staleTimer: undefined }
    this.#pending.set(key, pending)
    return pending
  }

  #join(pending: Pending, reply: ((known: Known) => void) | undefined): void {
    if (reply === undefined) return
    this.#options.counters.add('shared')
    this.#wait(
      pending,
      reply,
      this.#reader.find(pending.question, this.#options.nowMs()) === 'expired',
    )
  }

  #wait(pending: Pending, reply: (known: Known) => void, mayBeStale: boolean): void {
    if (this.#waiters >= waitersMax) {
      this.#options.counters.add('refused')
      return reply(failure(pending.question, extendedError.noReachableAuthority))
    }
    this.#waiters++
    pending.waiters.push(reply)
    this.#options.counters.set('waiting', this.#waiters)
    if (!mayBeStale || pending.staleTimer !== undefined) return undefined
    pending.staleTimer = setTimeout(() => {
      pending.staleTimer = undefined
      const stale = this.#stale(pending.question)
      if (stale !== undefined) this.#reply(pending, stale)
    }, patienceMs)
    return undefined
  }

  #take(key: string, pending: Pending, step: Step): void {
    if (step.kind === 'wait') return undefined
    if (step.kind === 'ask') return this.#send(key, pending, step)
    this.#pending.delete(key)
    clearTimeout(pending.staleTimer)
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
    const validity = { storedMs, originMs: storedMs, lifetimeSeconds: lifetime, epoch }
    this.#writer.put(question, answer, { ...validity, isStale: false })
  }

  #send(key: string, pending: Pending, step: Extract<Step, { kind: 'ask' }>): void {
    const { ports, timeoutMs, counters, nowMs } = this.#options
    const { question, lookup } = pending
    const { server, transport, edns } = step
    const sentMs = nowMs()
    let query: Uint8Array = new Uint8Array(0)
    const isCurrent = (): boolean => this.#pending.get(key) === pending
    const exchange: Exchange = {
      server,
      timeoutMs,
      build: (id) => {
        const caseBits = step.mixesCase ? this.#randomOctets.take(caseBytes) : undefined
        query = upstreamQuery(question, { id, edns, caseBits, isPadded: ports.isTls(server) })
        return query
      },
      take: (bytes) => {
        const reply = judgeReply(query, bytes)
        if (reply.kind === 'foreign') {
          counters.addTo(server, 'forged')
          return false
        }
        counters.addTo(server, reply.kind === 'lame' ? 'lame' : 'answered')
        counters.observe((nowMs() - sentMs) / 1000)
        if (isCurrent()) this.#take(key, pending, lookup.onReply(reply, nowMs()))
        return true
      },
      fail: (reason) => {
        counters.addTo(server, reason === 'timeout' ? 'timeouts' : 'errors')
        if (isCurrent()) this.#take(key, pending, lookup.onFailure(reason, nowMs()))
        counters.setOf(server, 'isDown', this.#upstreams.isDown(server, nowMs()) ? 1 : 0)
      },
    }
    counters.addTo(server, 'sent')
    ports.ask(transport, exchange)
  }

  /** No server could answer: an answer that is too old is better than none (RFC 8767). */
  #fail(pending: Pending, error: number): void {
    const { question, epoch } = pending
    const { counters, nowMs, memory } = this.#options
    // It was to be refreshed, and has not expired yet.
    if (this.#reader.find(question, nowMs()) === 'fresh') {
      return this.#reply(pending, this.#known())
    }
    const isBogus = error >= bogusErrors.first && error <= bogusErrors.last
    const stale = isBogus ? undefined : this.#stale(question)
    if (stale !== undefined) {
      const validity = { storedMs: nowMs(), originMs: this.#reader.originMs, epoch }
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
  #stale(question: OutsideQuestion): Known | undefined {
    const nowMs = this.#options.nowMs()
    if (this.#reader.find(question, nowMs) === undefined) return undefined
    const answer = this.#reader.copy()
    const isTooOld = nowMs - this.#reader.originMs > staleMaxMs
    const isFailure = ((answer.bytes[3] ?? 0) & 0x0f) === 2
    return isTooOld || isFailure ? undefined : { answer, ageSeconds: 0, isStale: true }
  }

  #reply(pending: Pending, known: Known): void {
    const { waiters } = pending
    pending.waiters = []
    this.#waiters -= waiters.length
    this.#options.counters.set('waiting', this.#waiters)
    if (known.isStale) this.#options.counters.add('stale', waiters.length)
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
