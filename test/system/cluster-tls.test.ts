import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import type { Credentials } from '../../src/pki/authority.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { RegistrationLoad } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { until } from '../helpers/until.ts'

const ca = authority()

/** The configuration file of a server, with its own certificate. */
function configFile(
  cluster: ThreeServers,
  { name }: ClusterServer,
  mode: string,
  signer: Credentials = ca,
  trusted = ca.cert,
): string {
  const own = writeCredentials(cluster.directory, name, leaf(signer, { node: name }))
  const caFile = join(cluster.directory, `${name}-ca.pem`)
  writeFileSync(caFile, trusted)
  const path = join(cluster.directory, `${name}.json`)
  const files = { cert_file: own.cert, key_file: own.key, ca_file: caFile }
  writeFileSync(path, JSON.stringify({ peer_tls: { ...files, mode } }))
  return path
}

async function figures(server: ClusterServer): Promise<Record<string, number>> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text()
  const found = [...text.matchAll(/^svcd_peer_connections\{tls="(\w+)"\} (\d+)$/gm)]
  return Object.fromEntries(found.map(([, tls = '', count]) => [tls, Number(count)]))
}

/** Connections of every server with the two others, as many with TLS as there are. */
async function allEncrypted(cluster: ThreeServers): Promise<void> {
  await until('only connections with TLS', 30_000, async () => {
    const all = await Promise.all(cluster.servers.map(figures))
    return all.every((each) => each['false'] === 0 && (each['true'] ?? 0) >= 2)
  })
}

t.test(
  'three servers go from plain connections to TLS, and to a new authority, and lose no write',
  { timeout: 240_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t, { args: ['-log-level=info'] })
    const load = new RegistrationLoad(cluster, 2)
    // 1: each in turn with certificates, while the others may still be without.
    for (const server of cluster.servers) {
      const file = configFile(cluster, server, 'permissive')
      await server.stop()
      await server.start([`-config-file=${file}`])
      await cluster.leader()
      t.match(server.output(), /peer_tls.mode is permissive: servers may connect without TLS/)
    }
    await allEncrypted(cluster)
    // 2: TLS is required, without a restart.
    for (const server of cluster.servers) {
      configFile(cluster, server, 'strict')
      await server.agent.signal(
        'SIGHUP',
        'new connections use the new certificates for connections',
      )
    }
    const info = await must(cluster.servers[0]).get<{ Stats: { peer_tls: object } }>('agent/self')
    await until('it says so', 10_000, async () => {
      const { Stats } = await must(cluster.servers[0]).get<{
        Stats: { peer_tls: { mode: string } }
      }>('agent/self')
      return Stats.peer_tls.mode === 'strict'
    })
    t.ok(info)
    // 3: another authority: first both are trusted, then its certificates are used, then only it is trusted.
    const next = authority()
    const both = ca.cert + next.cert
    for (const [signer, trusted] of [
      [ca, both],
      [next, both],
      [next, next.cert],
    ] as const) {
      for (const server of cluster.servers) {
        configFile(cluster, server, 'strict', signer, trusted)
        await server.agent.signal(
          'SIGHUP',
          'new connections use the new certificates for connections',
        )
      }
    }
    // New connections work, too.
    const last = must(cluster.servers[2])
    await last.stop()
    await last.start([`-config-file=${join(cluster.directory, `${last.name}.json`)}`])
    await cluster.leader()
    await allEncrypted(cluster)
    // The wrong key: what is in use stays in use.
    writeCredentials(cluster.directory, 'other', leaf(next))
    writeFileSync(join(cluster.directory, `${last.name}-key.pem`), leaf(next).key)
    await last.agent.signal('SIGHUP', 'keeping the previous certificates for connections between')
    await load.stop()
    t.ok(load.acknowledged.length > 50, `${load.acknowledged.length} writes`)
    for (const server of cluster.servers) {
      const ids = async (): Promise<Set<string>> => {
        const found = await server.get<{ ServiceID: string }[]>('catalog/service/web?stale')
        return new Set(found.map(({ ServiceID }) => ServiceID))
      }
      await until('all writes', 20_000, async () => {
        const there = await ids()
        return load.acknowledged.every((id) => there.has(id))
      })
      t.pass(`${server.name} has all ${load.acknowledged.length} acknowledged writes`)
    }
    t.comment(`failed requests to servers that were being restarted: ${load.failed}`)
  },
)

// CVE-2018-19653, CVE-2019-9764
t.test('a server without TLS does not get into a cluster that requires it', async (t) => {
  const cluster = await ThreeServers.prepare(t.testdir(), { size: 2, args: ['-log-level=info'] })
  t.teardown(() => cluster.stop())
  const [one, two] = cluster.servers.map((server) => server)
  void must(one)
    .start([`-config-file=${configFile(cluster, must(one), 'strict')}`])
    .catch(() => {})
  void must(two)
    .start()
    .catch(() => {})
  await until('both say why', 30_000, () => {
    const isTold = /this server requires TLS between servers: set -peer-cert-file/.test(
      must(two).output(),
    )
    return isTold && /does not speak TLS/.test(must(one).output())
  })
  t.pass('both logs say why')
})

t.test('a certificate of a client does not let a server in', { timeout: 60_000 }, async (t) => {
  const cluster = await ThreeServers.prepare(t.testdir(), { size: 2, args: ['-log-level=info'] })
  t.teardown(() => cluster.stop())
  const [one, two] = cluster.servers.map((server) => must(server))
  await must(one).start([
    `-config-file=${configFile(cluster, must(one), 'strict')}`,
    '-bootstrap-expect=1',
  ])
  await cluster.leader([must(one)])
  const file = configFile(cluster, must(two), 'strict')
  const client = leaf(ca, { role: 'client', dnsNames: ['n2'] })
  writeCredentials(cluster.directory, 'n2', client)
  await must(two).start([`-config-file=${file}`, '-bootstrap-expect=0'])
  const reason = /the certificate of a server must contain the name server\.dc1\.consul/
  await until('the log says why', 20_000, () => reason.test(must(one).output()))
  t.equal((await cluster.raftServers(must(one))).length, 1)
  // The same server with a certificate of a server is let in.
  await must(two).stop()
  configFile(cluster, must(two), 'strict')
  await must(two).start([`-config-file=${file}`, '-bootstrap-expect=0'])
  await until('it is a member', 20_000, async () => {
    return (await cluster.raftServers(must(one))).length === 2
  })
})
