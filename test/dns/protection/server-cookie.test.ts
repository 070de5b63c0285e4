import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { parseIp } from '../../../src/base/ip.ts'
import { cookieState, writeServerCookie } from '../../../src/dns/protection/server-cookie.ts'
import type { CookieSecrets } from '../../../src/dns/protection/server-cookie.ts'
import type { SourceAddress } from '../../../src/dns/protection/rate-limiter.ts'
import { sipHash } from '../../../src/dns/protection/siphash.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

function source(address: string): SourceAddress {
  const bytes = must(parseIp(address), 'it is an address')
  return { bytes, at: 0, length: bytes.length }
}

function made(secrets: CookieSecrets, client: string, address: string, seconds: number): string {
  const out = new Uint8Array(16)
  writeServerCookie(secrets, hex(client), source(address), seconds, out, 0)
  return Buffer.from(out).toString('hex')
}

t.test('SipHash-2-4 gives the values of its authors', async (t) => {
  const key = Uint8Array.from({ length: 16 }, (_, at) => at)
  const message = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at)
  // Appendix A of the paper, and the first of the vectors that come with the reference code.
  t.equal(Buffer.from(sipHash(key, message(15))).toString('hex'), 'e545be4961ca29a1')
  t.equal(Buffer.from(sipHash(key, message(0))).toString('hex'), '310e0edd47db6f72')
})

// RFC 9018, Appendix A.
const secret = hex('e5e973e5a6b2a43f48e7dc849e37bfcf')
const first = '2464c4abcf10c957'

t.test('a client learns the server cookie of RFC 9018 A.1, and its renewal in A.2', async (t) => {
  const secrets = { current: secret }
  const cookie = made(secrets, first, '198.51.100.100', 1_559_731_985)
  t.equal(cookie, '010000005cf79f111f8130c3eee29480')
  const stateAt = (seconds: number): string =>
    cookieState(secrets, hex(first), hex(cookie), source('198.51.100.100'), seconds)
  t.equal(stateAt(1_559_731_985), 'fresh')
  t.equal(stateAt(1_559_734_385), 'old', 'after more than half an hour')
  const renewed = made(secrets, first, '198.51.100.100', 1_559_734_385)
  t.equal(renewed, '010000005cf7a871d4a564a1442aca77')
})

t.test('an IPv6 client keeps its cookie when the secret changes, as in A.4', async (t) => {
  const [client, address] = ['22681ab97d52c298', '2001:db8:220:1:59de:d0f4:8769:82b8']
  const before = hex('dd3bdf9344b678b185a6f5cb60fca715')
  const current = hex('445536bcd2513298075a5d379663c962')
  const old = made({ current: before }, client, address, 1_559_741_817)
  t.equal(old, '010000005cf7c57926556bd0934c72f8')
  const at = 1_559_741_961
  const previous = { secret: before, untilSeconds: at + 1 }
  const state = (secrets: CookieSecrets): string =>
    cookieState(secrets, hex(client), hex(old), source(address), at)
  t.equal(state({ current, previous }), 'old')
  t.equal(made({ current, previous }, client, address, at), '010000005cf7c609a6bb79d16625507a')
  t.equal(
    state({ current, previous: { ...previous, untilSeconds: at } }),
    'bad',
    'its time is over',
  )
  t.equal(state({ current }), 'bad')
})

t.test('a cookie is bad outside of its time, for another client, address or version', async (t) => {
  const secrets = { current: secret }
  const now = 1_800_000_000
  const cookie = hex(made(secrets, first, '192.0.2.1', now))
  const state = (
    { client = first, address = '192.0.2.1', server = cookie }: Partial<Case>,
    seconds = now,
  ): string => cookieState(secrets, hex(client), server, source(address), seconds)
  t.equal(state({}), 'fresh')
  t.equal(state({}, now + 3600), 'old')
  t.equal(state({}, now + 3601), 'bad', 'older than an hour')
  t.equal(state({}, now - 300), 'old')
  t.equal(state({}, now - 301), 'bad', 'more than 5 minutes ahead')
  t.equal(state({ client: '2464c4abcf10c958' }), 'bad')
  t.equal(state({ address: '192.0.2.2' }), 'bad')
  t.equal(state({ server: cookie.subarray(0, 15) }), 'bad')
  for (let at = 0; at < cookie.length; at++) {
    const server = cookie.slice()
    server[at] = (server[at] ?? 0) ^ 1
    t.equal(state({ server }), 'bad', `octet ${at} changed`)
  }
})

interface Case {
  readonly client: string
  readonly address: string
  readonly server: Uint8Array
}
