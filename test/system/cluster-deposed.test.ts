import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { instance } from '../helpers/cluster-load.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import type { ClusterServer } from '../helpers/cluster-process.ts'
import { Namespaces, noNamespaces } from '../helpers/namespaces.ts'
import { checkSameState } from '../helpers/replica-check.ts'
import { until } from '../helpers/until.ts'

// Three hosts. The followers see their connections to the leader reset and vote at once; the leader's
// end stays open, so that it takes itself for the leader for a while.

const rounds = Number(process.env['SVCD_CUTS'] ?? 5)

interface Read {
  readonly askedMs: number
  readonly index: number
}

/** Default reads of a server, one after the other, for as long as it answers them and then a while. */
class Reader {
  readonly reads: Read[] = []
  isStopped = false
  readonly done: Promise<void>

  constructor(server: ClusterServer, service: string) {
    this.done = this.#read(server, service)
  }

  async #read(server: ClusterServer, service: string): Promise<void> {
    while (!this.isStopped) {
      const askedMs = performance.now()
      try {
        const response = await server.fetch(`health/service/${service}`, {}, 1500)
        const found = (await response.json()) as readonly unknown[]
        if (response.status === 200) this.reads.push({ askedMs, index: found.length })
      } catch {
        // It has noticed, or nobody confirms that it leads.
      }
    }
  }
}

t.test(
  'a deposed leader answers no default read with old data',
  { skip: noNamespaces(), timeout: 300_000 },
  async (t) => {
    const net = await Namespaces.create(3)
    t.teardown(() => net.remove())
    const cluster = await ThreeServers.start(t, { hosts: net.hosts })
    let overlapping = 0
    for (let round = 0; round < rounds; round++) {
      const old = await cluster.leader(cluster.servers)
      const oldAt = cluster.servers.indexOf(old)
      const followers = cluster.others(old)
      const service = `round${round}`
      await old.put('catalog/register', instance('outside', `${service}-0`, service))
      const reader = new Reader(old, service)
      await until('reads', 5000, () => reader.reads.length > 0)
      const { address } = must(net.hosts[oldAt])
      const others = followers.map((server) => cluster.servers.indexOf(server))
      await Promise.all(others.map((at) => net.rejectTcp(at, address)))
      const leader = await cluster.leader(followers)
      const written: { readonly atMs: number; readonly count: number }[] = []
      for (let write = 1; write <= 20; write++) {
        await leader.put('catalog/register', instance('outside', `${service}-${write}`, service))
        written.push({ atMs: performance.now(), count: write + 1 })
      }
      await Promise.all(others.map((at) => net.acceptTcp(at, address)))
      await cluster.leader(cluster.servers)
      reader.isStopped = true
      await reader.done
      const stale = reader.reads.filter(({ askedMs, index }) =>
        written.some(({ atMs, count }) => atMs < askedMs && index < count),
      )
      const first = must(written[0]).atMs
      if (reader.reads.some(({ askedMs }) => askedMs > first)) overlapping++
      t.strictSame(stale, [], `round ${round}: ${reader.reads.length} reads`)
    }
    t.comment(
      `${overlapping} of ${rounds} rounds had reads after the first write to the new leader`,
    )
    await checkSameState(t, cluster.servers)
  },
)
