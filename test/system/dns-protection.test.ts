import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { ask } from '../../src/net/dns-client.ts'
import { buildQuery } from '../dns/fixture.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { cookieOf, withCookie } from '../helpers/dns-cookies.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { FakeUpstream, reply } from '../helpers/fake-upstream.ts'
import { Sqlite } from '../helpers/sqlite.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

const perSecond = 50

async function agentWith(t: Test, ...args: readonly string[]): Promise<AgentProcess> {
  const agent = await AgentProcess.start({ args: ['-dev', ...args] })
  t.teardown(() => agent.stop())
  const address = '10.9.0.'
  for (const n of [1, 2, 3]) {
    const body = JSON.stringify({
      ID: `web-${n}`,
      Name: 'web',
      Address: `${address}${n}`,
      Port: 80,
    })
    await fetch(`${agent.httpUrl}/v1/agent/service/register`, { method: 'PUT', body })
  }
  return agent
}

interface Received {
  readonly complete: number
  readonly short: number
  readonly bytes: number
}

/** A host whose packets have this source address, and what has come back to it. */
class Host {
  readonly #socket: Socket
  received: Received = { complete: 0, short: 0, bytes: 0 }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (answer: Buffer) => {
      const { complete, short, bytes } = this.received
      const isComplete = answer.readUInt16BE(6) > 0
      this.received = {
        complete: complete + (isComplete ? 1 : 0),
        short: short + (isComplete ? 0 : 1),
        bytes: bytes + answer.length,
      }
    })
  }

  static async at(t: Test, address: string): Promise<Host> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
    t.teardown(() => socket.close())
    socket.bind(0, address)
    await once(socket, 'listening')
    return new Host(socket)
  }

  async send(packet: Uint8Array, port: number, count: number): Promise<void> {
    for (let n = 0; n < count; n += 20) {
      const burst = Array.from(
        { length: Math.min(20, count - n) },
        () => new Promise((resolve) => this.#socket.send(packet, port, '127.0.0.1', resolve)),
      )
      await Promise.all(burst)
    }
  }

  get count(): number {
    return this.received.complete + this.received.short
  }
}

for (const path of ['mmsg', 'dgram']) {
  t.test(`${path}: an attack by way of one network is held to the limit`, async (t) => {
    const agent = await agentWith(
      t,
      `-dns-udp=${path}`,
      `-dns-rate-limit=${perSecond}`,
      // Of the addresses that a test can have, those of other networks count as strangers.
      '-dns-rate-limit-exempt=127.0.0.0/24',
    )
    const { dnsPort: port } = agent
    const query = buildQuery('web.service.consul', 'A', { edns: 4096 })
    const victims = await Promise.all([1, 2, 3, 4].map((n) => Host.at(t, `127.66.6.${n}`)))
    const [stranger, own] = await Promise.all(['127.77.7.7', '127.0.0.1'].map((a) => Host.at(t, a)))
    const beganMs = performance.now()
    const attacks = victims.map((victim) => victim.send(query, port, 1500))
    const honest = [must(stranger).send(query, port, perSecond), must(own).send(query, port, 500)]
    await Promise.all([...attacks, ...honest])
    const all = [...victims, must(stranger), must(own)]
    const sent = 6000 + perSecond + 500
    await until('an answer to each query', 30_000, () => {
      return all.reduce((sum, { count }) => sum + count, 0) === sent
    })
    const seconds = (performance.now() - beganMs) / 1000
    t.equal(must(stranger).received.complete, perSecond, 'another network sees no loss')
    t.equal(must(own).received.complete, 500, 'nor does this machine')
    const complete = victims.reduce((sum, { received }) => sum + received.complete, 0)
    t.ok(complete >= perSecond, 'a network may have the answers of a second at once')
    t.ok(complete <= perSecond * (1 + seconds), `${complete} answers in ${seconds} s`)
    const bytes = victims.reduce((sum, { received }) => sum + received.bytes, 0)
    const answerBytes = query.length + 3 * 16
    t.ok(bytes <= 6000 * query.length + perSecond * (1 + seconds) * answerBytes)
    const metrics = await (
      await fetch(`${agent.httpUrl}/v1/agent/metrics?format=prometheus`)
    ).text()
    t.match(metrics, /svcd_dns_rate_limited_total\{transport="udp",thread="dns-0"\} [1-9]\d{3}/)
  })
}

t.test('a client over the limit comes back over TCP, or with a cookie', async (t) => {
  const agent = await agentWith(t, '-dns-rate-limit=1', '-dns-rate-limit-exempt=')
  const server = { address: '127.0.0.1', port: agent.dnsPort }
  for (let n = 0; n < 5; n++) {
    const reply = await ask(server, 'web.service.consul', 'A')
    t.equal(reply.answer.length, 3, 'the client has asked again over TCP')
  }
  await t.test('as dig does', { skip: missing('dig') }, async (t) => {
    const words = ['@127.0.0.1', '-p', `${agent.dnsPort}`, 'web.service.consul']
    for (let n = 0; n < 5; n++) {
      const { stdout } = await promisify(execFile)('dig', [...words, '+cookie'])
      t.match(stdout, /; COOKIE: [0-9a-f]{48} \(good\)/)
      t.match(stdout, 'ANSWER: 3')
    }
  })
})

/** The answer to one packet over UDP. */
async function answerTo(t: Test, packet: Uint8Array, port: number): Promise<Buffer> {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  const answered = once(socket, 'message') as Promise<[Buffer]>
  socket.send(packet, port, '127.0.0.1')
  return (await answered)[0]
}

t.test('answers for names outside svcd have cookies, whichever thread gives them', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
  )
  const agent = await agentWith(t, `-recursor=${upstream.address}`)
  const query = withCookie(buildQuery('example.com', 'A', { edns: 1232 }), '0102030405060708')
  await until('a secret', 30_000, async () => {
    const own = withCookie(buildQuery('consul', 'SOA', { edns: 1232 }), '0102030405060708')
    return cookieOf(await answerTo(t, own, agent.dnsPort))
  })
  for (const from of ['the recursor thread', 'the cache']) {
    const answer = await answerTo(t, query, agent.dnsPort)
    t.equal(answer.readUInt16BE(6), 1)
    t.ok(cookieOf(answer)?.startsWith('0102030405060708'), from)
  }
  t.equal(upstream.asked.length, 1)
})

t.test('all servers share the secret of cookies, also after a restart', async (t) => {
  const cluster = await ThreeServers.start(t)
  const query = buildQuery('consul', 'SOA', { edns: 1232 })
  const [first, ...others] = cluster.servers
  const cookie = await until('a server cookie', 30_000, async () => {
    const asked = withCookie(query, '0102030405060708')
    return cookieOf(await answerTo(t, asked, must(first).dnsPort))
  })
  await must(others[0]).stop()
  await must(others[0]).start()
  for (const server of others) {
    await until(`${server.name} accepts the cookie`, 30_000, async () => {
      // A valid cookie that is fresh comes back as it is.
      return cookieOf(await answerTo(t, withCookie(query, cookie), server.dnsPort)) === cookie
    })
  }
  const wrong = `${cookie.slice(0, -1)}${cookie.endsWith('0') ? '1' : '0'}`
  const answer = await answerTo(t, withCookie(query, wrong), must(first).dnsPort)
  t.not(cookieOf(answer), wrong)
  const db = new Sqlite(join(must(first).directory, 'state.db'), { readonly: true })
  t.match(db.prepare('SELECT secret FROM dns_cookie').get(), { secret: /^[0-9a-f]{32}$/ })
  db.close()
})
