import t from 'tap'
import { KvApi } from './kv-api.ts'
import { checkTable, entry } from './table.ts'
import type { Row } from './table.ts'

const json = { 'content-type': 'application/json' }
const nothing = { status: 404, body: '', index: '*' }

/** The keys of a small tree, in bytewise order. */
const tree = ['Ab', 'a', 'a/', 'a/b', 'a/b/c', 'a/b/d', 'a/e', 'ab', 'b/', 'b/c', 'é', '😀']

async function withTree(t: import('tap').Test): Promise<KvApi> {
  const api = await KvApi.start(t)
  for (const key of tree) await api.put(encodeURI(key))
  return api
}

function keys(ask: string, ...found: readonly string[]): Row {
  return { ask: `GET kv/${ask}`, status: 200, body: JSON.stringify(found), index: '*' }
}

t.test('keys lists bytewise, up to a separator', async (t) => {
  const api = await withTree(t)
  await checkTable(t, api, [
    keys('?keys', ...tree),
    keys('?keys&separator=/', 'Ab', 'a', 'a/', 'ab', 'b/', 'é', '😀'),
    keys('?keys&seperator=/', 'Ab', 'a', 'a/', 'ab', 'b/', 'é', '😀'),
    keys('?keys&separator=/&seperator=b', 'Ab', 'a', 'a/', 'ab', 'b/', 'é', '😀'),
    keys('a?keys&separator=/', 'a', 'a/', 'ab'),
    keys('a/?keys&separator=/', 'a/', 'a/b', 'a/b/', 'a/e'),
    keys('a/b?keys&separator=/', 'a/b', 'a/b/'),
    keys('a/b/?keys&separator=/', 'a/b/c', 'a/b/d'),
    keys('a/b/c?keys&separator=/', 'a/b/c'),
    keys('b?keys&separator=/', 'b/'),
    keys('b/?keys&separator=/', 'b/', 'b/c'),
    keys('?keys&separator=b', 'Ab', 'a', 'a/', 'a/b', 'a/e', 'ab', 'b', 'é', '😀'),
    keys('a?keys&separator=/b', 'a', 'a/', 'a/b', 'a/e', 'ab'),
    keys('a/?keys&separator=', 'a/', 'a/b', 'a/b/c', 'a/b/d', 'a/e'),
    keys('a/?keys&separator', 'a/', 'a/b', 'a/b/c', 'a/b/d', 'a/e'),
    // It is there or not: its value does not count.
    keys('a/b?keys=false', 'a/b', 'a/b/c', 'a/b/d'),
    keys('a/b?keys&recurse&raw', 'a/b', 'a/b/c', 'a/b/d'),
    keys('?recurse&keys', ...tree),
    { ask: 'GET kv/zz?keys', ...nothing },
    { ask: 'GET kv/zz?keys&separator=/', ...nothing },
    { ask: 'GET kv/A/?keys', ...nothing },
  ])
})

t.test('recurse lists the entries whose key begins with the prefix', async (t) => {
  const api = await withTree(t)
  const entries = (...names: readonly string[]): string =>
    `[${names.map((name) => entry(name, 'dg==', tree.indexOf(name) + 1)).join(',')}]`
  await checkTable(t, api, [
    { ask: 'GET kv/?recurse', status: 200, body: entries(...tree), index: '<12>', headers: json },
    { ask: 'GET kv/b?recurse', status: 200, body: entries('b/', 'b/c'), index: '<10>' },
    {
      ask: 'GET kv/a/b?recurse',
      status: 200,
      body: entries('a/b', 'a/b/c', 'a/b/d'),
      index: '<6>',
    },
    { ask: 'GET kv/a/b/?recurse', status: 200, body: entries('a/b/c', 'a/b/d'), index: '<6>' },
    { ask: 'GET kv/b?recurse=false', status: 200, body: entries('b/', 'b/c'), index: '<10>' },
    { ask: 'GET kv/b?recurse&raw', status: 200, body: entries('b/', 'b/c'), index: '<10>' },
    { ask: 'GET kv/b?recurse&separator=/', status: 200, body: entries('b/', 'b/c'), index: '<10>' },
    { ask: 'GET kv/zz?recurse', ...nothing },
    { ask: 'GET kv/a/b/c/?recurse', ...nothing },
  ])
})

t.test('the whole tree is a list even when it is empty, but only of keys', async (t) => {
  await checkTable(t, await KvApi.start(t), [
    { ask: 'GET kv/?keys', status: 200, body: '[]', index: '*' },
    { ask: 'GET kv/?keys&separator=/', status: 200, body: '[]', index: '*' },
    { ask: 'GET kv/?recurse', ...nothing },
    { ask: 'GET kv/a?keys', ...nothing },
  ])
})

const plain = {
  'content-type': 'text/plain',
  'x-content-type-options': 'nosniff',
  'content-security-policy': 'sandbox',
}

t.test('raw answers with the bytes, which no browser may run', async (t) => {
  const api = await KvApi.start(t)
  await api.put('html', '<script>alert(1)</script>')
  await api.put('empty', '')
  await checkTable(t, api, [
    {
      ask: 'GET kv/html?raw',
      status: 200,
      body: '<script>alert(1)</script>',
      index: '*',
      headers: plain,
    },
    { ask: 'GET kv/empty?raw', status: 200, body: '', index: '*', headers: plain },
    { ask: 'GET kv/empty?raw=false&pretty', status: 200, body: '', index: '*', headers: plain },
    { ask: 'GET kv/html%3Cb%3E?raw', ...nothing },
  ])
})

t.test('a read must name a key, unless it is of a tree', async (t) => {
  const missing = { status: 400, body: 'Missing key name' }
  await checkTable(t, await KvApi.start(t), [
    { ask: 'GET kv/', ...missing },
    { ask: 'GET kv/?raw', ...missing },
    { ask: 'GET kv/?separator=/', ...missing },
    {
      ask: 'GET kv',
      status: 301,
      body: '<a href="/v1/kv/">Moved Permanently</a>.\n\n',
      headers: { location: '/v1/kv/' },
      svcd: { body: '', because: 'the header is enough' },
    },
  ])
})

t.test('what every read takes', async (t) => {
  const api = await KvApi.start(t)
  await api.put('a')
  const found = { status: 200, body: `[${entry('a', 'dg==', 1)}]`, index: '<1>' }
  const wait = {
    because: 'the text names the value and the next step',
    body: 'Invalid wait time "abc". Use a duration with a unit, such as 10s or 5m.',
  }
  await checkTable(t, api, [
    { ask: 'GET kv/a?stale', ...found },
    { ask: 'GET kv/a?consistent', ...found },
    { ask: 'GET kv/a?dc=dc1&token=x&cached', ...found },
    { ask: 'GET kv/a?index=&wait=', ...found },
    { ask: 'GET kv/a?index=1&wait=10ms', ...found },
    { ask: 'GET kv/a?index=99999999&wait=10ms', ...found },
    {
      ask: 'GET kv/a?stale&consistent',
      status: 400,
      body: 'Cannot specify ?stale with ?consistent, conflicting semantics.',
    },
    { ask: 'GET kv/a?dc=dc2', status: 500, body: 'No path to datacenter' },
    { ask: 'GET kv/a?wait=abc', status: 400, body: 'Invalid wait time', svcd: wait },
  ])
})
