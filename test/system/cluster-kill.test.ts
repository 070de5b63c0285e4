import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { randomBelow, seededRandom } from '../../src/base/random.ts'
import type { Random } from '../../src/base/random.ts'
import { DnsPollers, RegistrationLoad, registerAlways } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { checkAppliedOnce, checkSameState } from '../helpers/replica-check.ts'
import { pause } from '../helpers/until.ts'

// kill -9 of leader and followers at random, under load.

const seconds = Number(process.env['SVCD_CLUSTER_SECONDS'] ?? 60)
const killsMin = Math.floor(seconds / 6)
const seed = Number(process.env['SVCD_SEED'] ?? Date.now() % 1_000_000)

/** Kills one server after the other for a while, now and then two at once, and brings them back. */
async function killAtRandom(cluster: ThreeServers, random: Random): Promise<number> {
  const endMs = performance.now() + seconds * 1000
  let kills = 0
  // On a busy machine a restart takes its time: it goes on until there were enough of them.
  while (performance.now() < endMs || kills < killsMin) {
    await pause(500 + randomBelow(random, 3000))
    // Every second time the leader: it has the most to lose.
    const leader =
      random() < 0.5 ? await cluster.leader(cluster.live, 20_000).catch(() => undefined) : undefined
    const victims = [leader ?? must(cluster.servers[randomBelow(random, 3)])]
    if (random() < 0.2) victims.push(must(cluster.servers[randomBelow(random, 3)]))
    const dead = [...new Set(victims)]
    await Promise.all(dead.map((server) => server.kill()))
    kills += dead.length
    await pause(randomBelow(random, 1500))
    await Promise.all(dead.map((server) => server.start()))
  }
  return kills
}

t.test(
  `kill -9 at random for ${seconds} s under load, seed ${seed}`,
  { timeout: (2 * seconds + 180) * 1000 },
  async (t) => {
    const cluster = await ThreeServers.start(t)
    const always = await registerAlways(cluster)
    const pollers = new DnsPollers(cluster.servers, always)
    const load = new RegistrationLoad(cluster, 2)
    const kills = await killAtRandom(cluster, seededRandom(seed))
    await load.stop()
    await pollers.stop()
    t.comment(`${kills} kills, ${load.acknowledged.length} acknowledged, ${load.failed} failed`)
    t.ok(kills >= killsMin, 'servers were killed')
    t.ok(load.acknowledged.length > seconds * 5, 'and the cluster worked meanwhile')
    t.strictSame(
      pollers.failed,
      [],
      `each of ${pollers.asked} questions to live servers was answered`,
    )
    await cluster.leader()
    for (const server of cluster.servers) {
      const found = await server.get<{ ServiceID: string }[]>('catalog/service/web?consistent')
      const ids = new Set(found.map(({ ServiceID }) => ServiceID))
      const lost = load.acknowledged.filter((id) => !ids.has(id))
      t.strictSame(lost, [], `${server.name} has all that was acknowledged`)
      t.equal(ids.size, found.length, 'each once')
    }
    await checkSameState(t, cluster.servers)
    await cluster.stop()
    for (const server of cluster.servers) checkAppliedOnce(t, server)
  },
)
