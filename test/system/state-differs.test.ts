import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { stateTables } from '../../src/state/families.ts'
import { initializeSums } from '../../src/state/machine/sums.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { checkSameState } from '../helpers/replica-check.ts'
import { Sqlite } from '../helpers/sqlite.ts'
import { until } from '../helpers/until.ts'

// Servers whose states differ although each fits its own sums, and a leader whose state is damaged.

const right = '10.77.1.3'

function register(server: ClusterServer, id: string): Promise<string> {
  return server.put('catalog/register', {
    Node: 'ext',
    Address: '10.77.1.2',
    Service: { ID: id, Service: 'web', Address: right, Port: 80 },
  })
}

/** Changes a row, and the sums with it: the server's own check finds nothing. */
function replaceAddress(server: ClusterServer, id: string): void {
  const db = new Sqlite(join(server.directory, 'state.db'))
  const { changes } = db.prepare("UPDATE services SET address = '10.9.9.9' WHERE id = ?").run(id)
  if (changes !== 1) throw new Error(`${server.name} has no service ${id}`)
  initializeSums(db, stateTables)
  db.close()
}

async function addressAt(server: ClusterServer): Promise<string> {
  const rows = await server.get<{ ServiceAddress: string }[]>('catalog/service/web?stale')
  return rows.map(({ ServiceAddress }) => ServiceAddress).join(' ')
}

async function damages(server: ClusterServer): Promise<string> {
  const text = await (await server.fetch('agent/metrics?format=prometheus')).text()
  return /svcd_state_damages_total (\d+)/.exec(text)?.[1] ?? 'none'
}

async function isRight(t: Test, cluster: ThreeServers, wrong: ClusterServer): Promise<void> {
  await until('the rebuilt state', 40_000, () => wrong.output().includes('rebuilt state.db'))
  await until('the right answer', 10_000, async () => {
    const found = await addressAt(wrong).catch(() => '')
    return found === right
  })
  await checkSameState(t, cluster.servers)
}

t.test('states that differ', { timeout: 200_000 }, async (t) => {
  const cluster = await ThreeServers.start(t, {
    args: ['-log-level=info', '-state-check-interval=1s'],
  })
  await register(await cluster.leader(), 'web')
  await checkSameState(t, cluster.servers)

  await t.test('a follower with a state of its own is found, and rebuilds it', async (t) => {
    const [wrong] = await cluster.followers()
    const server = must(wrong)
    await server.stop()
    replaceAddress(server, 'web')
    await server.start()
    await isRight(t, cluster, server)
    t.match(
      server.output(),
      /state\.db is damaged: .*at entry \d+ it differs from the state of most servers/s,
    )
    t.match(server.output(), /services=[0-9a-f]{16}/)
    t.equal(await damages(server), '1')
    const leader = await cluster.leader()
    t.match(leader.output(), /differs from most servers at entry \d+: that server must rebuild it/)
  })

  await t.test('a leader whose state is damaged hands over, and comes back equal', async (t) => {
    const leader = await cluster.leader()
    const path = join(leader.directory, 'state.db')
    const written = Buffer.from(`webwebweb${right}`)
    // The checks of every second read the state, and a checkpoint moves no row that a reader may still need.
    const at = await until('the row in the file', 60_000, async () => {
      const found = readFileSync(path).indexOf(written)
      return found === -1 ? undefined : found
    })
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.from('2'), 0, 1, at + written.length - 1)
    closeSync(file)
    await isRight(t, cluster, leader)
    t.match(leader.output(), /state\.db is damaged: /)
    t.not((await cluster.leader()).name, leader.name, 'another one leads')
    await register(leader, 'web')
    await checkSameState(t, cluster.servers)
  })
})
