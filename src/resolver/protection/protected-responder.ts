import { addOption, writeShortAnswer } from '../../dns/protection/cookie-option.ts'
import type { Cookies, JudgedCookie } from '../../dns/protection/cookies.ts'
import type { RateLimiter } from '../../dns/protection/rate-limiter.ts'
import { parseQuery } from '../../dns/query.ts'
import type { ParsedQuery } from '../../dns/query.ts'
import { rcode } from '../../dns/record.ts'
import type { Rcode } from '../../dns/record.ts'
import type { Responder } from '../../dns/responder.ts'
import { countedOf } from '../../dns/responder-counters.ts'
import { questionEndOf } from '../../dns/wire-records.ts'
import { passedOn, withheld } from '../../net/packet-responder.ts'
import type { PacketAsker, PacketResponder, PacketWriter } from '../../net/packet-responder.ts'

export interface ProtectedOptions {
  /** Of which the counters are. */
  readonly responder: Pick<Responder, 'counters'>
  readonly cookies: Cookies
  /** Undefined: there is no limit. */
  readonly limiter: RateLimiter | undefined
  /** Every so many queries over the limit, one gets a short answer; 0: none. */
  readonly slip: number
  /** The clock that all threads share. */
  readonly nowMs: () => number
}

/** The longest UDP message of a client on this machine. */
const scratchBytes = 65_535
const nothing = Buffer.alloc(0)

/**
 * Answers UDP as another responder does, with a cookie for who sends one, and no more than the limit for
 * each network. A client with a valid server cookie has no limit, because its address is not forged
 * (RFC 7873 §5.2.3). Not to be shared between threads.
 */
export class ProtectedResponder implements PacketWriter, PacketResponder {
  readonly #inner: PacketWriter & PacketResponder
  readonly #options: ProtectedOptions
  readonly #scratch = new Uint8Array(scratchBytes)
  /** What the query that was passed on last gets added to its answer. */
  passedOnCookie: Uint8Array | undefined
  #overLimit = 0

  constructor(inner: PacketWriter & PacketResponder, options: ProtectedOptions) {
    this.#inner = inner
    this.#options = options
  }

  /** To be called before the packets of a batch. */
  beginBatch(): void {
    const { limiter, nowMs } = this.#options
    if (limiter !== undefined) limiter.nowMs = nowMs()
  }

  hitInto(packet: Uint8Array, asker: PacketAsker, out: Uint8Array, at: number): number {
    const length = this.#inner.hitInto(packet, asker, out, at)
    if (length === 0) return 0
    const cookie = this.#judge(packet, asker)
    // A hit costs less than to look at the limit before it; a miss does not.
    if (this.#mayAnswer(cookie, asker))
      return this.#addCookie(packet, cookie, asker, out, at, length)
    this.#uncount(packet, out, at)
    return this.#overLimitInto(packet, cookie, out, at)
  }

  respondInto(packet: Uint8Array, asker: PacketAsker, out: Uint8Array, at: number): number {
    const cookie = this.#judge(packet, asker)
    if (!this.#mayAnswer(cookie, asker)) {
      this.#options.responder.counters.queries++
      return this.#overLimitInto(packet, cookie, out, at)
    }
    const length = this.#inner.respondInto(packet, asker, out, at)
    if (length === passedOn) this.passedOnCookie = cookie?.option
    if (length === 0 || length === passedOn) return length
    return this.#addCookie(packet, cookie, asker, out, at, length)
  }

  hit(packet: Uint8Array, asker: PacketAsker): Buffer | undefined {
    this.beginBatch()
    const { limiter, responder } = this.#options
    let cookie: JudgedCookie | undefined
    if (asker.source !== undefined && limiter?.isOver(asker.source) === true) {
      cookie = this.#judge(packet, asker)
      // Not later: queries over the limit must not take the place of those that wait.
      if (cookie?.isValid !== true) {
        responder.counters.queries++
        return this.#taken(this.#overLimitInto(packet, cookie, this.#scratch, 0)) ?? nothing
      }
    }
    const answer = this.#inner.hit(packet, asker)
    if (answer === undefined) return undefined
    cookie ??= this.#judge(packet, asker)
    // It may, and is counted.
    this.#mayAnswer(cookie, asker)
    return this.#withCookie(packet, cookie, asker, answer)
  }

  respond(
    packet: Uint8Array,
    asker: PacketAsker,
  ): Buffer | Promise<Buffer | undefined> | undefined {
    this.beginBatch()
    const cookie = this.#judge(packet, asker)
    if (!this.#mayAnswer(cookie, asker)) {
      this.#options.responder.counters.queries++
      return this.#taken(this.#overLimitInto(packet, cookie, this.#scratch, 0))
    }
    const answer = this.#inner.respond(packet, asker)
    if (!(answer instanceof Promise)) {
      return answer && this.#withCookie(packet, cookie, asker, answer)
    }
    const { pathBytesMax } = asker
    return answer.then((later) => {
      return later && this.#withCookie(packet, cookie, { pathBytesMax }, later)
    })
  }

  #judge(packet: Uint8Array, { source }: PacketAsker): JudgedCookie | undefined {
    const { cookies, responder } = this.#options
    return cookies.judge(packet, source, responder.counters)
  }

  #mayAnswer(cookie: JudgedCookie | undefined, { source }: PacketAsker): boolean {
    const { limiter } = this.#options
    if (limiter === undefined || source === undefined || cookie?.isValid === true) return true
    return limiter.take(source)
  }

  /** RFC 7873 §5.2.5: also to a client whose server cookie was not valid. */
  #addCookie(
    packet: Uint8Array,
    cookie: JudgedCookie | undefined,
    { pathBytesMax }: Pick<PacketAsker, 'pathBytesMax'>,
    out: Uint8Array,
    at: number,
    length: number,
  ): number {
    if (cookie === undefined) return length
    const bytesMax = Math.min(cookie.udpSize, pathBytesMax)
    const longer = addOption(out, at, length, cookie.option, bytesMax)
    if (longer > 0) return longer
    // Without its cookie a client discards the answer, and with it the answer is too long.
    return shortAnswer(packet, parseQuery(packet), rcode.NOERROR, cookie, out, at)
  }

  #withCookie(
    packet: Uint8Array,
    cookie: JudgedCookie | undefined,
    asker: Pick<PacketAsker, 'pathBytesMax'>,
    answer: Buffer,
  ): Buffer | undefined {
    if (cookie === undefined) return answer
    this.#scratch.set(answer)
    return this.#taken(this.#addCookie(packet, cookie, asker, this.#scratch, 0, answer.length))
  }

  #taken(length: number): Buffer | undefined {
    return length > 0 ? Buffer.from(this.#scratch.subarray(0, length)) : undefined
  }

  /** What a query over the limit gets: nothing, or a short answer after which a real client asks again. */
  #overLimitInto(
    packet: Uint8Array,
    cookie: JudgedCookie | undefined,
    out: Uint8Array,
    at: number,
  ): number {
    const { slip, responder } = this.#options
    responder.counters.limited++
    if (slip === 0 || ++this.#overLimit % slip !== 0) return withheld
    const query = parseQuery(packet)
    if (query.kind !== 'query') return withheld
    responder.counters.slipped++
    // RFC 7873 §5.2.3: with the cookie in it, the client has no limit.
    const code = cookie === undefined ? rcode.NOERROR : rcode.BADCOOKIE
    return shortAnswer(packet, query, code, cookie, out, at)
  }

  /** The answer in `out` was counted, and is not sent. */
  #uncount(packet: Uint8Array, out: Uint8Array, at: number): void {
    const { counters } = this.#options.responder
    counters.takeBack(countedOf(out, at), packet, questionEndOf(packet))
  }
}

/** Without records: with TC, or the code BADCOOKIE. */
function shortAnswer(
  packet: Uint8Array,
  query: ParsedQuery,
  code: Rcode,
  cookie: JudgedCookie | undefined,
  out: Uint8Array,
  at: number,
): number {
  if (query.kind === 'drop') return withheld
  const { questionEnd, edns } = query
  const isTruncated = code === rcode.NOERROR
  const common = { questionEnd, rcode: code, isTruncated }
  const answer = { ...common, dnssecOk: edns?.dnssecOk, option: cookie?.option }
  return writeShortAnswer(packet, answer, out, at)
}
