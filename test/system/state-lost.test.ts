import { closeSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { RaftLog } from '../../src/storage/log/raft-log.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { checkSameState } from '../helpers/replica-check.ts'
import { until } from '../helpers/until.ts'

// A server whose state is damaged, and with it all that it could rebuild the state from.

const address = '10.77.1.3'
const written = Buffer.from(`webwebweb${address}`)

function register(server: ClusterServer, node: string, withService = false): Promise<string> {
  const Service = { ID: 'web', Service: 'web', Address: address, Port: 80 }
  const body = { Node: node, Address: '10.77.1.2' }
  return server.put('catalog/register', withService ? { ...body, Service } : body)
}

/** Of a stopped server: its log begins behind its newest snapshot, as it does after ten thousands of writes. */
async function forgetOldLog(server: ClusterServer): Promise<void> {
  const archive = await server.fetch('snapshot?stale')
  if (archive.status !== 200) throw new Error(await archive.text())
  await archive.arrayBuffer()
  await server.stop()
  const log = new RaftLog(join(server.directory, 'raft.db'))
  log.compact(must(log.snapshot()).index)
  log.close()
}

function overwrite(path: string, at: number, length: number): void {
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(length, 0x5a), 0, length, at)
  closeSync(file)
}

function spoilSnapshots(server: ClusterServer): void {
  const directory = join(server.directory, 'snapshots')
  const files = readdirSync(directory).filter((name) => name.endsWith('.snap'))
  if (files.length === 0) throw new Error('there is no snapshot')
  for (const name of files) overwrite(join(directory, name), 4096, 4096)
}

/** Of a stopped server: it is no database any more. */
function spoilState(server: ClusterServer): void {
  overwrite(join(server.directory, 'state.db'), 0, 4096)
}

/** Of a running one: a row that is as good as before, but for its content. */
function changeRow(server: ClusterServer): void {
  const path = join(server.directory, 'state.db')
  const at = readFileSync(path).indexOf(written)
  if (at === -1) throw new Error('the row is not in the file')
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.from('2'), 0, 1, at + written.length - 1)
  closeSync(file)
}

async function addressAt(server: ClusterServer): Promise<string> {
  const rows = await server.get<{ ServiceAddress: string }[]>('catalog/service/web?stale')
  return rows.map(({ ServiceAddress }) => ServiceAddress).join(' ')
}

t.test('a follower that has nothing left to rebuild from', { timeout: 300_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, {
    args: ['-log-level=info', '-state-check-interval=1s'],
  })
  const leader = await cluster.leader()
  await register(leader, 'ext', true)
  const [first, second] = await cluster.followers()

  await t.test('gets the state of the leader when it starts', async (t) => {
    const server = must(first)
    await forgetOldLog(server)
    spoilSnapshots(server)
    spoilState(server)
    await register(leader, 'while-it-is-away')
    await server.start()
    await until('the state of another server', 30_000, () =>
      server.output().includes('rebuilt state.db from a snapshot of another server'),
    )
    t.match(server.output(), /asking the other servers for their state: .*cannot be rebuilt/)
    await until('the right answer', 15_000, async () => {
      const found = await addressAt(server).catch(() => '')
      return found === address
    })
    await register(server, 'through-it')
    await checkSameState(t, cluster.servers)
  })

  await t.test('gets it while it runs, and takes part again', async (t) => {
    const server = must(second)
    await forgetOldLog(server)
    await server.start()
    await cluster.leader()
    spoilSnapshots(server)
    changeRow(server)
    let nodes = 0
    await until('the state of another server', 40_000, async () => {
      // The leader goes on meanwhile: its snapshot is ahead of the log here.
      await register(await cluster.leader(cluster.others(server)), `n${nodes++}`)
      return server.output().includes('rebuilt state.db from a snapshot of another server')
    })
    await until('the right answer', 15_000, async () => {
      const found = await addressAt(server).catch(() => '')
      return found === address
    })
    // Without it there is no majority: it votes and acknowledges.
    await must(first).kill()
    await register(await cluster.leader(), 'with-its-vote')
    await must(first).start()
    await cluster.leader()
    await checkSameState(t, cluster.servers)
    await server.stop()
    await server.start()
    t.notMatch(server.output(), /damaged/, 'and it stays so')
  })
})

t.test(
  'an agent compares nothing before the state of its server is there',
  { timeout: 150_000 },
  async (t) => {
    const cluster = await ThreeServers.start(t, { args: ['-log-level=info'] })
    const [server] = await cluster.followers()
    const waiting = must(server)
    await waiting.put('agent/service/register', { Name: 'kept', Port: 81 })
    await forgetOldLog(waiting)
    spoilSnapshots(waiting)
    spoilState(waiting)
    // Its agent has lost what it acknowledged: only the catalog has it.
    for (const end of ['', '-wal', '-shm']) {
      rmSync(join(waiting.directory, `agent.db${end}`), { force: true })
    }
    const others = cluster.others(waiting)
    await Promise.all(others.map((other) => other.kill()))
    const starting = waiting.start()
    // Longer than a start waits for a leader.
    await until('some tries', 60_000, () => /triesLeft=7\b/.test(waiting.output()))
    await Promise.all([starting, ...others.map((other) => other.start())])
    const kept = await waiting.get<Record<string, unknown>>('agent/services')
    t.strictSame(Object.keys(kept), ['kept'])
  },
)

t.test('a lone server says that its state is lost', { timeout: 100_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, { size: 1, args: ['-log-level=info'] })
  const server = await cluster.leader()
  await register(server, 'ext', true)
  await forgetOldLog(server)
  spoilSnapshots(server)
  spoilState(server)
  await t.rejects(
    server.start(),
    /cannot be rebuilt from the log and the snapshots in its directory/,
  )
})
