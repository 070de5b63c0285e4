import { addOption, withOption } from '../../dns/protection/cookie-option.ts'
import type { Cookies, JudgedCookie } from '../../dns/protection/cookies.ts'
import { tcpBytesMax } from '../../dns/query-scan.ts'
import type { Responder } from '../../dns/responder.ts'
import type { StreamResponder } from '../../net/packet-responder.ts'

/**
 * Adds a cookie to the answers over a stream (RFC 7873 §5.2). There is no limit: the address of a client with a
 * connection is not forged.
 */
export function cookieStream(
  inner: StreamResponder,
  responder: Pick<Responder, 'counters'>,
  cookies: Cookies,
): StreamResponder {
  let passed: JudgedCookie | undefined
  const { later } = inner
  return {
    respondInto: (packet, asker, out, at) => {
      const length = inner.respondInto(packet, asker, out, at)
      if (length === 0) return 0
      const cookie = cookies.judge(packet, asker.source, responder.counters)
      passed = cookie
      if (length < 0 || cookie === undefined) return length
      // A message of the largest size gets none.
      return addOption(out, at, length, cookie.option, tcpBytesMax) || length
    },
    later:
      later &&
      (async () => {
        const cookie = passed
        const answer = await later()
        return cookie === undefined ? answer : withOption(answer, cookie.option, tcpBytesMax)
      }),
  }
}
