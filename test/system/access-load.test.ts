import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { httpLoad } from '../bench/http-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { residentMb } from '../helpers/server-figures.ts'
import { TokenClient } from '../helpers/token-client.ts'
import { pause } from '../helpers/until.ts'

// What a client may do to access control must cost neither memory without bound nor the answers of others.

const policies = 10_000
const floodSeconds = 5
/** On a slow machine the limit of an address is reached later. */
const floodSecondsMax = 60
/** Requests that a connection sends together. */
const burst = 20
const skip = process.platform !== 'linux' && 'needs 127.0.0.0/8 and /proc, as on Linux'

/** Milliseconds that something takes. */
async function timed<T>(work: () => Promise<T>): Promise<readonly [number, T]> {
  const startMs = performance.now()
  const found = await work()
  return [performance.now() - startMs, found]
}

/** Requests over many connections from two other addresses, each with another wrong token. */
class Flood {
  sent = 0
  /** Statuses of the answers. */
  readonly statuses = new Map<string, number>()
  /** Requests of each connection that have no answer yet. */
  readonly #waiting = new Map<Socket, number>()

  static async start(server: ClusterServer, connections: number): Promise<Flood> {
    const flood = new Flood()
    for (let at = 0; at < connections; at++) {
      const localAddress = `127.0.9.${1 + (at % 2)}`
      const socket = connect({ host: '127.0.0.1', port: server.httpPort, localAddress })
      socket.on('error', () => {})
      await once(socket, 'connect')
      socket.on('data', (chunk: Buffer) => flood.#took(socket, chunk))
      flood.#send(socket)
    }
    return flood
  }

  get answered(): number {
    return [...this.statuses.values()].reduce((sum, count) => sum + count, 0)
  }

  stop(): void {
    for (const socket of this.#waiting.keys()) socket.destroy()
  }

  /** Several together, so that the connection is never idle. */
  #send(socket: Socket): void {
    let text = ''
    for (let count = 0; count < burst; count++) {
      const secret = `${String(this.sent++).padStart(8, '0')}-0000-4000-8000-000000000000`
      text += `GET /v1/kv/a?stale HTTP/1.1\r\nHost: localhost\r\nX-Consul-Token: ${secret}\r\n\r\n`
    }
    this.#waiting.set(socket, burst)
    if (!socket.destroyed) socket.write(text)
  }

  #took(socket: Socket, chunk: Buffer): void {
    const found = [...chunk.toString('latin1').matchAll(/HTTP\/1\.1 (\d+)/g)]
    for (const [, status = ''] of found) {
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    }
    const left = (this.#waiting.get(socket) ?? 0) - found.length
    this.#waiting.set(socket, left)
    if (left <= 0) this.#send(socket)
  }
}

t.test('access control under load', { skip, timeout: 300_000 }, async (t) => {
  const args = ['-log-level=info', '-acl', '-acl-default-policy=deny']
  const cluster = await ThreeServers.start(t, { args })
  const leader = await cluster.leader()
  const follower = must((await cluster.followers())[0])
  const root = await TokenClient.bootstrap(leader)
  await root.policy(leader, 'keys', 'key_prefix "" { policy = "write" }')
  const { client } = await root.token(leader, ['keys'])
  await client.put(leader, 'kv/a', 'x')

  await t.test('a policy of 1 MB is refused, whatever is in it, and costs no memory', async (t) => {
    const size = 1_000_000
    const texts = [
      '#'.repeat(size),
      '['.repeat(size),
      '{"key":'.repeat(size / 7),
      'key "a" { '.repeat(size / 10),
      'operator = "read"\n'.repeat(size / 18),
      '\\"'.repeat(size / 2),
    ]
    const before = residentMb(leader.pid)
    for (const Rules of [...texts, 'x'.repeat(3 * size)]) {
      const body = { Name: 'large', Rules }
      const [ms, { status, text }] = await timed(() => root.ask(leader, 'PUT', 'acl/policy', body))
      t.ok([400, 413].includes(status), `${status} in ${ms.toFixed(0)} ms: ${text.slice(0, 100)}`)
      t.ok(text.length < 1000, 'the answer does not repeat it')
    }
    const grownMb = residentMb(leader.pid) - before
    t.ok(grownMb < 60, `${grownMb.toFixed(0)} MB more`)
    t.equal((await client.ask(leader, 'GET', 'kv/a')).status, 200)
  })

  await t.test(`${policies} policies are listed and resolved in bounded time`, async (t) => {
    const before = cluster.servers.map(({ pid }) => residentMb(pid))
    const { ok, failed } = await httpLoad({
      port: leader.httpPort,
      connections: 32,
      seconds: 120,
      total: policies,
      request: (n) => ({
        method: 'PUT',
        path: `/v1/acl/policy?token=${root.secret}`,
        body: JSON.stringify({
          Name: `p${n}`,
          Rules: `key_prefix "app-${n}/" { policy = "write" }\nservice "app-${n}" { policy = "read" }`,
        }),
      }),
    })
    t.strictSame({ ok, failed }, { ok: policies, failed: 0 })
    for (const server of [leader, follower]) {
      const [ms, { text }] = await timed(() => root.ask(server, 'GET', 'acl/policies'))
      const rows = JSON.parse(text) as { ID: string; Name: string }[]
      t.equal(rows.length, policies + 2, `${server.name} lists them in ${ms.toFixed(0)} ms`)
      t.ok(ms < 5000)
    }
    const Policies = Array.from({ length: policies }, (_, n) => ({ Name: `p${n}` }))
    const [createMs, made] = await timed(() => root.ask(leader, 'PUT', 'acl/token', { Policies }))
    t.comment(`a token with all of them: ${made.status} in ${createMs.toFixed(0)} ms`)
    if (made.status === 200) {
      const all = new TokenClient((JSON.parse(made.text) as { SecretID: string }).SecretID)
      for (const round of ['first', 'second', 'after a change']) {
        if (round === 'after a change') await root.policy(leader, 'one-more', '')
        const [ms, { status }] = await timed(() => all.ask(leader, 'PUT', 'kv/app-9999/x', 1))
        t.equal(status, 200)
        t.ok(ms < 3000, `${round} request: ${ms.toFixed(0)} ms`)
        t.equal((await all.ask(leader, 'PUT', 'kv/other', 1)).status, 403)
      }
    } else t.match(made, { status: 400 })
    const [ms] = await timed(() => client.ask(leader, 'PUT', 'kv/a', 'x'))
    t.ok(ms < 1000, `another token: ${ms.toFixed(0)} ms`)
    const grown = cluster.servers.map(({ pid }, at) => residentMb(pid) - must(before[at]))
    t.ok(Math.max(...grown) < 150, `${grown.map((mb) => mb.toFixed(0)).join(', ')} MB more`)
  })

  await t.test(
    'wrong tokens cost neither memory, log lines nor the answers of others',
    async (t) => {
      const linesOf = (server: ClusterServer): number => server.output().split('\n').length
      const lines = cluster.servers.map(linesOf)
      const flood = await Flood.start(follower, 200)
      await pause(1000)
      const before = residentMb(follower.pid)
      const waits: number[] = []
      const beganMs = performance.now()
      const secondsSoFar = (): number => (performance.now() - beganMs) / 1000
      const isLimited = (): boolean => (flood.statuses.get('429') ?? 0) > 0 && flood.answered > 2000
      while (secondsSoFar() < floodSeconds || (!isLimited() && secondsSoFar() < floodSecondsMax)) {
        const [readMs, { status }] = await timed(() => client.ask(follower, 'GET', 'kv/a?stale'))
        t.equal(status, 200)
        const [writeMs, write] = await timed(() => client.ask(follower, 'PUT', 'kv/b', 'x'))
        t.equal(write.status, 200)
        const { client: fresh } = await root.token(leader, ['keys'])
        const [freshMs, first] = await timed(() => fresh.ask(follower, 'GET', 'kv/a?stale'))
        t.equal(first.status, 200, 'a token that was just created is known')
        waits.push(readMs, writeMs, freshMs)
        t.ok((await follower.ask('n1.node.consul')).rcode, 'DNS answers')
        await pause(50)
      }
      const grownMb = residentMb(follower.pid) - before
      const { answered } = flood
      flood.stop()
      t.comment(
        `${(answered / (secondsSoFar() + 1)).toFixed(0)} wrong tokens/s: ${JSON.stringify([...flood.statuses])}; ` +
          `others waited ${Math.max(...waits).toFixed(0)} ms at most`,
      )
      // More than the two addresses may ask in this time (500 together, then 50 per second each).
      t.ok(answered > 2000, `${answered} answers`)
      t.ok([...flood.statuses.keys()].every((status) => status === '403' || status === '429'))
      t.ok((flood.statuses.get('429') ?? 0) > 0, 'each address is limited')
      t.ok(Math.max(...waits) < 5000)
      t.ok(grownMb < 60, `${grownMb.toFixed(0)} MB more`)
      const more = cluster.servers.map((server, at) => linesOf(server) - must(lines[at]))
      t.ok(Math.max(...more) < 50, `${more.join(', ')} more log lines`)
      t.equal(await cluster.leader(), leader, 'the leader stays')
    },
  )
})
