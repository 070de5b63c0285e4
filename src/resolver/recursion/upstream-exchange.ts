import type { Exchange } from '../../net/upstream/exchange.ts'
import { judgeReply } from '../../recursor/judge-reply.ts'
import type { Reply } from '../../recursor/judge-reply.ts'
import type { Step } from '../../recursor/lookup.ts'
import type { OutsideQuestion } from '../../recursor/outside-question.ts'
import { upstreamQuery } from '../../recursor/upstream-query.ts'
import type { RandomOctets } from './random-octets.ts'
import type { RecursorCounters } from './recursor-counters.ts'

export interface UpstreamExchangeOptions {
  readonly timeoutMs: number
  /** Over TLS, queries are padded. */
  readonly isTls: boolean
  readonly counters: RecursorCounters
  readonly randomOctets: RandomOctets
  readonly nowMs: () => number
  /** Called once, with a packet that answers the query. */
  readonly onReply: (reply: Exclude<Reply, { readonly kind: 'foreign' }>) => void
  /** Called instead if there is none. */
  readonly onFailure: (reason: 'timeout' | 'network') => void
}

const noQuery: Uint8Array = new Uint8Array(0)
/** A bit for each octet of a name. */
const caseBytes = 32

/** One query to one upstream server, and its answer. */
export class UpstreamExchange implements Exchange {
  readonly server: number
  readonly timeoutMs: number
  readonly #question: OutsideQuestion
  readonly #step: Extract<Step, { kind: 'ask' }>
  readonly #options: UpstreamExchangeOptions
  readonly #sentMs: number
  #query = noQuery

  constructor(
    question: OutsideQuestion,
    step: Extract<Step, { kind: 'ask' }>,
    options: UpstreamExchangeOptions,
  ) {
    this.server = step.server
    this.timeoutMs = options.timeoutMs
    this.#question = question
    this.#step = step
    this.#options = options
    this.#sentMs = options.nowMs()
    options.counters.addTo(step.server, 'sent')
  }

  build(id: number): Uint8Array {
    const { randomOctets, isTls } = this.#options
    const { edns, mixesCase } = this.#step
    const caseBits = mixesCase ? randomOctets.take(caseBytes) : undefined
    this.#query = upstreamQuery(this.#question, { id, edns, caseBits, isPadded: isTls })
    return this.#query
  }

  take(bytes: Uint8Array): boolean {
    const { counters, nowMs, onReply } = this.#options
    const reply = judgeReply(this.#query, bytes)
    if (reply.kind === 'foreign') {
      counters.addTo(this.server, 'forged')
      return false
    }
    counters.addTo(this.server, reply.kind === 'lame' ? 'lame' : 'answered')
    counters.observe((nowMs() - this.#sentMs) / 1000)
    onReply(reply)
    return true
  }

  fail(reason: 'timeout' | 'network'): void {
    const { counters, onFailure } = this.#options
    counters.addTo(this.server, reason === 'timeout' ? 'timeouts' : 'errors')
    onFailure(reason)
  }
}
