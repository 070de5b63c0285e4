import t from 'tap'
import { checkDefinition, registerCommand, serviceDefinition } from '../../helpers/catalog.ts'
import { TestApi } from '../support.ts'
import { b64, kv } from './rows.ts'

const get = JSON.stringify([kv('get', 'a')])
const set = (value: string) =>
  JSON.stringify([kv('set', 'a', { Value: b64(value) }), kv('set', 'b')])

t.test(
  'a transaction that only reads never enters the log, and is as fresh as asked for',
  async (t) => {
    const api = new TestApi(t)
    const { backend } = api
    await api.put('txn', set('one'))
    const { length } = backend.proposed
    const ask = async (query: string) => {
      const before = backend.barriers
      const { status, headers } = await api.put(`txn${query}`, get)
      t.equal(status, 200)
      return [
        headers['x-consul-effective-consistency'],
        headers['x-consul-knownleader'],
        backend.barriers - before,
      ]
    }
    t.strictSame(await ask(''), ['leader', 'true', 0], 'a server that is alone need not ask')
    t.strictSame(await ask('?consistent'), ['consistent', 'true', 1])
    t.strictSame(await ask('?stale'), ['stale', 'true', 0])
    backend.isLeading = false
    t.strictSame(await ask(''), ['leader', 'true', 1])
    backend.contactMs = 250
    const { body, headers } = await api.put('txn?stale', get)
    t.match(JSON.parse(body), { KnownLeader: true, LastContact: 250_000_000 })
    t.equal(String(headers['x-consul-lastcontact']), '250')
    t.equal(backend.proposed.length, length, 'nothing was proposed')
    backend.leaderAddress = ''
    t.strictSame(await ask('?stale'), ['stale', 'false', 0])
    for (const query of ['', '?consistent']) {
      const { status, body: text } = await api.put(`txn${query}`, get)
      t.match([status, text], [500, /^No cluster leader/])
    }
    t.match(await api.put('txn?stale', set('two')), { status: 500 }, 'a write needs a leader')
    t.match(await api.put('txn?stale&consistent', get), {
      status: 400,
      body: 'Cannot specify ?stale with ?consistent, conflicting semantics.',
    })
    t.match(await api.put('txn?dc=dc2', get), { status: 500, body: 'No path to datacenter' })
  },
)

t.test(
  'the index of a read is that of its moment: a wait for a later change misses none',
  async (t) => {
    const api = new TestApi(t)
    await api.put('txn', set('one'))
    const { headers } = await api.put('txn', get)
    const index = String(headers['x-consul-index'])
    const waiting = api.get(`kv/a?index=${index}&wait=10s`)
    await api.put('kv/elsewhere', 'x')
    await api.put('txn', set('two'))
    t.match(JSON.parse((await waiting).body), [{ Value: b64('two') }])
  },
)

t.test('a long answer is read in slices, and shows one moment', async (t) => {
  const api = new TestApi(t)
  for (let at = 0; at < 10; at++) {
    const ops = Array.from({ length: 100 }, (_, n) => kv('set', `t/${at}/${n}`, { Value: 'dg==' }))
    await api.put('txn', JSON.stringify(ops))
  }
  const ops = JSON.stringify([
    kv('get-tree', 't/'),
    kv('get-tree', 't/3/'),
    kv('check-not-exists', 'x'),
  ])
  const asked = api.put('txn?pretty', ops)
  const { status, body } = await asked
  t.equal(status, 200)
  const { Results } = JSON.parse(body) as { readonly Results: readonly object[] }
  t.equal(Results.length, 1100)
  t.match(Results[1000], { KV: { Key: 't/3/0' } })
  t.match(
    body,
    '{\n    "Results": [\n        {\n            "KV": {\n                "LockIndex": 0,',
  )
})

t.test('a write wakes each reader of a key or a service once, with all of it', async (t) => {
  const api = new TestApi(t)
  const { backend } = api
  backend.apply(
    registerCommand('w1', {
      service: serviceDefinition('web'),
      checks: [checkDefinition('c', { serviceId: 'web' })],
    }),
  )
  await api.put('txn', set('one'))
  const paths = ['kv/a', 'kv/?recurse', 'kv/b', 'health/service/web', 'catalog/node/w1']
  const waits = await Promise.all(
    paths.map(async (path) => {
      const { headers } = await api.get(path)
      const sign = path.includes('?') ? '&' : '?'
      return `${path}${sign}index=${String(headers['x-consul-index'])}&wait=60s`
    }),
  )
  const waiting = waits.map((path) => api.get(path))
  while (backend.waiting < waits.length) await new Promise((resolve) => setImmediate(resolve))
  const failing = [kv('set', 'a', { Value: b64('not this') }), kv('get', 'none')]
  t.equal((await api.put('txn', JSON.stringify(failing))).status, 409)
  t.equal(backend.waiting, waits.length, 'a transaction that fails wakes nobody')
  const ops = [
    kv('set', 'a', { Value: b64('two') }),
    { Service: { Verb: 'set', Node: 'w1', Service: { Service: 'web', Port: 80 } } },
    kv('set', 'a', { Value: b64('three') }),
    kv('delete', 'b'),
    {
      Check: {
        Verb: 'set',
        Check: { Node: 'w1', CheckID: 'c', ServiceID: 'web', Status: 'warning' },
      },
    },
  ]
  t.equal((await api.put('txn', JSON.stringify(ops))).status, 200)
  const [a, tree, b, health, node] = await Promise.all(waiting)
  t.match(JSON.parse(a?.body ?? ''), [{ Value: b64('three') }])
  t.match(JSON.parse(tree?.body ?? ''), [{ Key: 'a', Value: b64('three') }])
  t.equal(b?.status, 404)
  t.match(JSON.parse(health?.body ?? ''), [
    { Service: { Port: 80 }, Checks: [{ Status: 'warning' }] },
  ])
  t.match(JSON.parse(node?.body ?? ''), { Services: { web: { Port: 80 } } })
  const indexes = [a, tree, b, health, node].map((reply) => reply?.headers['x-consul-index'])
  t.equal(new Set(indexes).size, 1, 'all of one entry of the log')
  t.equal(backend.waiting, 0)
})

t.test('a transaction whose results are forgotten says that it was done', async (t) => {
  const api = new TestApi(t)
  api.backend.propose = async () => ({ ok: true, index: 7, isForgotten: true })
  t.match(await api.put('txn', set('one')), {
    status: 500,
    body: 'The transaction was done, at index 7, but its results are not known any more. Read the keys again.',
  })
})
