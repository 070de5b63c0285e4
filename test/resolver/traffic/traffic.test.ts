import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { ask } from '../../../src/net/dns-client.ts'
import type { AskOptions } from '../../../src/net/dns-client.ts'
import { FakeUpstream, reply } from '../../helpers/fake-upstream.ts'
import { until } from '../../helpers/until.ts'
import { certificate } from '../../net/encrypted.ts'
import { startRecursion } from '../recursion/rig.ts'

// What a node sees of the queries of its clients, with all its threads and transports.

interface Line {
  readonly transport: string
  readonly client: string
  readonly name: string
  readonly type: string
  readonly rcode: string
  readonly bytes: number
  readonly latencyMs: number
  readonly cached: boolean
}

const ports = { tlsPort: 0, httpsPort: 0, handshakeTimeoutMs: 60_000, onFault: () => {} }

for (const path of ['auto', 'dgram'] as const) {
  t.test(`${path}: the log has a line for each query, however it came`, async (t) => {
    const upstream = await FakeUpstream.start(t, (asked) =>
      reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
    )
    const file = join(t.testdir(), 'queries.log')
    const rotation = { rotateBytes: 0, rotateMs: 0, rotateMaxFiles: 0 }
    const rig = await startRecursion(
      t,
      [upstream.address],
      { timeoutMs: 60_000 },
      {
        path,
        encrypted: { ...ports, certificate },
        queryLog: { path: file, every: 1, ...rotation },
      },
    )
    await rig.register('web', '10.9.0.1')
    const encrypted = rig.dns.encrypted
    const at = (port: number) => ({ address: '127.0.0.1', port })
    const trust = { isUnverified: true }
    const askOver = async (name: string, port: number, how: AskOptions): Promise<string> =>
      (await ask(at(port), name, 'A', { timeoutMs: 60_000, ...how })).rcode
    t.equal(await askOver('web.service.consul', rig.port, {}), 'NOERROR')
    t.equal(await askOver('WEB.service.consul', rig.port, {}), 'NOERROR')
    t.equal(await askOver('none.service.consul', rig.port, { tcp: true }), 'NXDOMAIN')
    const tls = must(encrypted.tls[0]).port
    t.equal(await askOver('web.service.consul', tls, { encrypted: 'tls', trust }), 'NOERROR')
    const https = must(encrypted.https[0]).port
    t.equal(await askOver('www.example.org', https, { encrypted: 'https', trust }), 'NOERROR')
    t.equal(await askOver('udp.example.org', rig.port, {}), 'NOERROR')
    await until('all lines are written', 20_000, () => rig.dns.figures.queryLog?.lines === 6)
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    const all = lines.map(({ transport, name, rcode }) => `${transport} ${name} ${rcode}`)
    t.strictSame(all.toSorted(), [
      'https www.example.org. NOERROR',
      'tcp none.service.consul. NXDOMAIN',
      'tls web.service.consul. NOERROR',
      'udp udp.example.org. NOERROR',
      'udp web.service.consul. NOERROR',
      'udp web.service.consul. NOERROR',
    ])
    for (const line of lines) {
      t.match(line, { client: '127.0.0.1', type: 'A' })
      t.ok(line.bytes > 30 && line.latencyMs >= 0 && line.latencyMs < 60_000)
    }
    const ofWeb = lines.filter(({ transport, name }) => transport === 'udp' && name[0] === 'w')
    t.strictSame(
      ofWeb.map(({ cached }) => cached),
      [false, true],
      'the second answer was in the cache',
    )
  })
}

t.test(
  'what is frequent, what does not exist and who asks is seen while somebody looks',
  async (t) => {
    const upstream = await FakeUpstream.start(t, (asked) =>
      reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
    )
    const rig = await startRecursion(t, [upstream.address], {}, { threads: 2 })
    await rig.register('web', '10.9.0.1')
    await rig.ask('before.service.consul')
    const reading = rig.dns.traffic()
    // The first look opens the windows of all threads, and then waits for a second.
    const opened = await until('the windows are open', 10_000, async () => {
      await rig.ask('web.service.consul')
      await rig.ask('web.service.consul')
      await rig.ask('gone.service.consul')
      await rig.ask('www.example.org')
      return (await Promise.race([reading, Promise.resolve(undefined)])) ?? false
    })
    t.ok(opened.seconds >= 1)
    const { names, missing, clients, perSecond, rcodes, types, transports } = opened
    t.equal(names[0]?.name, 'web.service.consul.')
    t.match(
      names.map(({ name }) => name).toSorted(),
      ['gone.service.consul.', 'web.service.consul.', 'www.example.org.'],
      'outside names too, and none from before',
    )
    t.strictSame(
      missing.map(({ name, rights }) => [name, rights]),
      [['gone.service.consul.', [{ resource: 'service', name: 'gone' }]]],
    )
    t.strictSame(
      clients.map(({ name }) => name),
      ['127.0.0.1'],
    )
    const estimated = must(clients[0]).perSecond
    t.ok(Math.abs(estimated - perSecond) < perSecond / 5, `${estimated} of ${perSecond}`)
    t.ok(must(rcodes['NXDOMAIN']) > 0 && must(types['A']) > 0)
    const [udp] = transports
    t.equal(udp?.transport, 'udp')
    t.ok(must(udp?.p99Ms) >= must(udp?.p50Ms))
  },
)

t.test('the query log begins and ends with the configuration', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) => reply(asked, { answer: [] }))
  const rig = await startRecursion(t, [upstream.address])
  await rig.register('web', '10.9.0.1')
  await rig.ask('web.service.consul')
  t.equal(rig.dns.figures.queryLog, undefined)
  const file = join(t.testdir(), 'queries.log')
  const rotation = { rotateBytes: 0, rotateMs: 0, rotateMaxFiles: 0 }
  rig.dns.useQueryLog({ path: file, every: 1, ...rotation })
  // The thread learns of it after some queries at most.
  await until('lines are written', 10_000, async () => {
    await rig.ask('web.service.consul')
    return must(rig.dns.figures.queryLog).lines > 0
  })
  rig.dns.useQueryLog(undefined)
  t.equal(rig.dns.figures.queryLog, undefined)
})
