import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Sqlite } from '../helpers/sqlite.ts'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { instance, registerAlways } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { missing, notRoot } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// Disks that fill, stall, fail and lie, under one server of three.

t.test(
  'a disk that fills ends its server with a text',
  { skip: notRoot(), timeout: 60_000 },
  async (t) => {
    // Not tap's directory, which is removed before the file system in it is unmounted.
    const directory = mkdtempSync(join(tmpdir(), 'svcd-small-disk-'))
    // It fills to the end: nothing is kept free.
    const args = ['-log-level=warn', '-disk-reserve-mib=0']
    const cluster = await ThreeServers.prepare(directory, { args })
    const small = must(cluster.servers[0])
    mkdirSync(small.directory)
    // Twelve megabytes: the cluster can begin in it.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', small.directory])
    t.teardown(async () => {
      await cluster.stop()
      execFileSync('umount', [small.directory])
      rmSync(directory, { recursive: true })
    })
    await cluster.startAll()
    const always = await registerAlways(cluster)
    if ((await cluster.leader()) !== small) {
      const path = `operator/raft/transfer-leader?id=${await idOf(cluster, small)}`
      await small.put(path, undefined, 'POST')
    }
    t.equal(await cluster.leader(), small, 'the server with the small disk leads')
    const { agent } = small
    writeFileSync(join(small.directory, 'ballast'), Buffer.alloc(6_000_000))
    const rest = cluster.others(small)
    const meta = { filler: 'x'.repeat(480) }
    const filler = (async () => {
      for (let number = 0; small.isLive && number < 40_000; number++) {
        const body = instance('outside', `fill${number}`, 'fill') as { Service: object }
        const service = { ...body.Service, Meta: meta }
        await must(rest[number % 2])
          .put('catalog/register', { ...body, Service: service })
          .catch(() => {})
      }
    })()
    const code = await Promise.race([agent.exited, filler.then(() => 'it never filled')])
    t.not(code, 0, 'it ends')
    await filler
    t.match(agent.output, /disk is full|SQLITE_FULL|database or disk is full/, 'and says why')
    t.comment(agent.output.slice(-500))
    await cluster.leader(rest)
    await must(rest[0]).put('catalog/register', instance('outside', 'later', 'later'))
    t.equal((await must(rest[1]).ask(always)).answer.length, 1, 'the others go on')
  },
)

t.test(
  'a disk that stalls costs leadership, and writes to it fail with a text',
  { skip: notRoot() || missing('strace'), timeout: 60_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t)
    const always = await registerAlways(cluster)
    const old = await cluster.leader()
    const rest = cluster.others(old)
    // Each sync takes twenty seconds from now on, as on a disk that hangs.
    const stall = inject(old.pid, 'delay_enter=20000000')
    t.teardown(() => stall.kill('SIGKILL'))
    await until('strace is attached', 5000, () => stall.said().includes('attached'))
    const startMs = performance.now()
    const stuck = old.put('catalog/register', instance('outside', 'stuck', 'stall')).catch(String)
    const leader = await cluster.leader(rest, 10_000)
    t.comment(`another leader after ${(performance.now() - startMs).toFixed(0)} ms`)
    await leader.put('catalog/register', instance('outside', 'other', 'stall'))
    t.match(await stuck, /disk has not completed a write|No cluster leader/, 'the write fails')
    t.match(old.agent.output, /a disk write has not completed/, 'and the log says why')
    t.equal((await old.ask(always)).answer.length, 1, 'it answers DNS all the same')
  },
)

t.test(
  'a sync that fails ends its server with a text',
  { skip: notRoot() || missing('strace'), timeout: 60_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t)
    await registerAlways(cluster)
    const old = await cluster.leader()
    const { agent } = old
    const faults = inject(old.pid, 'error=EIO')
    t.teardown(() => faults.kill('SIGKILL'))
    await until('strace is attached', 5000, () => faults.said().includes('attached'))
    void old.put('catalog/register', instance('outside', 'eio', 'eio')).catch(() => {})
    t.not(await agent.exited, 0, 'it ends')
    t.match(agent.output, /disk I\/O error/, 'and says why')
    const leader = await cluster.leader(cluster.others(old))
    await leader.put('catalog/register', instance('outside', 'later', 'later'))
    faults.kill('SIGKILL')
    await old.start()
    await cluster.leader()
    t.pass('it comes back')
  },
)

t.test(
  'a flipped bit in the log of one is found, and it refuses to serve',
  { timeout: 60_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t)
    const always = await registerAlways(cluster)
    const victim = must((await cluster.followers())[0])
    t.equal(await victim.stop(), 0)
    const log = new Sqlite(join(victim.directory, 'raft.db'))
    const row = must(
      log
        .prepare<[], { idx: number; data: Buffer }>('SELECT idx, data FROM log WHERE kind = 0')
        .get(),
    )
    const middle = row.data.length >> 1
    row.data[middle] = must(row.data[middle]) ^ 1
    log.prepare('UPDATE log SET data = ? WHERE idx = ?').run(row.data, row.idx)
    log.close()
    const said = await victim.start().then(() => 'it started', String)
    t.match(said, new RegExp(`raft.db is damaged: entry ${row.idx} `), 'the entry is named')
    t.match(said, /refuses to serve/)
    t.notOk(victim.isLive, 'it does not serve')
    await must(cluster.live[0]).put('catalog/register', instance('outside', 'later', 'later'))
    for (const server of cluster.live) t.equal((await server.ask(always)).answer.length, 1)
    // As the operating manual says: without its data it comes back as another server.
    victim.wipe()
    await victim.start()
    await until('it answers', 15_000, async () => (await victim.ask(always)).answer.length === 1)
  },
)

async function idOf(cluster: ThreeServers, server: { readonly address: string }): Promise<string> {
  const servers = await cluster.raftServers()
  return must(servers.find(({ Address }) => Address === server.address)).ID
}

/** Makes the syncs of a running process go wrong, until it is killed. */
function inject(pid: number, fault: string) {
  const syncs = 'fsync,fdatasync'
  const child = spawn(
    'strace',
    ['-f', '-p', String(pid), '-e', `trace=${syncs}`, '-e', `inject=${syncs}:${fault}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let text = ''
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return { said: () => text, kill: (signal: NodeJS.Signals) => child.kill(signal) }
}
