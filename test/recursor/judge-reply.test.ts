import fc from 'fast-check'
import t from 'tap'
import { judgeReply } from '../../src/recursor/judge-reply.ts'
import { outsideQuestion } from '../../src/recursor/outside-question.ts'
import { upstreamQuery } from '../../src/recursor/upstream-query.ts'
import { readUpstreamMessage } from '../../src/recursor/upstream-message.ts'
import { lifetimeSeconds } from '../../src/recursor/lifetime.ts'
import { rcode } from '../../src/dns/record.ts'
import { must } from '../../src/base/assert.ts'
import { buildQuery } from '../dns/fixture.ts'
import { reply } from '../helpers/fake-upstream.ts'
import type { Asked, ReplyText } from '../helpers/fake-upstream.ts'

const base = buildQuery('www.example.com', 'A')
const question = outsideQuestion(base, base.length, false)
const caseBits = Uint8Array.of(0b0101_0110, 0b1010_1010)
const packet = Buffer.from(
  upstreamQuery(question, { id: 99, edns: true, caseBits, isPadded: false }),
)
const spelt = packet.toString('latin1', 13, 16)
const asked: Asked = {
  packet,
  name: `${spelt}.example.com.`,
  type: 'A',
  transport: 'udp',
  port: 1,
  hasEdns: true,
}

function judged(text: ReplyText, edit: (bytes: Buffer) => void = () => {}): string {
  const bytes = reply(asked, text)
  edit(bytes)
  return judgeReply(packet, bytes).kind
}

t.test('the case of a query is random, and everything else is as it was', async (t) => {
  t.not(spelt, 'www')
  t.equal(spelt.toLowerCase(), 'www')
  const options = { id: 99, edns: true, caseBits: undefined, isPadded: false }
  const lower = Buffer.from(upstreamQuery(question, options))
  t.equal(packet.toString('latin1').toLowerCase(), lower.toString('latin1').toLowerCase())
  const padded = upstreamQuery(question, { id: 1, edns: true, caseBits, isPadded: true })
  t.equal(padded.length, 128)
})

t.test('only an answer to the very question counts', async (t) => {
  const good = { answer: ['www.example.com 60 A 192.0.2.1'] }
  t.equal(judged(good), 'answer')
  t.equal(
    judged(good, (bytes) => void bytes.writeUInt16BE(98)),
    'foreign',
    'another id',
  )
  t.equal(
    judged(good, (bytes) => void bytes.writeUInt8(0x01, 2)),
    'foreign',
    'a query',
  )
  t.equal(
    judged(good, (bytes) => void bytes.write('x', 13)),
    'foreign',
    'another name',
  )
  t.equal(
    judged(good, (bytes) => void bytes.writeUInt16BE(28, packet.length - 15)),
    'foreign',
    'type',
  )
  t.equal(
    judged(good, (bytes) => void bytes.write('www', 13)),
    'case-lost',
  )
  t.equal(judged({ truncated: true }), 'truncated')
})

t.test('an answer is judged by what it says', async (t) => {
  const cases: readonly (readonly [string, ReplyText, string])[] = [
    ['an alias', { answer: ['@ 1 CNAME b.test', 'b.test 1 A 192.0.2.1'] }, 'answer'],
    ['aliases in any order', { answer: ['b.test 1 A 192.0.2.1', '@ 1 CNAME b.test'] }, 'answer'],
    ['another name', { answer: ['b.test 1 A 192.0.2.1'] }, 'lame'],
    ['one more name', { answer: ['@ 1 A 192.0.2.1', 'bank.test 1 A 192.0.2.6'] }, 'lame'],
    ['a loop', { answer: ['@ 1 CNAME b.test', 'b.test 1 CNAME www.example.com'] }, 'lame'],
    ['SERVFAIL', { rcode: rcode.SERVFAIL }, 'lame'],
    ['REFUSED', { rcode: rcode.REFUSED }, 'lame'],
    ['a referral', { authority: ['example.com 1 NS ns.example.com'] }, 'lame'],
    ['NODATA', { authority: ['example.com 1 SOA 1'] }, 'answer'],
    ['NODATA without SOA', {}, 'answer'],
    ['NXDOMAIN', { rcode: rcode.NXDOMAIN, authority: ['example.com 1 SOA 1'] }, 'answer'],
  ]
  for (const [what, text, kind] of cases) t.equal(judged(text), kind, what)
  const withoutOpt = reply({ ...asked, hasEdns: false }, { rcode: rcode.FORMERR })
  t.equal(judgeReply(packet, withoutOpt).kind, 'no-edns')
})

t.test('an answer may be cached as long as its TTLs or its SOA say', async (t) => {
  const lifetime = (text: ReplyText): number =>
    lifetimeSeconds(must(readUpstreamMessage(reply(asked, text))))
  t.equal(lifetime({ answer: ['@ 60 A 192.0.2.1', '@ 50 A 192.0.2.2'] }), 50)
  t.equal(lifetime({ answer: ['@ 0 A 192.0.2.1'] }), 0)
  t.equal(lifetime({ answer: ['@ 4294967295 A 192.0.2.1'] }), 86_400)
  t.equal(lifetime({ authority: ['example.com 60 SOA 20'] }), 20)
  t.equal(lifetime({ authority: ['example.com 60 SOA 86400'] }), 60)
  t.equal(lifetime({ authority: ['example.com 86400 SOA 86400'] }), 3600)
  t.equal(lifetime({ rcode: rcode.NXDOMAIN }), 0)
  t.equal(lifetime({ answer: ['@ 9 CNAME b.test'], authority: ['test 60 SOA 60'] }), 9)
})

t.test('whatever octets come, nothing is thrown', async (t) => {
  const valid = reply(asked, { answer: ['@ 1 CNAME b.test', 'b.test 1 A 192.0.2.1'] })
  const change = fc.record({ at: fc.nat(valid.length - 1), to: fc.nat(255) })
  const judges = fc.property(
    fc.array(change, { maxLength: 6 }),
    fc.nat(valid.length),
    (changes, length) => {
      const bytes = Buffer.from(valid.subarray(0, length === 0 ? valid.length : length))
      for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to
      return judgeReply(packet, bytes).kind !== undefined
    },
  )
  t.doesNotThrow(() => fc.assert(judges, { numRuns: 3000 }))
})
