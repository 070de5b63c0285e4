import t from 'tap'
import type { Test } from 'tap'
import { indexOf, isConsul, KvApi } from './kv-api.ts'
import type { KvReply } from './kv-api.ts'
import { checkTable, entry } from './table.ts'

const yes = { status: 200, body: 'true' }

function entries(body: string, index: number): { status: number; body: string; index: string } {
  return { status: 200, body: `[${body}]`, index: `<${index}>` }
}

/** Consul notes a deleted tree under its own prefix only. */
const below = {
  index: '<7>',
  because: 'a watch of a part of a deleted tree must see that it is gone',
}

t.test('the index of a key, of a prefix and of the whole tree', async (t) => {
  const api = await KvApi.start(t)
  for (const key of ['a/b', 'a/c', 'ab', 'b']) await api.put(key)
  const [b, c] = [entry('a/b', 'dg==', 1), entry('a/c', 'dg==', 2)]
  const rest = [entry('ab', 'dg==', 3), entry('b', 'dg==', 4)]
  await checkTable(t, api, [
    { ask: 'GET kv/?recurse', ...entries([b, c, ...rest].join(','), 4) },
    { ask: 'GET kv/a/b', ...entries(b, 1) },
    { ask: 'GET kv/a/b?raw', status: 200, body: 'v', index: '<1>' },
    { ask: 'GET kv/a/?keys', status: 200, body: '["a/b","a/c"]', index: '<2>' },
    { ask: 'GET kv/a?keys&separator=/', status: 200, body: '["a/","ab"]', index: '<3>' },
    { ask: 'GET kv/b?recurse', ...entries(entry('b', 'dg==', 4), 4) },
    // The index of a prefix is one of its keys, also of one that is gone.
    { ask: 'DELETE kv/a/c', ...yes },
    { ask: 'GET kv/a/?keys', status: 200, body: '["a/b"]', index: '<5>' },
    { ask: 'GET kv/?keys', status: 200, body: '["a/b","ab","b"]', index: '<5>' },
    { ask: 'GET kv/a/b', ...entries(b, 1) },
    { ask: 'GET kv/b?keys', status: 200, body: '["b"]', index: '<4>' },
    { ask: 'PUT kv/b', send: 'w', ...yes },
    { ask: 'GET kv/b', ...entries(entry('b', 'dw==', 4, { modify: 6 }), 6) },
    { ask: 'GET kv/a/?keys', status: 200, body: '["a/b"]', index: '<5>' },
    { ask: 'DELETE kv/a?recurse', ...yes },
    { ask: 'GET kv/?keys', status: 200, body: '["b"]', index: '<7>' },
    { ask: 'GET kv/a/b', status: 404, body: '', index: '<7>' },
    { ask: 'GET kv/a/?keys', status: 404, body: '', index: '*', svcd: below },
    { ask: 'GET kv/ab?keys', status: 404, body: '', index: '*', svcd: below },
    { ask: 'GET kv/b?keys', status: 200, body: '["b"]', index: '<6>' },
    // Nothing was there to delete: nothing has changed.
    { ask: 'DELETE kv/a?recurse', ...yes },
    { ask: 'DELETE kv/never', ...yes },
    { ask: 'GET kv/?keys', status: 200, body: '["b"]', index: '<7>' },
    { ask: 'PUT kv/a/b', send: 'v', ...yes },
    { ask: 'GET kv/a/b', ...entries(entry('a/b', 'dg==', 8), 8) },
    { ask: 'GET kv/a/?keys', status: 200, body: '["a/b"]', index: '<8>' },
  ])
})

/** A blocking read that waits by now. */
async function watch(
  api: KvApi,
  path: string,
): Promise<{ next: Promise<KvReply>; first: KvReply }> {
  const first = await api.ask('GET', path)
  const mark = path.includes('?') ? '&' : '?'
  const next = api.ask('GET', `${path}${mark}index=${indexOf(first)}&wait=20s`)
  const { backend } = api.api ?? {}
  if (backend === undefined) await new Promise((resolve) => setTimeout(resolve, 200))
  else while (backend.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
  return { next, first }
}

/** Consul answers with the index of the whole store for a key that is not there. */
const early = isConsul && 'Consul wakes early'

type Change = readonly [method: string, key: string, body?: string]

const make = (api: KvApi, [method, key, body]: Change): Promise<KvReply> =>
  api.ask(method, `kv/${key}`, { body })

/** Changes that a watch sleeps through, and then the one that wakes it. */
async function checkWatch(
  t: Test,
  path: string,
  { through, wakes, body }: { through: readonly Change[]; wakes: Change; body: string },
): Promise<void> {
  const api = await KvApi.start(t)
  for (const key of ['a', 'a/x', 'a/y', 'ab', 'b']) await api.put(key)
  const { first, next } = await watch(api, path)
  let isAnswered = false
  void next.then(() => (isAnswered = true))
  for (const change of through) {
    t.equal((await make(api, change)).status, 200)
    t.notOk(isAnswered, `${change.join(' ')} does not wake ${path}`)
  }
  await make(api, wakes)
  const reply = await next
  t.equal(reply.body.toString().replaceAll(/\s/g, ''), body, `${path} after ${wakes.join(' ')}`)
  t.ok(indexOf(reply) > indexOf(first))
  // The same once more: it has seen all there is.
  t.equal(await api.index(path), indexOf(reply))
}

const others: readonly Change[] = [
  ['PUT', 'b', 'w'],
  ['PUT', 'c', 'w'],
  ['DELETE', 'b'],
  ['PUT', 'a', 'v'],
]

t.test('a watch of a key sees its changes, and no others wake it', async (t) => {
  const through: Change[] = [...others, ['PUT', 'a/x', 'w'], ['PUT', 'ab', 'w'], ['DELETE', 'ab']]
  await checkWatch(t, 'kv/a?raw', { through, wakes: ['PUT', 'a', 'w'], body: 'w' })
  await checkWatch(t, 'kv/a?raw', { through, wakes: ['DELETE', 'a'], body: '' })
  await checkWatch(t, 'kv/a?raw', { through, wakes: ['DELETE', 'a?recurse'], body: '' })
})

t.test(
  'a watch of a key that is not there waits for it, and others do not wake it',
  { skip: early },
  async (t) => {
    const through: Change[] = [...others, ['PUT', 'a/n/m', 'w'], ['DELETE', 'a/n/m']]
    await checkWatch(t, 'kv/a/n?raw', { through, wakes: ['PUT', 'a/n', 'new'], body: 'new' })
    const empty: Change[] = [...others, ['DELETE', 'z?recurse'], ['DELETE', 'z']]
    await checkWatch(t, 'kv/z/?keys', {
      through: empty,
      wakes: ['PUT', 'z/1', 'v'],
      body: '["z/1"]',
    })
  },
)

t.test(
  'a watch of a prefix sees each change below it, and no others wake it',
  { skip: early },
  async (t) => {
    const through: Change[] = [
      ...others,
      ['PUT', 'ab', 'w'],
      ['PUT', 'a/x', 'v'],
      ['DELETE', 'a/none'],
    ]
    const path = 'kv/a/?keys'
    await checkWatch(t, path, { through, wakes: ['DELETE', 'a/x'], body: '["a/y"]' })
    await checkWatch(t, path, { through, wakes: ['PUT', 'a/x', 'w'], body: '["a/x","a/y"]' })
    await checkWatch(t, path, {
      through,
      wakes: ['PUT', 'a/z/1', 'v'],
      body: '["a/x","a/y","a/z/1"]',
    })
    await checkWatch(t, path, { through, wakes: ['DELETE', 'a/?recurse'], body: '' })
    // A prefix that ends within a name.
    const within: Change[] = [...others, ['PUT', 'a/y', 'w'], ['PUT', 'ab', 'w'], ['DELETE', 'a/y']]
    await checkWatch(t, 'kv/a/x?keys', {
      through: within,
      wakes: ['PUT', 'a/xx', 'v'],
      body: '["a/x","a/xx"]',
    })
  },
)

t.test(
  'a watch of the whole tree sees every change, but nothing that changes nothing',
  async (t) => {
    const through: Change[] = [
      ['PUT', 'a', 'v'],
      ['DELETE', 'none'],
      ['DELETE', 'none?recurse'],
      ['PUT', 'a?cas=1', 'w'],
    ]
    const body = '["a","a/x","a/y","ab"]'
    await checkWatch(t, 'kv/?keys', { through, wakes: ['DELETE', 'b'], body })
  },
)

t.test('a watch ends after its time with what there is', async (t) => {
  const api = await KvApi.start(t)
  await api.put('a')
  const index = await api.index('kv/a')
  const reply = await api.ask('GET', `kv/a?raw&index=${index}&wait=20ms`)
  t.strictSame([reply.status, reply.body.toString(), indexOf(reply)], [200, 'v', index])
  const none = await api.index('kv/none')
  const missing = await api.ask('GET', `kv/none?index=${none}&wait=20ms`)
  t.strictSame([missing.status, indexOf(missing)], [404, none])
})

t.test('a watch may skip values, but never the last one, and its index only rises', async (t) => {
  const api = await KvApi.start(t)
  await api.put('a', '0')
  let index = await api.index('kv/a')
  let value = ''
  const watched = (async () => {
    while (value !== '99') {
      const reply = await api.ask('GET', `kv/a?raw&index=${index}&wait=20s`)
      t.ok(indexOf(reply) > index)
      index = indexOf(reply)
      value = reply.body.toString()
    }
  })()
  for (let at = 1; at < 100; at++) await api.put('a', String(at))
  await watched
  t.equal(value, '99')
})

t.test('without a leader a key is unknown, which is not to be taken for missing', async (t) => {
  const { api } = await KvApi.start(t)
  if (api === undefined) return
  await api.put('kv/a', 'v')
  api.backend.leaderAddress = ''
  for (const path of ['kv/a', 'kv/none', 'kv/?recurse', 'kv/none?keys']) {
    const { status, body } = await api.get(path)
    t.strictSame([status, body.slice(0, 17)], [500, 'No cluster leader'], path)
  }
  const put = await api.put('kv/a', 'w')
  t.match(put, { status: 500, body: /^No cluster leader/ })
  const stale = await api.get('kv/a?stale&raw')
  t.strictSame([stale.status, stale.body], [200, 'v'])
  t.equal((await api.get('kv/none?stale')).status, 404)
})
