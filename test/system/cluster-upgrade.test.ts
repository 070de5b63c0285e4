import { spawn } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { dirname, join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { version } from '../../src/base/version.ts'
import { runSvcd, svcdBin } from '../helpers/agent-process.ts'
import { RegistrationLoad, registerAlways } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { checkAppliedOnce, checkSameState } from '../helpers/replica-check.ts'
import { missing, notRoot } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// An upgrade of three servers, one after the other, as docs/operating.md says it: under writes, and
// under the look-ups of the C library's own resolver, whose resolv.conf names the three.

const next = '99.0.0'
const noResolver = notRoot() || missing('getent', 'unshare', 'mount') || (await portTaken())

t.test('an upgrade loses no write and fails no look-up', { timeout: 120_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { isResolvable: noResolver === false })
  const always = await registerAlways(cluster)
  const bin = nextRelease(cluster.directory)
  const load = new RegistrationLoad(cluster, 1, 'upgrade')
  const lookups = noResolver === false ? new GetentLoop(cluster, always) : undefined
  if (lookups === undefined) t.comment(`without getent: ${String(noResolver)}`)
  else await until('look-ups', 10_000, () => lookups.answered > 5)
  const before = load.acknowledged.length

  const old = await cluster.leader()
  for (const server of [...cluster.others(old), old]) {
    if (server === old) {
      t.match(await runSvcd(old.httpUrl, 'operator', 'raft', 'transfer-leader'), { code: 0 })
    }
    t.equal(await server.stop(), 0, `${server.name} stops`)
    await server.start([], { bin })
    await until(`${server.name} is alive, and of the next release`, 15_000, async () => {
      const { out } = await runSvcd(server.httpUrl, 'members')
      return new RegExp(`^${server.name} .* alive .* ${next} `, 'm').test(out)
    })
    await cluster.leader()
  }

  await load.stop()
  const wrote = load.acknowledged.length - before
  t.ok(wrote > 20, `${wrote} writes meanwhile, ${load.failed} refused`)
  if (lookups !== undefined) {
    await lookups.stop()
    t.ok(lookups.answered > 20, `${lookups.answered} look-ups by getent`)
    t.strictSame(lookups.failed, [], 'none failed')
  }
  const { out } = await runSvcd(old.httpUrl, 'members')
  t.equal(out.split(` ${next} `).length - 1, 3, 'all are of the next release')
  const [first] = cluster.servers
  const found = await must(first).get<{ ServiceID: string }[]>('catalog/service/web?consistent')
  const ids = new Set(found.map(({ ServiceID }) => ServiceID))
  t.strictSame(
    load.acknowledged.filter((id) => !ids.has(id)),
    [],
    'no write was lost',
  )
  await checkSameState(t, cluster.servers)
  await cluster.stop()
  for (const server of cluster.servers) checkAppliedOnce(t, server)
})

/** A copy of the build that takes itself for a later one. */
function nextRelease(directory: string): string {
  const root = dirname(dirname(svcdBin))
  const copy = join(directory, 'next')
  for (const part of ['bin', 'dist', 'zones', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const name of readdirSync(join(copy, 'dist')).filter((name) => name.endsWith('.js'))) {
    const file = join(copy, 'dist', name)
    const text = readFileSync(file, 'utf8')
    const changed = text.replace(`version="${version}"`, `version="${next}"`)
    if (changed !== text) writeFileSync(file, changed)
  }
  return join(copy, 'bin', 'svcd.js')
}

/** getent, again and again, each a process of its own, as a program that has just started asks. */
class GetentLoop {
  answered = 0
  readonly failed: string[] = []
  readonly #child: ReturnType<typeof spawn>

  constructor(cluster: ThreeServers, name: string) {
    const file = join(cluster.directory, 'resolv.conf')
    const lines = cluster.servers.map(({ host }: ClusterServer) => `nameserver ${host}\n`)
    writeFileSync(file, lines.join(''))
    // In a mount namespace of its own: nobody else's resolv.conf is touched.
    const script = `mount --bind "$1" /etc/resolv.conf && while :; do
      for database in hosts ahosts; do
        getent $database "$2" >/dev/null && echo ok || echo "$database: $?"
      done
    done`
    this.#child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', file, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n')) {
        if (line === 'ok') this.answered++
        else if (line !== '') this.failed.push(line)
      }
    })
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => {
      this.#child.once('exit', resolve)
    })
    this.#child.kill('SIGKILL')
    await ended
  }
}

/** A reason to go without: somebody has port 53 of all addresses. */
async function portTaken(): Promise<string | false> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.once('error', (error) => resolve(`port 53: ${error.message}`))
    socket.bind(53, '127.0.2.1', () => socket.close(() => resolve(false)))
  })
}
