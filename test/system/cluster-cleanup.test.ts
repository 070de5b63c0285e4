import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { answeredWithin } from '../helpers/cluster-load.ts'
import { ClusterServer, ThreeServers } from '../helpers/cluster-process.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { checkSameState } from '../helpers/replica-check.ts'
import { until } from '../helpers/until.ts'

// The leader waits 20 times as long before it removes a server.
const memberTimeout = '-member-timeout=1s'

t.test(
  'a failed server leaves by itself once a new one has taken its place',
  { timeout: 180_000 },
  async (t) => {
    const args = [memberTimeout, '-log-level=info']
    const cluster = await ThreeServers.start(t, { args })
    const dead = must((await cluster.followers())[0])
    await dead.put('agent/service/register', { Name: 'theirs', Port: 80 })
    await answeredWithin(cluster.servers, 'theirs.service.consul', 5000, (a) => a.length === 1)
    await dead.kill()
    const [asked] = cluster.live as [ClusterServer, ClusterServer]
    const statuses = async (): Promise<string> => {
      const checks = await asked.get<{ Status: string }[]>(`health/node/${dead.name}`)
      return checks.map(({ Status }) => Status).join()
    }
    await until('it has failed', 30_000, async () => (await statuses()) === 'critical')

    const ports = await freePorts(3)
    const fresh = new ClusterServer({
      name: 'fresh',
      directory: join(cluster.directory, 'fresh'),
      host: '127.0.0.1',
      ports: [must(ports[0]), must(ports[1]), must(ports[2])],
      args: ['-bootstrap-expect=0', `-retry-join=${asked.address}`, ...cluster.secretArgs, ...args],
    })
    t.teardown(() => fresh.kill())
    await fresh.start()
    const live = [...cluster.live, fresh]
    await until('the cluster has three voters again', 90_000, async () => {
      const voters = (await cluster.raftServers(asked)).filter(({ Voter }) => Voter)
      const places = voters.map(({ Address }) => Address).toSorted()
      return (
        places.join() ===
        live
          .map(({ address }) => address)
          .toSorted()
          .join()
      )
    })
    await until('its node is gone everywhere', 20_000, async () => {
      const all = await Promise.all(live.map((one) => one.get<{ Node: string }[]>('catalog/nodes')))
      return all.every((nodes) => nodes.length === 3 && nodes.every((n) => n.Node !== dead.name))
    })
    const leader = await cluster.leader(live)
    t.match(leader.output(), new RegExp(`removed the failed server ${dead.name} from the cluster`))
    t.match(await asked.get('operator/autopilot/health'), { Healthy: true, FailureTolerance: 1 })
    await checkSameState(t, live)
  },
)
