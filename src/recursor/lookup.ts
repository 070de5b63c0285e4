import { rcode } from '../dns/record.ts'
import { extendedError } from '../dns/message.ts'
import { judgeContents } from './judge-reply.ts'
import type { Reply } from './judge-reply.ts'
import type { UpstreamMessage } from './upstream-message.ts'
import type { Upstreams } from './upstreams.ts'

/** What to do next for a question. */
export type Step =
  | { readonly kind: 'wait' }
  | {
      readonly kind: 'ask'
      readonly server: number
      /** `stream`: TCP, or TLS where the server has it. */
      readonly transport: 'udp' | 'stream'
      readonly edns: boolean
      readonly mixesCase: boolean
    }
  | { readonly kind: 'done'; readonly server: number; readonly message: UpstreamMessage }
  | { readonly kind: 'failed'; readonly extendedError: number }

/** Where another lookup for the same question ended, because it could not use a stream. */
export interface Resume {
  readonly server: number
  readonly isCaseLost: boolean
}

export interface LookupOptions {
  readonly upstreams: Upstreams
  /** Whether a server is asked over TLS only. */
  readonly isTls: (server: number) => boolean
  readonly random: () => number
  readonly resume?: Resume | undefined
}

const wait: Step = { kind: 'wait' }
/** Servers that did not answer are asked once more: a packet may have been lost. */
const rounds = 2

/** The way of one question through the upstream servers. It has no sockets and no clock. */
export class Lookup {
  readonly #options: LookupOptions
  readonly #order: readonly number[]
  readonly #lame: number[] = []
  #attempt = 0
  #asked: Extract<Step, { kind: 'ask' }> | undefined
  /** The answer over UDP had lost the case of the letters, so it could be forged. */
  #isCaseLost = false
  #error = 0
  #timeouts = 0

  constructor(options: LookupOptions, nowMs: number) {
    this.#options = options
    const { upstreams, random, resume } = options
    const order = upstreams.order(nowMs, random)
    this.#order =
      resume === undefined
        ? order
        : [resume.server, ...order.filter((server) => server !== resume.server)]
  }

  start(nowMs: number): Step {
    const { resume, upstreams, isTls } = this.#options
    if (resume === undefined) return this.#ask(nowMs)
    const { server, isCaseLost } = resume
    this.#isCaseLost = isCaseLost
    return this.#again({
      kind: 'ask',
      server,
      transport: 'stream',
      edns: upstreams.takesEdns(server, nowMs),
      mixesCase: !isTls(server),
    })
  }

  /** How another lookup can continue from here; for one whose last step asks by a stream. */
  get resume(): Resume {
    return { server: this.#asked?.server ?? 0, isCaseLost: this.#isCaseLost }
  }

  /** To be called for each packet that comes back for the newest `ask`. */
  onReply(reply: Reply, nowMs: number): Step {
    const asked = this.#asked
    if (asked === undefined || reply.kind === 'foreign') return wait
    const { upstreams } = this.#options
    switch (reply.kind) {
      case 'answer':
        upstreams.noteAnswer(asked.server)
        return { kind: 'done', server: asked.server, message: reply.message }
      case 'truncated':
        if (asked.transport === 'stream') return this.#passOver(undefined, nowMs)
        return this.#again({ ...asked, transport: 'stream' })
      case 'no-edns':
        upstreams.noteNoEdns(asked.server, nowMs)
        return asked.edns
          ? this.#again({ ...asked, edns: false })
          : this.#passOver(undefined, nowMs)
      case 'lame':
        return this.#passOver(reply.message, nowMs)
      case 'case-lost':
        return this.#onCaseLost(asked, reply.message, nowMs)
    }
  }

  /** The newest `ask` got no answer in time, or could not be sent. */
  onFailure(reason: 'timeout' | 'network', nowMs: number): Step {
    const asked = this.#asked
    if (asked === undefined) return wait
    if (this.#isCaseLost && asked.transport === 'stream' && !this.#options.isTls(asked.server)) {
      // There is no other way to ask a server that loses the case and has no TCP.
      this.#isCaseLost = false
      this.#options.upstreams.noteCaseLost(asked.server, nowMs)
      return this.#again({ ...asked, transport: 'udp', mixesCase: false })
    }
    if (reason === 'timeout') this.#timeouts++
    this.#options.upstreams.noteFailure(asked.server, nowMs)
    return this.#next(nowMs)
  }

  /** Some servers answer with the name in lower case. Over TCP no other host can answer. */
  #onCaseLost(
    asked: Extract<Step, { kind: 'ask' }>,
    message: UpstreamMessage,
    nowMs: number,
  ): Step {
    if (asked.transport === 'udp' && asked.mixesCase) {
      this.#isCaseLost = true
      return this.#again({ ...asked, transport: 'stream' })
    }
    this.#options.upstreams.noteCaseLost(asked.server, nowMs)
    return this.onReply(judgeContents(message), nowMs)
  }

  /** A server that answered without an answer is not asked a second time. */
  #passOver(message: UpstreamMessage | undefined, nowMs: number): Step {
    const { server = 0 } = this.#asked ?? {}
    this.#options.upstreams.noteAnswer(server)
    this.#lame.push(server)
    if (message?.rcode === rcode.SERVFAIL) this.#error ||= message.extendedErrors[0] ?? 0
    return this.#next(nowMs)
  }

  #next(nowMs: number): Step {
    this.#attempt++
    return this.#ask(nowMs)
  }

  #ask(nowMs: number): Step {
    const { upstreams, isTls } = this.#options
    this.#isCaseLost = false
    for (; this.#attempt < this.#order.length * rounds; this.#attempt++) {
      const server = this.#order[this.#attempt % this.#order.length] ?? 0
      if (this.#lame.includes(server)) continue
      return this.#again({
        kind: 'ask',
        server,
        transport: isTls(server) ? 'stream' : 'udp',
        edns: upstreams.takesEdns(server, nowMs),
        mixesCase: !isTls(server) && upstreams.keepsCase(server, nowMs),
      })
    }
    this.#asked = undefined
    return { kind: 'failed', extendedError: this.#error === 0 ? this.#ownError() : this.#error }
  }

  #again(step: Extract<Step, { kind: 'ask' }>): Step {
    this.#asked = step
    return step
  }

  /** RFC 8914 §4.23 and §4.24. */
  #ownError(): number {
    const isUnreachable = this.#timeouts > 0 || this.#lame.length > 0
    return isUnreachable ? extendedError.noReachableAuthority : extendedError.networkError
  }
}
