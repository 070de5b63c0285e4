import t from 'tap'
import { svcdError } from '../../../src/base/errors.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { randomBelow, seededRandom } from '../../../src/base/random.ts'
import { ClusterFormation } from '../../../src/replica/cluster/formation.ts'
import type { Pledge, ServerInfo } from '../../../src/replica/cluster/formation.ts'
import { ClusterMarks } from '../../../src/replica/cluster/marks.ts'
import { finishFounding, foundCluster } from '../../../src/replica/cluster/founding.ts'
import { joinAt } from '../../../src/replica/cluster/joining.ts'
import { MemoryStore } from '../../helpers/memory-store.ts'

/** Servers that look for each other over a network which the test cuts. */
class World {
  readonly servers = new Map<string, Server>()
  isCut = (_from: string, _to: string): boolean => false
  refuses = (_address: string): boolean => false
  clusters = 0

  add(id: string, expect: number, knows: readonly string[]): Server {
    const server = new Server(this, id, expect, knows)
    this.servers.set(server.address, server)
    return server
  }
}

class Server {
  readonly address: string
  readonly formation: ClusterFormation
  pledge: Pledge | undefined
  clusterId: string | undefined
  founders: readonly string[] = []
  joined = false
  readonly invitedBy: string[] = []
  /** What it waits for, as its log has it. */
  readonly said: string[] = []
  readonly #info: () => ServerInfo

  constructor(world: World, id: string, expect: number, knows: readonly string[]) {
    this.address = `${id}:8300`
    const self = { id, name: id, address: this.address, expect }
    this.#info = () => ({
      ...self,
      clusterId: this.clusterId,
      epoch: 0,
      founders: this.pledge?.clusterId === this.clusterId ? (this.pledge?.founders ?? {}) : {},
    })
    this.formation = new ClusterFormation({
      self,
      retryJoin: knows.map((name) => `${name}:8300`),
      invitedBy: () => this.invitedBy,
      pledge: () => this.pledge,
      setPledge: (pledge) => (this.pledge = pledge),
      newClusterId: () => `c${++world.clusters}`,
      request: async <T>(address: string, kind: string, body: unknown) => {
        const server = world.servers.get(address)
        if (address !== this.address && world.refuses(address)) {
          const reason = 'it has a different cluster secret'
          throw svcdError('peer-refuses-connection', { peer: address, reason })
        }
        // Both ways of a request may be lost.
        if (server === undefined || world.isCut(id, address)) throw new Error('unreachable')
        const answer = server.answer(kind, body)
        if (world.isCut(address, id)) throw new Error('no answer')
        return answer as T
      },
      found: (clusterId, founders) => {
        this.clusterId = clusterId
        this.founders = Object.keys(founders).toSorted()
      },
      join: (clusterId) => {
        this.clusterId = clusterId
        this.joined = true
      },
      logger: { ...silentLogger, info: (fields) => void this.said.push(problemOf(fields)) },
      nowMs: () => 0,
    })
  }

  answer(kind: string, body: unknown): unknown {
    if (kind === 'info') return this.#info()
    if (kind === 'join') return 'ok'
    return this.formation.onPledgeRequest(body as Pledge, this.clusterId !== undefined)
  }
}

function problemOf(fields: unknown): string {
  return (fields as { readonly problem: string }).problem
}

const all = ['a', 'b', 'c']

t.test('three servers that expect three begin one cluster of the three', async (t) => {
  const world = new World()
  const servers = all.map((id) => world.add(id, 3, all))
  t.notOk(await servers[1]?.formation.attempt(), 'the one with the lowest id begins')
  for (const server of servers) t.ok(await server.formation.attempt())
  t.strictSame(
    servers.map(({ clusterId, founders }) => [clusterId, founders]),
    servers.map(() => ['c1', all]),
  )
})

t.test('with two of three nothing begins', async (t) => {
  const world = new World()
  const servers = ['a', 'b'].map((id) => world.add(id, 3, all))
  for (const server of servers) t.notOk(await server.formation.attempt())
  t.equal(servers[0]?.pledge, undefined)
})

t.test(
  'a server that refuses the connection is told apart from one that is not there',
  async (t) => {
    const world = new World()
    const server = world.add('a', 3, ['a', 'b', 'c', 'd'])
    world.refuses = (address) => address !== 'd:8300'
    t.notOk(await server.formation.attempt())
    t.strictSame(server.said, [
      'cannot reach d:8300; the connection to b:8300, c:8300 was refused (the log has the reason); found 1 of 3 servers',
    ])
  },
)

t.test('servers that expect different numbers begin nothing', async (t) => {
  const world = new World()
  const servers = [world.add('a', 3, all), world.add('b', 3, all), world.add('c', 5, all)]
  for (const server of servers) t.notOk(await server.formation.attempt())
})

t.test('a server that comes later joins instead of beginning another cluster', async (t) => {
  const world = new World()
  const servers = all.map((id) => world.add(id, 3, all))
  for (const server of servers) await server.formation.attempt()
  const late = world.add('0', 3, ['a'])
  t.ok(await late.formation.attempt())
  t.ok(late.joined)
  t.equal(late.clusterId, 'c1')
})

t.test(
  'one server that expects itself begins at once, and again after a crash in between',
  async (t) => {
    const world = new World()
    const server = world.add('a', 1, [])
    t.ok(await server.formation.attempt())
    t.strictSame(server.founders, ['a'])
  },
)

t.test('a server that knows nobody joins the cluster that has added it', async (t) => {
  const world = new World()
  const a = world.add('a', 1, [])
  await a.formation.attempt()
  const b = world.add('b', 3, [])
  t.notOk(await b.formation.attempt())
  b.invitedBy.push('a:8300')
  t.ok(await b.formation.attempt())
  t.match(b, { clusterId: 'c1', joined: true })
})

t.test('one that expects only itself joins a cluster that it is pointed at', async (t) => {
  const world = new World()
  const a = world.add('a', 1, ['b'])
  t.equal(await a.formation.attempt(), true, 'nobody is there: it begins alone')
  const b = world.add('b', 1, ['a', 'nobody'])
  t.equal(await b.formation.attempt(), true)
  t.match(b, { clusterId: 'c1', joined: true })
  t.equal(world.clusters, 1, 'no second cluster')
})

t.test('a founder that has lost its data is not taken back under its old id', async (t) => {
  const world = new World()
  const servers = all.map((id) => world.add(id, 3, all))
  for (const server of servers) await server.formation.attempt()
  const wiped = world.add('b', 3, all)
  t.notOk(await wiped.formation.attempt())
  t.equal(wiped.clusterId, undefined)
})

t.test('two that each take themselves for the lowest agree on one cluster', async (t) => {
  const world = new World()
  const [a, b, c, d] = [
    world.add('a', 3, ['a', 'c', 'd']),
    world.add('b', 3, ['b', 'c', 'd']),
    world.add('c', 3, all),
    world.add('d', 3, ['a', 'b', 'c']),
  ]
  for (let round = 0; round < 6; round++) {
    for (const server of [b, a, d, c]) {
      if (server.clusterId === undefined) await server.formation.attempt()
    }
  }
  const ids = [a, b, c, d].map(({ clusterId }) => clusterId)
  t.equal(new Set(ids).size, 1, `all are in one: ${ids.join(' ')}`)
})

t.test('whatever is lost on the way, no server is in a cluster of its own', async (t) => {
  for (let seed = 0; seed < 300; seed++) {
    const random = seededRandom(seed)
    const world = new World()
    const names = ['a', 'b', 'c', 'd', 'e'].slice(0, 3 + randomBelow(random, 3))
    const servers = names.map((id) =>
      world.add(
        id,
        3,
        names.filter((name) => name !== id && random() < 0.8),
      ),
    )
    const lossRate = random() * 0.5
    world.isCut = () => random() < lossRate
    for (let round = 0; round < 30; round++) {
      // At once, so that their questions cross.
      await Promise.all(
        servers
          .filter(({ clusterId }) => clusterId === undefined)
          .map((server) => server.formation.attempt()),
      )
    }
    const founded = servers.filter(({ clusterId, joined }) => clusterId !== undefined && !joined)
    const ids = new Set(founded.map(({ clusterId }) => clusterId))
    if (ids.size > 1) t.fail(`seed ${seed}: ${[...ids].join(', ')}`)
    const members = new Set(founded.map(({ founders }) => founders.join()))
    if (members.size > 1) t.fail(`seed ${seed}: different founders`)
  }
  t.pass('300 seeds')
})

t.test('a server without a cluster joins where an operator says', async (t) => {
  const world = new World()
  const a = world.add('a', 1, [])
  const lost = world.add('lost', 0, ['nowhere'])
  const join = (server: Server, address: string): Promise<string> =>
    joinAt(address, {
      own: { serverPort: 8300, addresses: [] },
      formation: server.formation,
      clusterId: () => server.clusterId,
    })
  await t.rejects(join(lost, 'gone:8300'), { message: 'unreachable' })
  await lost.formation.attempt()
  t.equal(await join(lost, a.address), 'waiting', 'there is no cluster yet: it is remembered')
  await a.formation.attempt()
  const joined = join(lost, a.address)
  await lost.formation.attempt()
  t.equal(await joined, 'joined')
  t.equal(lost.clusterId, a.clusterId)
  t.equal(await join(lost, a.address), 'joined', 'it is there already')
  t.equal(await join(a, a.address), 'joined', 'itself, as in Consul')

  const other = world.add('other', 1, [])
  const alone = world.add('alone', 0, ['nowhere'])
  await t.rejects(join(a, alone.address), {
    code: 'operation-refused',
    message: /alone at alone:8300 is not: run `svcd join` on that server/,
  })
  await other.formation.attempt()
  await t.rejects(join(a, other.address), {
    code: 'operation-refused',
    message: /other at other:8300 is in another cluster/,
  })
})

t.test(
  'who has pledged itself to an attempt is free when its starter tries with others',
  async (t) => {
    const world = new World()
    const names = ['a', 'b', 'c', 'd']
    const [a, b, , d] = names.map((id) => world.add(id, 3, names))
    if (a === undefined || b === undefined || d === undefined) throw new Error('four servers')
    world.isCut = (_from, to) => to === 'c:8300'
    d.pledge = { clusterId: 'other', by: 'z', founders: {}, released: [] }
    t.notOk(await a.formation.attempt(), 'd has given its word elsewhere')
    t.same(Object.keys(b.pledge?.founders ?? {}), ['a', 'b', 'd'])
    world.isCut = () => false
    t.ok(await a.formation.attempt())
    t.same(a.founders, ['a', 'b', 'c'])
  },
)

t.test(
  'a stop between the first entry and the id leaves the cluster begun as it was',
  async (t) => {
    const marks = new Map<string, string>()
    const store = new MemoryStore()
    const kept = {
      meta: (key: string) => marks.get(key),
      setMeta: (key: string, value: string) => void marks.set(key, value),
    }
    const founders = { a: 'a:8300', b: 'b:8300', c: 'c:8300' }
    const one = new ClusterMarks(kept)
    one.setPledge({ clusterId: 'c1', by: 'a', founders, released: [] })
    const stopped = {
      setClusterId: () => {
        throw new Error('killed')
      },
    }
    t.throws(() => foundCluster(store, stopped, { clusterId: 'c1', founders }), /killed/)
    const two = new ClusterMarks(kept)
    finishFounding(store, two)
    t.equal(two.clusterId, 'c1')
    const empty = new ClusterMarks({ meta: () => undefined, setMeta: () => {} })
    finishFounding(new MemoryStore(), empty)
    t.equal(empty.clusterId, undefined)
  },
)

t.test(
  'a server that begins alone and stops behind its first entry begins no second one',
  async (t) => {
    const world = new World()
    const one = world.add('a', 1, [])
    const store = new MemoryStore()
    const meta = new Map<string, string>()
    const marks = new ClusterMarks({
      meta: (key) => meta.get(key),
      setMeta: (key, value) => void meta.set(key, value),
    })
    t.ok(await one.formation.attempt())
    t.match(one.pledge, { clusterId: 'c1', by: 'a', founders: { a: 'a:8300' } })
    if (one.pledge === undefined) throw new Error('it has pledged itself')
    marks.setPledge(one.pledge)
    const stopped = {
      setClusterId: () => {
        throw new Error('killed')
      },
    }
    const founding = { clusterId: 'c1', founders: one.pledge.founders }
    t.throws(() => foundCluster(store, stopped, founding), /killed/)
    finishFounding(store, marks)
    t.equal(marks.clusterId, 'c1', 'it looks for no cluster with the log of one it has begun')
  },
)

t.test('a server that is to begin alone keeps the word that it gave to another', async (t) => {
  const founders = { a: 'a:8300', b: 'b:8300', c: 'c:8300' }
  const promised: Pledge = { clusterId: 'c9', by: 'a', founders, released: [] }
  const server = new World().add('b', 1, [])
  server.pledge = promised
  t.notOk(await server.formation.attempt(), 'it would be another cluster under the same id')
  t.match(server.formation.lastProblem, /has promised to form a cluster with server a/)
  t.same(server.pledge, promised)
  const own = new World().add('a', 1, [])
  own.pledge = promised
  t.ok(await own.formation.attempt(), 'its own attempt it may give up')
  t.match(own.pledge, { clusterId: 'c1', founders: { a: 'a:8300' }, released: ['c9'] })
})
