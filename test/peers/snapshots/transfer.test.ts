import t from 'tap'
import { emptyConfig } from '../../../src/raft/config.ts'
import { heartbeat, join, proxy, rig } from '../rig.ts'
import type { Message } from '../../../src/raft/message.ts'

function snapshotRequest(index: number): Message {
  const snapshot = { index, term: 1, confIndex: 1, config: { ...emptyConfig, voters: ['a', 'b'] } }
  return { type: 'snapshot-request', from: 'a', to: 'b', term: 3, snapshot }
}

const file = Buffer.alloc(5_000_000, 'the state of the catalog, in five million bytes; ')

t.test('a snapshot of 5 MB arrives whole before the core hears of it', async (t) => {
  const a = await rig(t, 'a')
  const b = await rig(t, 'b')
  await join(a, b)
  a.file = file
  b.onChunk = () => t.equal(b.messages.length, 0)
  a.transport.send([snapshotRequest(9)])
  await a.event('snapshot sent b true')
  t.ok(b.received[0]?.equals(file))
  t.strictSame(b.messages, [snapshotRequest(9)])
  t.strictSame(b.events, ['receive a 9 5000000', 'finished'])
  t.strictSame(a.events, ['open 9', 'source closed', 'snapshot sent b true'])
  a.file = Buffer.alloc(0)
  a.transport.send([snapshotRequest(10)])
  await b.until('an empty one', () => b.messages.length === 2)
})

t.test('a stream that breaks or is damaged begins again', async (t) => {
  const a = await rig(t, 'a', { limits: { snapshotAttempts: 3 } })
  const b = await rig(t, 'b')
  let passed = 0
  const faults: ('break' | 'damage')[] = ['break', 'damage']
  const address = await proxy(
    t,
    () => b.address,
    (chunk, direction, socket) => {
      if (direction === 'out') return chunk
      passed += chunk.length
      if (passed < 2_000_000) return chunk
      const fault = faults.shift()
      if (fault === undefined) return chunk
      passed = 0
      if (fault === 'break') socket.destroy()
      const damaged = Buffer.from(chunk)
      damaged.writeUInt8(damaged.readUInt8(chunk.length >> 1) ^ 16, chunk.length >> 1)
      return damaged
    },
  )
  a.transport.setPeers(new Map([['b', address]]))
  await a.connected('b')
  a.file = file
  a.transport.send([snapshotRequest(9)])
  await a.event('snapshot sent b true')
  t.ok(b.received[0]?.equals(file))
  t.equal(b.received.length, 1)
  t.equal(a.events.filter((event) => event === 'open 9').length, 3)
  t.equal(a.events.filter((event) => event === 'source closed').length, 3)
  t.equal(b.events.filter((event) => event === 'aborted').length, 2)
  await a.said(/the receiver reports: a damaged chunk/)
})

t.test('a snapshot that is not what was announced is given up, and said to be', async (t) => {
  let laterMs = 0
  const clock = { monotonicMs: () => performance.now() + laterMs, wallMs: () => Date.now() }
  const a = await rig(t, 'a', { limits: { snapshotAttempts: 4 }, clock })
  const b = await rig(t, 'b', { clock })
  await join(a, b)
  a.file = file
  a.announced = '00'.repeat(32)
  a.transport.send([snapshotRequest(9)])
  await a.event('snapshot sent b false')
  await b.said(/cannot receive a snapshot from name-a .*: the snapshot is damaged: its SHA-256/)
  t.strictSame([b.messages, b.received], [[], []])
  t.equal(b.events.filter((event) => event === 'aborted').length, 2, 'what it says twice is final')
  a.events.length = 0
  laterMs += 120_000
  a.transport.send([snapshotRequest(9)])
  await a.event('snapshot sent b false')
  const said = [...a.lines, ...b.lines].filter((line) => /snapshot/.test(line))
  t.equal(said.length, 2, 'each side has said it once')
  // A newer one takes the place of one under way, and only it is reported.
  a.announced = undefined
  a.events.length = 0
  a.transport.send([snapshotRequest(10), snapshotRequest(11)])
  await a.event('snapshot sent b true')
  t.strictSame(b.messages, [snapshotRequest(11)])
  await b.transport.close()
  a.transport.send([snapshotRequest(12)])
  await a.event('snapshot sent b false')
  t.equal(a.events.filter((event) => event.startsWith('snapshot sent')).length, 2)
})

t.test(
  'a transport that closes lets go of everything, a snapshot under way included',
  async (t) => {
    const a = await rig(t, 'a')
    const b = await rig(t, 'b')
    await join(a, b)
    a.file = file
    const stalled = new Promise<void>((resolve) => {
      b.onChunk = () => resolve()
    })
    a.transport.send([snapshotRequest(9)])
    await stalled
    await Promise.all([a.transport.close(), b.transport.close()])
    t.ok(a.events.includes('source closed'))
    t.ok(b.events.includes('aborted') || b.events.includes('finished'))
    t.notOk(
      a.events.some((event) => event.startsWith('snapshot sent')),
      'no report of it',
    )
    await t.rejects(a.transport.request({ id: 'b' }, 'x', Buffer.alloc(0), 50), {
      code: 'peer-unreachable',
    })
    a.transport.send([heartbeat('a', 'b')])
  },
)
