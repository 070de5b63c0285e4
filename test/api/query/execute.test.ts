import t from 'tap'
import { isConsul } from '../kv/kv-api.ts'
import { QueryApi } from './query-api.ts'

const meta = '"Index":0,"LastContact":0,"KnownLeader":true,"ConsistencyLevel":"leader"'

function executed(service: string, ttl = ''): string {
  return (
    `{"Service":"${service}","Nodes":[],"DNS":{"TTL":"${ttl}"},"Datacenter":"dc1","Failovers":0,` +
    `${meta}}`
  )
}

t.test('a query without an instance answers with an empty list', async (t) => {
  const api = await QueryApi.start(t)
  await api.create({ Name: 'none', Service: { Service: 'nobody' }, DNS: { TTL: '10s' } })
  await api.create({ Name: 'mesh', Service: { Service: 'db', Connect: true } })
  const Failover = { NearestN: 3, Datacenters: ['dc8', 'dc9'] }
  await api.create({ Name: 'over', Service: { Service: 'nobody', Failover } })
  const found = (path: string, status: number, body: string) => ({
    ask: `GET query/${path}`,
    status,
    body,
  })
  await api.check(t, [
    found('none/execute', 200, executed('nobody', '10s')),
    found('NONE/execute?limit=-1', 200, executed('nobody', '10s')),
    found('mesh/execute', 200, executed('db')),
    // No other datacenter is asked.
    {
      ...found('over/execute', 200, executed('nobody')),
      ...(isConsul && { body: '{"Service":"nobody"…' }),
    },
    found('nope/execute', 404, 'Query not found…'),
    found('nope/explain', 404, 'Query not found…'),
    found('none/execute?limit=x', 500, 'Bad limit: strconv.Atoi: parsing "x": invalid syntax'),
    found(
      'none/execute?connect=abc',
      500,
      'Error parsing \'connect\' value: strconv.ParseBool: parsing "abc": invalid syntax',
    ),
    found('none/execute?dc=dc9', 500, 'No path to datacenter'),
    found('none/execute?stale&consistent', 400, 'Cannot specify ?stale with ?consistent…'),
  ])
  const stale = await api.text('GET', 'query/none/execute?stale')
  t.match(JSON.parse(stale), { ConsistencyLevel: 'stale' })
  const consistent = await api.text('GET', 'query/none/explain?consistent')
  t.match(JSON.parse(consistent), { ConsistencyLevel: 'consistent', Query: { Name: 'none' } })
})

/** The nodes that a query for `db` chooses, in any order. */
const choices: readonly (readonly [service: object, nodes: string])[] = [
  [{}, 'm1 m2'],
  [{ Tags: [] }, 'm1 m2'],
  [{ Tags: ['m'] }, 'm1 m2'],
  [{ Tags: ['M', 'S'] }, 'm1'],
  [{ Tags: ['!s'] }, 'm2'],
  [{ OnlyPassing: true }, 'm1'],
  [{ IgnoreCheckIDs: ['c1'] }, 'm1 m2 m3'],
  [{ IgnoreCheckIDs: ['C1'] }, 'm1 m2'],
  [{ IgnoreCheckIDs: ['w1'], OnlyPassing: true }, 'm1 m2'],
  [{ NodeMeta: { os: 'linux' } }, 'm1'],
  [{ NodeMeta: { os: '' } }, ''],
  [{ ServiceMeta: { v: '1' } }, 'm1'],
  [{ Connect: true }, ''],
  [{ Near: 'nowhere' }, 'm1 m2'],
]

async function withChecks(t: Parameters<typeof QueryApi.start>[0]): Promise<QueryApi> {
  const api = await QueryApi.start(t)
  const check = (CheckID: string, Status: string, rest: object = {}) => ({
    Check: { CheckID, Name: CheckID, Status, ...rest },
  })
  await api.register('m2', { Tags: ['m'] }, check('w1', 'warning', { ServiceID: 'db' }))
  await api.register('m3', { Tags: [] }, check('c1', 'critical'))
  return api
}

t.test('a query chooses the instances that Consul chooses', async (t) => {
  const api = await withChecks(t)
  for (const [service, nodes] of choices) {
    const id = await api.create({ Name: 'q', Service: { Service: 'db', ...service } })
    const chosen = await api.nodes('query/q/execute')
    t.equal(chosen.toSorted().join(' '), nodes, JSON.stringify(service))
    t.strictSame((await api.nodes(`query/${id}/execute`)).length, chosen.length)
    await api.text('DELETE', `query/${id}`)
  }
})

t.test('the rows are those of health/service, and the near node comes first', async (t) => {
  const api = await withChecks(t)
  await api.create({ Name: 'q', Service: { Service: 'db', Near: 'm2' } })
  await api.create({ Name: 'any', Service: { Service: 'db' } })
  const { Nodes } = JSON.parse(await api.text('GET', 'query/q/execute')) as { Nodes: unknown[] }
  const rows = JSON.parse(await api.text('GET', 'health/service/db')) as unknown[]
  t.match(Nodes[0], { Node: { Node: 'm2' }, Checks: [{ CheckID: 'w1' }] })
  if (!isConsul) t.strictSame(Nodes, [rows[1], rows[0]])
  const orders = new Set<string>()
  for (let n = 0; n < 40; n++) {
    t.equal((await api.nodes('query/q/execute'))[0], 'm2')
    t.equal((await api.nodes('query/q/execute?near=m1'))[0], 'm1')
    t.strictSame(await api.nodes('query/any/execute?near=m2&limit=1'), ['m2'])
    orders.add((await api.nodes('query/any/execute')).join(' '))
  }
  t.equal(orders.size, 2, 'without a near node the order is random')
})

const name_prefix_match = 'name_prefix_match'

t.test('a template answers for all names that begin with its own', async (t) => {
  const api = await QueryApi.start(t)
  const Template = { Type: name_prefix_match, Regexp: '^geo-(.*?)-([^-]+)$', RemoveEmptyTags: true }
  const geo = await api.create({
    Name: 'geo-',
    Template,
    Service: { Service: '${match(1)}', Tags: ['${match(2)}', ''] },
    DNS: { TTL: '5s' },
  })
  await api.create({ Name: 'geo-db-exact', Service: { Service: 'exact' } })
  await api.create({ Name: 'geo-db-l', Template, Service: { Service: 'longer' } })
  const wild = { Type: name_prefix_match }
  await api.create({ Template: wild, Service: { Service: 'all-${name.full}' } })
  const service = async (name: string): Promise<unknown> => {
    const text = await api.text('GET', `query/${name}/explain`)
    const { Query } = JSON.parse(text) as { Query: { Service: { Service: string; Tags: unknown } } }
    return [Query.Service.Service, Query.Service.Tags]
  }
  t.strictSame(await service('geo-db-m'), ['db', ['m']])
  t.strictSame(await service('geo-a-b-c'), ['a-b', ['c']])
  t.strictSame(await service('geo-none'), ['', []])
  t.strictSame(await service('GEO-DB-EXACT'), ['exact', null])
  t.strictSame(await service('geo-db-long'), ['longer', []])
  t.strictSame(await service('other'), ['all-other', null])
  t.strictSame(await service('a/b'), ['all-a/b', null])
  t.strictSame(await service('a%2Fb%20c'), ['all-a/b c', null])
  t.strictSame(await service('execute'), ['all-execute', null])
  t.strictSame((await api.nodes('query/geo-db-m/execute')).toSorted(), ['m1', 'm2'])
  const byId = 'prepared query templates can only be resolved up by name, not by ID'
  for (const way of ['execute', 'explain']) {
    await api.check(t, [{ ask: `GET query/${geo}/${way}`, status: 500, body: byId }])
  }
})

t.test('a name without a value under its template is told why', async (t) => {
  const api = await QueryApi.start(t)
  await api
    .create({
      Name: 'n-',
      Template: { Type: name_prefix_match, Regexp: '^n-(.*)$' },
      Service: { Service: 'db', Near: 'm${"0${match(1)}" + 1}' },
    })
    .catch((error: unknown) => t.match(error, isConsul ? Error : /never/))
  if (isConsul) return
  t.strictSame((await api.nodes('query/n-1/execute'))[0], 'm2')
  await api.check(t, [
    {
      ask: 'GET query/n-x/execute',
      status: 500,
      body: 'Bad evaluation for \'m${"0${match(1)}" + 1}\' in Service.Near: __builtin_StringToInt: strconv.ParseInt: parsing "0x": invalid syntax',
    },
  ])
})

t.test('a list waits for a change of any query, and a query for its own', async (t) => {
  const api = await QueryApi.start(t)
  const one = await api.create({ Name: 'one', Service: { Service: 'db' } })
  const index = async (path: string): Promise<number> => api.kv.index(path)
  const waited = async (path: string): Promise<string> =>
    api.text('GET', `${path}?index=${await index(path)}&wait=60s`)
  const list = waited('query')
  const query = waited(`query/${one}`)
  await new Promise((resolve) => setImmediate(resolve))
  const two = await api.create({ Name: 'two', Service: { Service: 'db' } })
  t.equal((JSON.parse(await list) as unknown[]).length, 2)
  await api.text('PUT', `query/${one}`, { Name: 'uno', Service: { Service: 'db' } })
  // Consul also wakes those who wait for another query.
  if (!isConsul) t.match(JSON.parse(await query), [{ Name: 'uno' }])
  const gone = api.kv.ask('GET', `query/${two}?index=${await index(`query/${two}`)}&wait=60s`)
  await api.text('DELETE', `query/${two}`)
  t.equal((await gone).status, 404)
})

t.test('a large service is executed in slices, with a limit', async (t) => {
  const api = await QueryApi.start(t)
  if (isConsul) return
  for (let n = 0; n < 600; n++) await api.register(`m${n % 250}`, { ID: `db${n}` })
  await api.create({ Name: 'q', Service: { Service: 'db' } })
  t.equal((await api.nodes('query/q/execute')).length, 603)
  t.equal((await api.nodes('query/q/execute?limit=7')).length, 7)
})
