import t from 'tap'
import type { Test } from 'tap'
import { CatalogPages } from '../../src/state/catalog/pages.ts'
import { subject } from '../../src/state/catalog/subjects.ts'
import type { Reply } from './support.ts'
import { TestApi } from './support.ts'

const register = (api: TestApi, Name: string): Promise<Reply> =>
  api.put('agent/service/register', { Name })

/** Resolves once `count` reads wait for a change. */
async function waiting(api: TestApi, count: number): Promise<void> {
  while (api.backend.waiting < count) await new Promise((resolve) => setImmediate(resolve))
}

const indexOf = (reply: Reply): number => Number(reply.headers['x-consul-index'])

/** What a blocking read of `web` is answered: nothing for another service, then its own change. */
async function nextOfWeb(t: Test, api: TestApi, path: string): Promise<Reply> {
  let isAnswered = false
  const blocked = api.get(path).then((reply) => {
    isAnswered = true
    return reply
  })
  await waiting(api, 1)
  await register(api, 'other')
  await api.get('status/leader')
  t.notOk(isAnswered, 'another service is none of its business')
  await api.put('agent/service/register', { Name: 'web', Port: 81 })
  return blocked
}

t.test('a blocking read answers when its service changes, not when another does', async (t) => {
  const api = new TestApi(t)
  await register(api, 'web')
  const first = await api.get('health/service/web')
  const second = await nextOfWeb(t, api, `health/service/web?index=${indexOf(first)}`)
  t.ok(indexOf(second) > indexOf(first))
  t.match(JSON.parse(second.body), [{ Service: { Port: 81 } }])
})

t.test('a service that does not exist can be waited for', async (t) => {
  const api = new TestApi(t)
  const first = await api.get('health/service/web')
  t.equal(indexOf(first), 1)
  const blocked = api.get('health/service/web?index=1')
  await waiting(api, 1)
  await register(api, 'web')
  t.equal((JSON.parse((await blocked).body) as unknown[]).length, 1)
})

t.test('the index stays after a service is gone, and its return is seen', async (t) => {
  const api = new TestApi(t)
  await register(api, 'web')
  const before = indexOf(await api.get('catalog/service/web'))
  await api.put('agent/service/deregister/web')
  const gone = await api.get(`catalog/service/web?index=${before}`)
  t.ok(indexOf(gone) > before)
  t.equal(gone.body, '[]')
  const blocked = api.get(`catalog/service/web?index=${indexOf(gone)}`)
  await waiting(api, 1)
  await register(api, 'web')
  t.ok(indexOf(await blocked) > indexOf(gone))
})

const subjects: readonly (readonly [path: string, change: (api: TestApi) => Promise<unknown>])[] = [
  ['health/service/a', (api) => api.put('agent/check/fail/service:a')],
  ['health/checks/a', (api) => api.put('agent/check/fail/service:a')],
  ['health/node/n1', (api) => api.put('agent/check/fail/service:a')],
  ['health/state/any', (api) => api.put('agent/check/fail/service:a')],
  ['catalog/services', (api) => register(api, 'b')],
  ['catalog/node/n1', (api) => register(api, 'b')],
  ['catalog/node-services/n1', (api) => register(api, 'b')],
  ['catalog/nodes', (api) => api.put('catalog/register', { Node: 'x', Address: '10.0.0.1' })],
  ['catalog/service/a', (api) => api.put('agent/service/deregister/a')],
]

t.test('every catalog read can be waited on', async (t) => {
  for (const [path, change] of subjects) {
    await t.test(path, async (t) => {
      const api = new TestApi(t)
      await api.put('agent/service/register', {
        Name: 'a',
        Check: { TTL: '1h', Status: 'passing' },
      })
      const first = await api.get(path)
      const blocked = api.get(`${path}?index=${indexOf(first)}`)
      await waiting(api, 1)
      await change(api)
      const second = await blocked
      t.ok(indexOf(second) > indexOf(first))
      t.not(second.body, first.body)
    })
  }
})

t.test('without a change the wait ends after its time, a sixteenth more at most', async (t) => {
  let nowMs = 0
  const asked: number[] = []
  const clock = { monotonicMs: () => nowMs }
  const api = new TestApi(t, { clock, random: () => 0.5 })
  const { backend } = api
  backend.waitForChange = (_subject, _since, timeoutMs) => {
    asked.push(timeoutMs)
    nowMs += timeoutMs
    return { ended: Promise.resolve(), end: () => {} }
  }
  const cases: readonly (readonly [string, number])[] = [
    ['index=1', 300_000 * (1 + 0.5 / 16)],
    ['index=1&wait=0s', 300_000 * (1 + 0.5 / 16)],
    ['index=1&wait=16s', 16_500],
    ['index=1&wait=10ms', 10 * (1 + 0.5 / 16)],
    ['index=1&wait=24h', 600_000 * (1 + 0.5 / 16)],
  ]
  for (const [query, timeoutMs] of cases) {
    const reply = await api.get(`health/service/web?${query}`)
    t.strictSame([reply.status, reply.body], [200, '[]'], query)
    t.equal(asked.pop(), timeoutMs, query)
  }
})

t.test('without an index, or with one of another life, the answer comes at once', async (t) => {
  const api = new TestApi(t)
  await register(api, 'web')
  for (const query of ['index=0', 'wait=10s', 'index=', 'index=99999', 'index=1']) {
    const reply = await api.get(`health/service/web?${query}`)
    t.equal(reply.status, 200, query)
    t.ok(indexOf(reply) > 1, query)
  }
})

t.test('a change between the read and the wait is not missed', async (t) => {
  const api = new TestApi(t)
  await register(api, 'web')
  const index = indexOf(await api.get('health/service/web'))
  const { backend } = api
  const wait = backend.waitForChange.bind(backend)
  backend.waitForChange = (...args) => {
    backend.waitForChange = wait
    const changed = async (): Promise<void> => {
      await register(api, 'filler')
      await api.put('agent/service/register', { Name: 'web', Port: 81 })
      await wait(...args).ended
    }
    return { ended: changed(), end: () => {} }
  }
  const reply = await api.get(`health/service/web?index=${index}&wait=5m`)
  t.match(JSON.parse(reply.body), [{ Service: { Port: 81 } }])
})

t.test('a client that hangs up leaves no wait behind', async (t) => {
  const api = new TestApi(t)
  const address = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const controller = new AbortController()
  const url = `${address}/v1/health/service/web?index=1`
  const blocked = fetch(url, { signal: controller.signal }).catch(() => 'hung up')
  await waiting(api, 1)
  controller.abort()
  t.equal(await blocked, 'hung up')
  while (api.backend.waiting > 0) await new Promise((resolve) => setImmediate(resolve))
  t.equal(api.backend.waiting, 0)
})

t.test('stopping answers the reads that wait', async (t) => {
  const api = new TestApi(t)
  const address = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const blocked = fetch(`${address}/v1/health/service/web?index=1`)
  await waiting(api, 1)
  await api.app.close()
  const response = await blocked
  t.equal(response.status, 200)
  t.equal(response.headers.get('connection'), 'close', 'or the stop would wait for the client')
  t.equal(await response.text(), '[]')
})

t.test('a change is read and serialised once, however many wait for it', async (t) => {
  const api = new TestApi(t)
  await register(api, 'web')
  const index = indexOf(await api.get('health/service/web'))
  const blocked = Array.from({ length: 50 }, (_, n) =>
    api.get(`health/service/web?passing=${n % 2 === 0}&index=${index}&wait=${n + 1}m`),
  )
  await waiting(api, 50)
  let reads = 0
  const instances = Reflect.get(CatalogPages.prototype, 'instances') as (n: string) => unknown
  t.intercept(CatalogPages.prototype, 'instances', {
    value(this: CatalogPages, name: string) {
      reads++
      return instances.call(this, name)
    },
  })
  await api.put('agent/service/register', { Name: 'web', Port: 81 })
  for (const { body } of await Promise.all(blocked)) {
    t.match(JSON.parse(body), [{ Service: { Port: 81 } }])
  }
  t.equal(reads, 2, 'one for each of the two questions')
})

t.test('an answer is not kept over a change, nor for another question', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', { Name: 'web', Tags: ['a'] })
  const length = async (query: string): Promise<number> =>
    (await api.json<unknown[]>(`health/service/web?${query}`)).length
  t.equal(await length('tag=a'), 1)
  t.equal(await length('tag=b'), 0)
  t.equal(await length('tag=a&tag=b'), 0)
  await api.put('agent/service/register', { Name: 'web', Tags: ['b'] })
  t.equal(await length('tag=a'), 0)
  t.equal(await length('tag=b'), 1)
  const compact = await api.get('health/service/web')
  const pretty = await api.get('health/service/web?pretty')
  t.not(pretty.body, compact.body)
  t.strictSame(JSON.parse(pretty.body), JSON.parse(compact.body))
})

t.test('agent/service waits while the hash of its contents is the one that is known', async (t) => {
  const api = new TestApi(t)
  await register(api, 'web')
  const first = await api.get('agent/service/web')
  const hash = String(first.headers['x-consul-contenthash'])
  t.equal((JSON.parse(first.body) as { ContentHash: string }).ContentHash, hash)
  const other = await api.get('agent/service/web?hash=0123456789abcdef')
  t.equal(other.body, first.body, 'another hash is answered at once')
  const second = await nextOfWeb(t, api, `agent/service/web?hash=${hash}`)
  t.not(second.headers['x-consul-contenthash'], hash)
  t.match(JSON.parse(second.body), { Port: 81 })
  const same = String(second.headers['x-consul-contenthash'])
  const timedOut = await api.get(`agent/service/web?hash=${same}&wait=10ms`)
  t.equal(timedOut.body, second.body, 'the time is over')
  const gone = api.get(`agent/service/web?hash=${same}`)
  await waiting(api, 1)
  await api.put('agent/service/deregister/web')
  t.equal((await gone).status, 404)
})

const count = 260

/** Much of everything: nodes, services, instances of one, services on one node, and their checks. */
async function filled(api: TestApi): Promise<void> {
  const check = (ServiceID: string) => ({
    Name: 'up',
    CheckID: ServiceID,
    ServiceID,
    Status: 'passing',
  })
  for (let n = 0; n < count; n++) {
    const id = `web-${String(n).padStart(3, '0')}`
    const big = { Node: 'big', Address: '10.0.0.1' }
    await api.put('catalog/register', {
      ...big,
      Service: { Service: `s${n}`, ID: id },
      Check: check(id),
    })
    const node = { Node: `node-${n}`, Address: '10.0.0.2' }
    await api.put('catalog/register', {
      ...node,
      Service: { Service: 'web', ID: id },
      Check: check(id),
    })
  }
}

const lists: readonly (readonly [path: string, rows: number])[] = [
  ['catalog/nodes', count + 2],
  // With the service of the servers, and the check of this node.
  ['catalog/services', count + 2],
  ['catalog/service/web', count],
  ['catalog/node/big', count],
  ['catalog/node-services/big', count],
  ['health/service/web', count],
  ['health/checks/web', count],
  ['health/node/big', count],
  ['health/state/passing', 2 * count + 1],
]

t.test('a long list is made a slice at a time, once for all who ask, and is whole', async (t) => {
  const api = new TestApi(t)
  await filled(api)
  for (const [path, rows] of lists) {
    const before = api.backend.sliced
    const [first, second, pretty] = await Promise.all([
      api.get(path),
      api.get(path),
      api.get(`${path}?pretty`),
    ])
    t.equal(api.backend.sliced - before, 2, `${path}: compact and pretty`)
    const answer = JSON.parse(first.body) as object & { Services?: object }
    t.equal(Object.keys(answer.Services ?? answer).length, rows, path)
    t.equal(second.body, first.body, path)
    t.equal(pretty.body, `${JSON.stringify(answer, null, 4)}\n`, `${path}?pretty`)
    const filter = encodeURIComponent('Nope == 1')
    t.equal((await api.get(`${path}?filter=${filter}`)).status, 400, path)
  }
  const none = await api.get('health/state/critical')
  t.equal(none.body, '[]', 'rows that are left out count as steps')
  const critical = api.backend.read((catalog) => [...catalog.pages.checks('critical')])
  t.strictSame(critical, [undefined, undefined], 'a page without any is a step')
  t.equal(await length(api, 'health/service/web?filter=Node.Node matches "^node-1..$"'), 100)
  t.equal(await length(api, 'catalog/nodes?filter=Node == big'), 1)
})

async function length(api: TestApi, path: string): Promise<number> {
  return (await api.json<unknown[]>(encodeURI(path))).length
}

t.test('those who wait are woken a few at a time, so that others get their turn', async (t) => {
  const api = new TestApi(t)
  await register(api, 'web')
  const { backend } = api
  const since = backend.version()
  const waits = Array.from({ length: 100 }, () =>
    backend.waitForChange(subject.service('web'), since, 60_000),
  )
  const other = backend.waitForChange(subject.service('other'), since, 60_000)
  await backend.agent.deregisterService('web', { actor: 'a', cause: 'c' })
  const left = [backend.waiting]
  while (backend.waiting > 1) {
    await new Promise((resolve) => setImmediate(resolve))
    left.push(backend.waiting)
  }
  t.strictSame(left, [69, 37, 5, 1])
  await Promise.all(waits.map(({ ended }) => ended))
  other.end()
  await other.ended
  t.equal(backend.waiting, 0)
})

t.test('the lists of an agent are made a slice at a time, too', async (t) => {
  const api = new TestApi(t)
  const ids = Array.from({ length: 300 }, (_, n) => `s-${n}`)
  for (const ID of ids) {
    await api.put('agent/service/register', { Name: 'web', ID, Check: { TTL: '1h' } })
  }
  const lists = [
    ['agent/services', ids, 'Service'],
    ['agent/checks', ids.map((id) => `service:${id}`), 'Name'],
  ] as const
  for (const [path, keys, field] of lists) {
    const before = api.backend.sliced
    const whole = await api.json<object>(path)
    t.equal(api.backend.sliced - before, 1, path)
    t.strictSame(Object.keys(whole), keys.toSorted(), path)
    t.strictSame(await api.json(encodeURI(`${path}?filter=${field} == zz`)), {}, path)
  }
  const before = api.backend.sliced
  const health = await api.get('agent/health/service/name/web')
  t.equal(health.status, 503)
  t.equal((JSON.parse(health.body) as unknown[]).length, 300)
  t.equal(api.backend.sliced - before, 1)
})
