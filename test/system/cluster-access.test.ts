import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { checkSameState } from '../helpers/replica-check.ts'
import { TokenClient } from '../helpers/token-client.ts'
import { pause, until } from '../helpers/until.ts'

// Access control on three servers: what one of them has been told counts at the others.

const args = ['-log-level=info', '-acl', '-acl-default-policy=deny']
const writeKeys = 'key_prefix "" { policy = "write" }'
const readKeys = 'key_prefix "" { policy = "read" }'

/** A stream of a server that is open, and what it has sent. */
async function openStream(server: ClusterServer, path: string, { secret }: TokenClient) {
  const response = await fetch(`${server.httpUrl}/v1/${path}`, {
    headers: { 'X-Consul-Token': secret, Accept: 'text/event-stream' },
  })
  const reader = must(response.body).getReader()
  const first = await reader.read()
  const ended = (async (): Promise<void> => {
    for (;;) if ((await reader.read()).done) return
  })()
  return { status: response.status, first: Buffer.from(first.value ?? []).toString(), ended }
}

t.test('access control on three servers', { timeout: 240_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { hasProxies: true, args })
  const [one, two, three] = cluster.servers.map((server) => must(server))
  const [first, second, third] = [must(one), must(two), must(three)]
  const root = await TokenClient.bootstrap(first)
  await root.policy(first, 'keys', writeKeys)

  await t.test('it is bootstrapped once, and again by the file of one server', async (t) => {
    const anonymous = new TokenClient('')
    const refused = await anonymous.ask(second, 'PUT', 'acl/bootstrap')
    t.equal(refused.status, 403)
    const [, index = ''] = /no longer allowed \(reset index: (\d+)\)/.exec(refused.text) ?? []
    t.not(index, '', refused.text)
    const file = join(third.directory, 'acl-bootstrap-reset')
    writeFileSync(file, `${Number(index) + 1}\n`)
    t.match(await anonymous.ask(third, 'PUT', 'acl/bootstrap'), {
      status: 403,
      text: /Invalid bootstrap reset index/,
    })
    writeFileSync(file, `${index}\n`)
    t.equal((await anonymous.ask(second, 'PUT', 'acl/bootstrap')).status, 403, 'not at another')
    const other = await TokenClient.bootstrap(third)
    t.equal(existsSync(file), false, 'the file counts once')
    t.equal((await anonymous.ask(third, 'PUT', 'acl/bootstrap')).status, 403)
    for (const client of [root, other]) {
      t.equal((await client.ask(first, 'GET', 'acl/tokens')).status, 200, 'both tokens work')
    }
  })

  await t.test('a token that one server created works immediately at the others', async (t) => {
    const statuses = new Map<number, number>()
    for (let round = 0; round < 60; round++) {
      const at = cluster.servers[round % 3]
      const others = cluster.servers.filter((server) => server !== at)
      const { client } = await root.token(must(at), ['keys'])
      const answers = await Promise.all(
        others.map((server) => client.ask(server, 'PUT', `kv/round${round}`)),
      )
      for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    t.strictSame([...statuses], [[200, 120]])
  })

  await t.test('a follower that has not heard of a token asks before it refuses', async (t) => {
    const leader = await cluster.leader()
    for (const follower of await cluster.followers()) {
      cluster.cutOneWay(leader, follower)
      const { client } = await root.token(leader, ['keys'])
      const answer = client.ask(follower, 'PUT', 'kv/early')
      const early = await Promise.race([answer, pause(100)])
      cluster.heal()
      t.equal(early, undefined, 'no answer yet')
      t.equal((await answer).status, 200)
    }
  })

  await t.test('a right that was taken away is gone for reads at every server', async (t) => {
    const policy = await root.policy(first, 'changing', readKeys)
    const { client } = await root.token(first, ['changing'])
    const setRules = (Rules: string): Promise<unknown> =>
      root.put(first, `acl/policy/${must(policy['ID'])}`, { Name: 'changing', Rules })
    const statuses = new Set<string>()
    for (let round = 0; round < 30; round++) {
      await setRules(readKeys)
      await until('all servers grant it', 2000, async () => {
        const all = cluster.servers.map((each) => client.ask(each, 'GET', 'kv/round1'))
        return (await Promise.all(all)).every(({ status }) => status === 200)
      })
      await setRules('')
      const all = cluster.servers.map((each) => client.ask(each, 'GET', 'kv/round1'))
      for (const { status } of await Promise.all(all)) statuses.add(`${status}`)
    }
    t.strictSame([...statuses], ['403'])
  })

  await t.test('a stream ends when its token is deleted at another server', async (t) => {
    await root.policy(first, 'all', 'service_prefix "" { policy = "read" }')
    for (const path of ['watch/services', 'watch/key/round1']) {
      const { id, client } = await root.token(first, ['all', 'keys'])
      const stream = await openStream(second, path, client)
      t.match(stream, { status: 200, first: /./ }, path)
      t.match(await root.ask(third, 'DELETE', `acl/token/${id}`), { status: 200 })
      await stream.ended
      t.match(await client.ask(second, 'GET', path), { status: 403, text: /^ACL not found/ })
    }
  })

  await t.test('tokens survive SIGHUP, restarts and kill -9 of the leader', async (t) => {
    const { client } = await root.token(second, ['keys'])
    await second.agent.signal('SIGHUP', 'reloaded definition and zone files')
    t.equal((await client.ask(second, 'PUT', 'kv/hup')).status, 200)
    await second.stop()
    await second.start()
    await cluster.leader()
    t.equal((await client.ask(second, 'PUT', 'kv/restarted')).status, 200)
    const leader = await cluster.leader()
    const { client: last } = await root.token(leader, ['keys'])
    await leader.kill()
    for (const each of [client, last]) {
      for (const server of cluster.others(leader)) {
        const answer = await until('another leader', 20_000, async () => {
          const tried = await each.ask(server, 'PUT', `kv/after-${server.name}`)
          return tried.status < 500 && tried
        })
        t.equal(answer.status, 200, `an acknowledged token works at ${server.name}`)
      }
    }
    t.match(await new TokenClient('').ask(must(cluster.live[0]), 'PUT', 'kv/x'), { status: 403 })
    await leader.start()
    await cluster.leader()
    t.equal((await last.ask(leader, 'PUT', 'kv/back')).status, 200)
  })

  await t.test('a server that is cut off answers stale reads by the tokens it has', async (t) => {
    const { id, client } = await root.token(first, ['keys'])
    await client.put(first, 'kv/cut', 'before')
    const alone = must((await cluster.followers())[0])
    const other = must(cluster.others(alone)[0])
    const get = (path: string, by = client) => by.ask(alone, 'GET', path)
    await until('the key is there', 5000, async () => (await get('kv/cut?stale')).status === 200)
    cluster.isolate(alone)
    t.match(await root.ask(other, 'DELETE', `acl/token/${id}`), { status: 200 })
    const { client: fresh } = await root.token(other, ['keys'])
    t.match(await get('kv/cut?stale'), { status: 200 }, 'the deleted token still counts here')
    t.match(await get('kv/cut?stale', fresh), { status: 403, text: /^ACL not found/ })
    t.match(await get('kv/cut?stale', new TokenClient('')), { status: 403 })
    const needLeader = [get('kv/cut'), client.ask(alone, 'PUT', 'kv/cut')]
    for (const answer of await Promise.all(needLeader)) {
      t.match(answer, { status: 500, text: /No cluster leader/ })
    }
    cluster.heal()
    await cluster.leader()
    await until('the deletion has arrived', 10_000, async () => {
      const { status } = await get('kv/cut?stale')
      return status === 403
    })
    t.match(await get('kv/cut?stale', fresh), { status: 200 })
    await checkSameState(t, cluster.servers)
  })
})
