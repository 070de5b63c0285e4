import t from 'tap'
import { joinAt, ownPlace } from '../../../src/replica/cluster/joining.ts'

t.test("join dials the servers' port where the port of Consul's gossip is named", async (t) => {
  const own = ownPlace({ advertiseAddress: '10.0.0.9', bindAddress: '0.0.0.0' }, 8300)
  for (const [named, dialled] of [
    ['10.0.0.1:8301', '10.0.0.1:8300'],
    ['10.0.0.1', '10.0.0.1:8300'],
    ['10.0.0.1:8302', '10.0.0.1:8302'],
    ['10.0.0.9:8301', '10.0.0.9:8301'],
  ] as const) {
    const asked: string[] = []
    const ask = async (address: string) => {
      asked.push(address)
      return { id: 'x', name: 'n', clusterId: 'c', address, founders: 0 } as never
    }
    const formation = { ask, add: () => {}, lastProblem: '' }
    t.equal(await joinAt(named, { own, formation, clusterId: () => 'c' }), 'joined')
    t.strictSame(asked, [dialled])
  }
})
