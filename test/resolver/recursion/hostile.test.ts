import { createSocket } from 'node:dgram'
import t from 'tap'
import { ask } from '../../../src/net/dns-client.ts'
import { FakeUpstream, reply } from '../../helpers/fake-upstream.ts'
import type { Asked, FakeAnswer } from '../../helpers/fake-upstream.ts'
import { startRecursion } from './rig.ts'

const good = { answer: ['@ 60 A 192.0.2.1'] }
const evil = { answer: ['@ 60 A 192.0.2.66'] }

function edited(asked: Asked, edit: (bytes: Buffer) => void): Buffer {
  const bytes = reply(asked, evil)
  edit(bytes)
  return bytes
}

/** What a hostile server sends before its true answer, or in place of it. */
const forgeries: readonly (readonly [string, (asked: Asked) => FakeAnswer])[] = [
  [
    'another id',
    (asked) => edited(asked, (bytes) => void bytes.writeUInt16BE(bytes.readUInt16BE() ^ 1)),
  ],
  ['another name', (asked) => edited(asked, (bytes) => void bytes.write('q', 13))],
  [
    'another type',
    (asked) => edited(asked, (bytes) => void bytes.writeUInt8(28, asked.name.length + 14)),
  ],
  ['a query', (asked) => asked.packet],
  ['an empty packet', () => Buffer.alloc(0)],
  [
    'a header',
    ({ packet }) =>
      Buffer.concat([packet.subarray(0, 2), Buffer.from([0x81, 0x80]), Buffer.alloc(8)]),
  ],
  ['half a packet', (asked) => reply(asked, evil).subarray(0, 40)],
  [
    'a record too many in the count',
    (asked) => edited(asked, (bytes) => void bytes.writeUInt16BE(9, 6)),
  ],
  ['noise', ({ packet }) => Buffer.concat([packet.subarray(0, 2), Buffer.alloc(500, 0xff)])],
  ['64 kB', (asked) => Buffer.concat([reply(asked, evil), Buffer.alloc(60_000)])],
]

t.test('a forged packet before the answer is not taken for it', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) => {
    const forge = forgeries[Number(/^a(\d+)/i.exec(asked.name)?.[1])]?.[1]
    const forged = forge?.(asked)
    return [...(Buffer.isBuffer(forged) ? [forged] : []), reply(asked, good)]
  })
  const { ask: query } = await startRecursion(t, [upstream.address])
  for (const [n, [what]] of forgeries.entries()) {
    t.match((await query(`a${n}.test`)).answer, [{ data: '192.0.2.1' }], what)
  }
})

t.test('a server that sends nothing else is given up, and the next one asked', async (t) => {
  const hostile = await FakeUpstream.start(t, (asked) =>
    forgeries[Number(/\d+/.exec(asked.name)?.[0])]?.[1](asked),
  )
  const honest = await FakeUpstream.start(t, (asked) => reply(asked, good))
  const { ask: query } = await startRecursion(t, [hostile.address, honest.address], {
    timeoutMs: 500,
  })
  for (const [n, [what]] of forgeries.entries()) {
    t.match((await query(`a${n}.test`)).answer, [{ data: '192.0.2.1' }], what)
  }
})

t.test(
  'answers that lie about other names, loop or refer elsewhere are not passed on',
  async (t) => {
    const lies: readonly Parameters<typeof reply>[1][] = [
      { answer: ['@ 60 A 192.0.2.1', 'bank.test 60 A 192.0.2.66'] },
      { answer: ['bank.test 60 A 192.0.2.66'] },
      { answer: ['@ 60 CNAME b.test', 'b.test 60 CNAME @'.replace('@', 'a2.test')] },
      { authority: ['test 60 NS ns.test'] },
      { rcode: 5 },
    ]
    const upstream = await FakeUpstream.start(t, (asked) =>
      reply(asked, lies[Number(/\d+/.exec(asked.name)?.[0])]),
    )
    const { ask: query } = await startRecursion(t, [upstream.address])
    for (const [n, text] of lies.entries()) {
      const answer = await query(`a${n}.test`)
      t.equal(answer.rcode, 'SERVFAIL', JSON.stringify(text))
      t.strictSame(answer.answer, [])
    }
  },
)

t.test('a packet from another address or port is not taken', async (t) => {
  const stranger = createSocket('udp4')
  t.teardown(() => stranger.close())
  const upstream = await FakeUpstream.start(t, async (asked) => {
    await new Promise<void>((resolve) => {
      stranger.send(reply(asked, evil), asked.port, '127.0.0.1', () => resolve())
    })
    return reply(asked, good)
  })
  const { ask: query } = await startRecursion(t, [upstream.address])
  t.match((await query('a.test')).answer, [{ data: '192.0.2.1' }])
})

t.test('ids and ports are not the same twice', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) => reply(asked, good))
  const { ask: query } = await startRecursion(t, [upstream.address])
  await Promise.all(Array.from({ length: 200 }, (_, n) => query(`a${n}.test`)))
  const ids = new Set(upstream.asked.map(({ packet }) => packet.readUInt16BE()))
  const ports = new Set(upstream.asked.map(({ port }) => port))
  t.ok(ids.size > 190, `${ids.size} ids`)
  t.ok(ports.size > 16, `${ports.size} ports`)
  t.ok(
    upstream.asked.some(({ name }) => /[A-Z]/.test(name)),
    'letters in both cases',
  )
})

t.test(
  'a server that answers in lower case is asked over TCP, and then without capitals',
  async (t) => {
    const lowered = (asked: Asked): Buffer => {
      const packet = Buffer.from(
        asked.packet.toString('latin1').replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()),
        'latin1',
      )
      return reply(
        {
          ...asked,
          packet: Buffer.concat([asked.packet.subarray(0, 12), packet.subarray(12)]),
          name: asked.name.toLowerCase(),
        },
        good,
      )
    }
    const upstream = await FakeUpstream.start(t, lowered)
    const { ask: query } = await startRecursion(t, [upstream.address])
    for (const name of [
      'aaaaaaaaaaaaaaaa.test',
      'bbbbbbbbbbbbbbbb.test',
      'cccccccccccccccc.test',
    ]) {
      t.match((await query(name)).answer, [{ data: '192.0.2.1' }])
    }
    t.strictSame(
      upstream.asked.map(({ transport }) => transport),
      ['udp', 'stream', 'udp', 'udp'],
    )
  },
)

t.test('a server without EDNS is asked without it', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) => {
    return asked.hasEdns ? reply({ ...asked, hasEdns: false }, { rcode: 1 }) : reply(asked, good)
  })
  const { ask: query } = await startRecursion(t, [upstream.address])
  for (const name of ['a.test', 'b.test']) {
    t.match((await query(name)).answer, [{ data: '192.0.2.1' }])
  }
  t.equal(upstream.asked.length, 3)
})

t.test('64 kB over TCP reach a client of TCP octet by octet', async (t) => {
  const text = 'x'.repeat(255)
  const upstream = await FakeUpstream.start(t, (asked) => {
    if (asked.transport === 'udp') return reply(asked, { truncated: true })
    return reply(asked, { answer: Array.from({ length: 240 }, () => `@ 60 TXT ${text}`) })
  })
  const { ask: query, port } = await startRecursion(t, [upstream.address])
  const whole = await ask({ address: '127.0.0.1', port }, 'a.test', 'TXT', { tcp: true })
  t.equal(whole.answer.length, 240)
  t.ok(whole.bytes > 64_000)
  const cut = await query('a.test', 'TXT', { edns: 1232 })
  t.ok(cut.flags.includes('tc') && cut.bytes <= 1232)
})

t.test('a flood of packets to its ports does not stop it', async (t) => {
  const flood = createSocket('udp4')
  t.teardown(() => flood.close())
  const upstream = await FakeUpstream.start(t, async (asked) => {
    const forged = edited(asked, (bytes) => void bytes.writeUInt16BE(bytes.readUInt16BE() ^ 0x5555))
    return [...Array.from({ length: 200 }, () => forged), reply(asked, good)]
  })
  const { ask: query } = await startRecursion(t, [upstream.address], { timeoutMs: 5000 })
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => query(`a${n}.test`)))
  t.ok(answers.every(({ answer }) => answer[0]?.data === '192.0.2.1'))
})
