import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { rcode } from '../../src/dns/record.ts'
import { Lookup } from '../../src/recursor/lookup.ts'
import type { Resume } from '../../src/recursor/lookup.ts'
import { readUpstreamMessage } from '../../src/recursor/upstream-message.ts'
import type { UpstreamMessage } from '../../src/recursor/upstream-message.ts'
import { Upstreams, newUpstreamStates } from '../../src/recursor/upstreams.ts'
import type { Strategy } from '../../src/recursor/upstreams.ts'
import { buildQuery } from '../dns/fixture.ts'
import { reply } from '../helpers/fake-upstream.ts'
import type { ReplyText } from '../helpers/fake-upstream.ts'

const packet = buildQuery('a.test', 'A', { edns: 1232 })

function message(text: ReplyText): UpstreamMessage {
  const asked = { packet, name: 'a.test.', type: 'A', transport: 'udp', port: 1, hasEdns: true }
  return must(readUpstreamMessage(reply({ ...asked, transport: 'udp' }, text)))
}

const good = message({ answer: ['@ 60 A 192.0.2.1'] })
const bogus = message({ rcode: rcode.SERVFAIL, extendedErrors: [6] })

type Event = 'timeout' | 'network' | 'truncated' | 'no-edns' | 'foreign' | 'lame' | 'case' | 'good'

function upstreamsOf(servers: number, strategy: Strategy = 'sequential'): Upstreams {
  return new Upstreams(newUpstreamStates(servers), strategy)
}

/** The steps of a question among `servers`, as short texts, when `events` come one after the other. */
function steps(
  servers: number,
  events: readonly Event[],
  upstreams = upstreamsOf(servers),
  tls: readonly number[] = [],
  resume?: Resume,
): string {
  const isTls = (server: number): boolean => tls.includes(server)
  const lookup = new Lookup({ upstreams, isTls, random: () => 0, resume }, 0)
  const found = [lookup.start(0)]
  for (const event of events) {
    if (event === 'timeout' || event === 'network') found.push(lookup.onFailure(event, 0))
    else if (event === 'lame') found.push(lookup.onReply({ kind: 'lame', message: bogus }, 0))
    else if (event === 'good') found.push(lookup.onReply({ kind: 'answer', message: good }, 0))
    else if (event === 'case') found.push(lookup.onReply({ kind: 'case-lost', message: good }, 0))
    else found.push(lookup.onReply({ kind: event }, 0))
  }
  return found
    .map((step) => {
      if (step.kind === 'failed') return `EDE ${step.extendedError}`
      if (step.kind !== 'ask') return step.kind
      const { server, transport, edns, mixesCase } = step
      return `${transport}${server}${edns ? '' : ' plain'}${mixesCase ? '' : ' lower'}`
    })
    .join(', ')
}

t.test('each event leads to the next step', async (t) => {
  const cases: readonly (readonly [number, readonly Event[], string])[] = [
    [1, ['good'], 'udp0, done'],
    [1, ['foreign', 'good'], 'udp0, wait, done'],
    [1, ['truncated', 'good'], 'udp0, stream0, done'],
    [2, ['truncated', 'truncated', 'good'], 'udp0, stream0, udp1, done'],
    [1, ['no-edns', 'good'], 'udp0, udp0 plain, done'],
    [1, ['no-edns', 'no-edns'], 'udp0, udp0 plain, EDE 22'],
    [2, ['timeout', 'network', 'timeout', 'timeout'], 'udp0, udp1, udp0, udp1, EDE 22'],
    [1, ['network', 'network'], 'udp0, udp0, EDE 23'],
    [2, ['lame', 'timeout', 'good'], 'udp0, udp1, udp1, done'],
    [2, ['lame', 'lame'], 'udp0, udp1, EDE 6'],
    [1, ['case', 'case'], 'udp0, stream0, done'],
    [1, ['case', 'network', 'case'], 'udp0, stream0, udp0 lower, done'],
  ]
  for (const [servers, events, expected] of cases) {
    t.equal(steps(servers, events), expected, events.join(' '))
  }
  for (const [servers, resume, events, expected] of [
    [2, { server: 1, isCaseLost: false }, ['good'], 'stream1, done'],
    [2, { server: 1, isCaseLost: false }, ['timeout', 'good'], 'stream1, udp0, done'],
    [1, { server: 0, isCaseLost: true }, ['network', 'case'], 'stream0, udp0 lower, done'],
  ] as const) {
    t.equal(steps(servers, events, upstreamsOf(servers), [], resume), expected, 'resumed')
  }
  t.equal(steps(1, ['timeout', 'good'], upstreamsOf(1), [0]), 'stream0 lower, stream0 lower, done')
})

t.test('what was seen of a server counts for the next question', async (t) => {
  const upstreams = upstreamsOf(2)
  steps(2, ['no-edns', 'good'], upstreams)
  t.equal(steps(2, ['good'], upstreams), 'udp0 plain, done')
  t.ok(upstreams.takesEdns(0, 600_000), 'for ten minutes')
  steps(2, ['timeout', 'good'], upstreams)
  t.equal(steps(2, ['timeout', 'good'], upstreams), 'udp0 plain, udp1, done')
  t.equal(steps(2, ['good'], upstreams), 'udp1, done', 'two failures in a row')
  t.strictSame(
    upstreams.order(1000, () => 0),
    [0, 1],
    'for a second',
  )
  upstreams.noteFailure(0, 1000)
  t.strictSame(
    [upstreams.isDown(0, 2999), upstreams.isDown(0, 3000)],
    [true, false],
    'then for two',
  )
})

t.test('random asks each server first as often as the others', async (t) => {
  const upstreams = upstreamsOf(3, 'random')
  const firsts = [0, 0, 0]
  let last = 1
  const random = (): number => (last = (last * 48_271) % 2_147_483_647) / 2_147_483_647
  for (let n = 0; n < 3000; n++) {
    const order = upstreams.order(0, random)
    t.equal(new Set(order).size, 3)
    const first = must(order[0])
    firsts[first] = must(firsts[first]) + 1
  }
  t.ok(
    firsts.every((count) => count > 900 && count < 1100),
    firsts.join(' '),
  )
})
