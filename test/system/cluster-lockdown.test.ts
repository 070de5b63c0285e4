import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { instance } from '../helpers/cluster-load.ts'
import { greeting, rawPeer } from '../helpers/raw-peer.ts'
import { encodeHello } from '../../src/peers/hello.ts'
import { checkSameState } from '../helpers/replica-check.ts'
import { SteadyLookups, SteadyWrites } from '../helpers/steady-load.ts'
import { pause, until } from '../helpers/until.ts'

// A cluster in which everybody may do everything, and whose servers speak without TLS, becomes one with TLS and with
// access control that denies, as docs/tls.md and docs/lock-down.md describe, while its clients continue.

/** Seconds under load after each of the two changes, with the full rates. Undefined: a short run with low rates. */
const seconds = process.env['SVCD_LOCKDOWN_SECONDS']
const rates =
  seconds === undefined
    ? { lookups: 100, writes: 10, afterMs: 500 }
    : { lookups: 500, writes: 50, afterMs: Number(seconds) * 1000 }

const ca = authority()

/** The options of the configuration files that change during the test. */
interface Options {
  readonly peerTls?: 'permissive' | 'strict'
  readonly acl?: { readonly default_policy: 'allow' | 'deny'; readonly dns?: string }
}

function fileOf({ directory }: ThreeServers, { name }: ClusterServer): string {
  return join(directory, `${name}.json`)
}

function configure(cluster: ThreeServers, server: ClusterServer, options: Options): void {
  const { directory } = cluster
  const paths = {
    cert_file: join(directory, `${server.name}.pem`),
    key_file: join(directory, `${server.name}-key.pem`),
    ca_file: join(directory, 'ca.pem'),
  }
  const { peerTls: mode, acl } = options
  const text = {
    ...(mode === undefined ? {} : { peer_tls: { ...paths, mode } }),
    ...(acl === undefined
      ? {}
      : {
          acl: {
            enabled: true,
            default_policy: acl.default_policy,
            tokens: acl.dns === undefined ? {} : { dns: acl.dns },
          },
        }),
  }
  writeFileSync(fileOf(cluster, server), JSON.stringify(text))
}

/** As `svcd reload` on each server, one after the other. */
async function reloadAll(cluster: ThreeServers, options: Options, secret = ''): Promise<void> {
  for (const server of cluster.servers) {
    configure(cluster, server, options)
    await ask(server, 'agent/reload', undefined, secret)
  }
}

/** PUT of JSON with a token; throws unless it is answered with 200. */
async function ask(
  server: ClusterServer,
  path: string,
  body: unknown,
  secret: string,
): Promise<Readonly<Record<string, string>>> {
  const response = await server.fetch(path, {
    method: 'PUT',
    body: body === undefined ? null : JSON.stringify(body),
    headers: { 'X-Consul-Token': secret },
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${server.name} ${path}: ${response.status} ${text}`)
  return text === '' ? {} : (JSON.parse(text) as Record<string, string>)
}

async function plainConnections(server: ClusterServer): Promise<number> {
  const text = await (await server.fetch('agent/metrics?format=prometheus')).text()
  return Number(/^svcd_peer_connections\{tls="false"\} (\d+)$/m.exec(text)?.[1] ?? Number.NaN)
}

/** The three steps of docs/tls.md. */
async function introduceTls(cluster: ThreeServers): Promise<void> {
  writeFileSync(join(cluster.directory, 'ca.pem'), ca.cert)
  for (const server of cluster.servers) {
    writeCredentials(cluster.directory, server.name, leaf(ca, { node: server.name }))
    configure(cluster, server, { peerTls: 'permissive' })
    await server.stop()
    await server.start([`-config-file=${fileOf(cluster, server)}`])
    await aliveEverywhere(cluster, server)
  }
  await until('only connections with TLS', 30_000, async () => {
    const all = await Promise.all(cluster.servers.map(plainConnections))
    return all.every((count) => count === 0)
  })
  await reloadAll(cluster, { peerTls: 'strict' })
}

/** Before the next server is restarted, all see this one as alive, and they have a leader. */
async function aliveEverywhere(cluster: ThreeServers, server: ClusterServer): Promise<void> {
  await until(`${server.name} is alive for all`, 30_000, async () => {
    const lists = await Promise.all(
      cluster.servers.map((each) =>
        each.get<{ Name: string; Status: number }[]>('agent/members', 2000),
      ),
    )
    return lists.every((members) =>
      members.some(({ Name, Status }) => Name === server.name && Status === 1),
    )
  })
  await cluster.leader()
}

const writerRules = `
  service_prefix "" { policy = "write" }
  node_prefix "" { policy = "write" }`
const dnsRules = `
  service_prefix "" { policy = "read" }
  node_prefix "" { policy = "read" }
  query_prefix "" { policy = "read" }`

/** The steps of docs/lock-down.md. Returns the secret of the first token. */
async function lockDown(cluster: ThreeServers, writes: SteadyWrites): Promise<string> {
  const peerTls = 'strict'
  await reloadAll(cluster, { peerTls, acl: { default_policy: 'allow' } })
  const [first, second, third] = cluster.servers.map((server) => must(server))
  const { SecretID: root = '' } = await ask(must(first), 'acl/bootstrap', undefined, '')
  // At one server after the other, each with what another one has just created.
  const tokenOf = async (name: string, Rules: string): Promise<string> => {
    await ask(must(second), 'acl/policy', { Name: name, Rules }, root)
    const body = { Description: name, Policies: [{ Name: name }] }
    return must((await ask(must(third), 'acl/token', body, root))['SecretID'])
  }
  const dns = await tokenOf('dns', dnsRules)
  writes.secret = await tokenOf('writer', writerRules)
  await reloadAll(cluster, { peerTls, acl: { default_policy: 'deny', dns } }, root)
  return root
}

/** A peer without TLS is told why, and the connection ends. */
async function refusesPlainPeers(t: Test, server: ClusterServer): Promise<void> {
  const socket = await rawPeer(server.serverPort)
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  socket.write(encodeHello(greeting({ id: 'plain' })))
  await once(socket, 'close')
  t.match(answer, /this server requires TLS between servers/, `${server.name} refuses a plain peer`)
}

async function refusesAnonymousWrites(t: Test, server: ClusterServer): Promise<void> {
  const response = await server.fetch('catalog/register', {
    method: 'PUT',
    body: JSON.stringify(instance('outside', 'anonymous')),
  })
  t.equal(response.status, 403, `${server.name} refuses an anonymous write`)
  t.match(await response.text(), /lacks permission/)
}

t.test(
  'three servers go from plain to TLS and from allow to deny, and no look-up fails and no acknowledged write is lost',
  { timeout: 120_000 + 4 * rates.afterMs },
  async (t) => {
    const cluster = await ThreeServers.prepare(t.testdir())
    t.teardown(() => cluster.stop())
    for (const server of cluster.servers) configure(cluster, server, {})
    await Promise.all(
      cluster.servers.map((server) => server.start([`-config-file=${fileOf(cluster, server)}`])),
    )
    const leader = await cluster.leader()
    await leader.put('catalog/register', { Node: 'outside', Address: '10.1.0.1' })
    const services = Array.from({ length: 20 }, (_, at) => `s${at}`)
    for (const name of services) {
      await leader.put('catalog/register', instance('outside', name, name))
    }
    const names = services.map((name) => `${name}.service.consul`)
    await until('all servers answer', 10_000, async () => {
      const replies = await Promise.all(
        cluster.servers.map((server) => server.ask(must(names.at(-1)))),
      )
      return replies.every(({ answer }) => answer.length > 0)
    })
    const writes = new SteadyWrites(cluster, rates.writes)
    const lookups = await SteadyLookups.start(cluster, names, rates.lookups)
    await pause(rates.afterMs)
    await introduceTls(cluster)
    await pause(rates.afterMs)
    const root = await lockDown(cluster, writes)
    await pause(rates.afterMs)
    await Promise.all([writes.stop(), lookups.stop()])

    t.strictSame(lookups.failed, [], `none of ${lookups.asked} look-ups failed`)
    t.strictSame(writes.failed, [], `none of ${writes.acknowledged.length} writes was refused`)
    t.comment(
      `${lookups.asked} look-ups, ${lookups.nextServer} questions went to the next server, slowest ${lookups.slowestMs.toFixed(0)} ms; ` +
        `${writes.acknowledged.length} writes, ${writes.retried} tries repeated, slowest ${writes.slowestMs.toFixed(0)} ms`,
    )
    await checkSameState(t, cluster.servers)
    for (const server of cluster.servers) {
      await refusesPlainPeers(t, server)
      await refusesAnonymousWrites(t, server)
      t.equal((await server.ask(must(names[0]))).answer.length, 1, `${server.name} answers DNS`)
      const response = await server.fetch(`catalog/service/web?stale&token=${root}`)
      const found = (await response.json()) as { ServiceID: string }[]
      const ids = new Set(found.map(({ ServiceID }) => ServiceID))
      const lost = writes.acknowledged.filter((id) => !ids.has(id))
      t.strictSame(lost, [], `${server.name} has all acknowledged writes`)
    }
  },
)
