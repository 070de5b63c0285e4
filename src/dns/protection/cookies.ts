import type { ResponderCounters } from '../responder-counters.ts'
import { mayHaveOptions, newCookieOption, readCookie, serverCookieAt } from './cookie-option.ts'
import type { QueryCookie } from './cookie-option.ts'
import type { SourceAddress } from './rate-limiter.ts'
import { cookieState, writeServerCookie } from './server-cookie.ts'
import type { CookieSecrets } from './server-cookie.ts'

/** The cookie of one query, and what its answer gets. */
export interface JudgedCookie {
  /** The client has proved its address with a server cookie. */
  readonly isValid: boolean
  readonly udpSize: number
  /** The COOKIE option of the answer: the client's cookie and the server's. */
  readonly option: Uint8Array
}

/** DNS cookies (RFC 7873) with the server cookies of RFC 9018. */
export class Cookies {
  readonly #secrets: () => CookieSecrets | undefined
  readonly #nowSeconds: () => number

  /** `secrets`: undefined while there are none. `nowSeconds`: the wall clock, which all servers share. */
  constructor(secrets: () => CookieSecrets | undefined, nowSeconds: () => number) {
    this.#secrets = secrets
    this.#nowSeconds = nowSeconds
  }

  /** Undefined: the query has no cookie, and its answer gets none. */
  judge(
    packet: Uint8Array,
    source: SourceAddress | undefined,
    counters: ResponderCounters,
  ): JudgedCookie | undefined {
    if (source === undefined || !mayHaveOptions(packet)) return undefined
    const cookie = readCookie(packet)
    if (cookie === undefined) return undefined
    const secrets = this.#secrets()
    if (secrets === undefined) return undefined
    return judged(cookie, secrets, source, Math.floor(this.#nowSeconds()), counters)
  }
}

function judged(
  { client, server, udpSize }: QueryCookie,
  secrets: CookieSecrets,
  source: SourceAddress,
  nowSeconds: number,
  counters: ResponderCounters,
): JudgedCookie {
  const option = newCookieOption(client)
  const hasServer = server.length > 0
  const state = hasServer ? cookieState(secrets, client, server, source, nowSeconds) : 'bad'
  const isValid = state !== 'bad'
  if (isValid) counters.cookiesValid++
  else if (hasServer) counters.cookiesInvalid++
  // RFC 9018 §4.3: a server cookie that is not old is sent again.
  if (state === 'fresh') option.set(server, serverCookieAt)
  else writeServerCookie(secrets, client, source, nowSeconds, option, serverCookieAt)
  return { isValid, udpSize, option }
}
