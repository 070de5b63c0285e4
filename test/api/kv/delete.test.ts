import t from 'tap'
import { KvApi } from './kv-api.ts'
import { checkTable, entry } from './table.ts'

const yes = { status: 200, body: 'true', headers: { 'content-type': 'application/json' } }
const no = { ...yes, body: 'false' }
const gone = { status: 404, body: '', index: '*' }
const syntax = (text: string) => ({
  status: 500,
  body: `strconv.ParseUint: parsing "${text}": invalid syntax`,
})

t.test('DELETE removes one key, and a key that is not there is no error', async (t) => {
  const api = await KvApi.start(t)
  for (const key of ['a', 'a/', 'a/b']) await api.put(key)
  await checkTable(t, api, [
    { ask: 'DELETE kv/a', ...yes },
    { ask: 'GET kv/a', ...gone },
    { ask: 'GET kv/?keys', status: 200, body: '["a/","a/b"]', index: '*' },
    { ask: 'DELETE kv/a', ...yes },
    { ask: 'DELETE kv/a/', ...yes },
    { ask: 'GET kv/?keys', status: 200, body: '["a/b"]', index: '*' },
  ])
})

t.test('DELETE with recurse removes all keys with the prefix, and nothing else', async (t) => {
  const api = await KvApi.start(t)
  for (const key of ['A', 'a', 'a/', 'a/b', 'a/b/c', 'ab', 'b']) await api.put(key)
  await checkTable(t, api, [
    { ask: 'DELETE kv/zz?recurse', ...yes },
    { ask: 'DELETE kv/a/b?recurse', ...yes },
    { ask: 'GET kv/?keys', status: 200, body: '["A","a","a/","ab","b"]', index: '*' },
    { ask: 'DELETE kv/a/?recurse=false', ...yes },
    { ask: 'GET kv/?keys', status: 200, body: '["A","a","ab","b"]', index: '*' },
    { ask: 'DELETE kv/a?recurse', ...yes },
    { ask: 'GET kv/?keys', status: 200, body: '["A","b"]', index: '*' },
    { ask: 'DELETE kv/?recurse', ...yes },
    { ask: 'GET kv/?keys', status: 200, body: '[]', index: '*' },
    { ask: 'DELETE kv/?recurse', ...yes },
  ])
})

t.test('DELETE with cas removes only what has the index that it names', async (t) => {
  const api = await KvApi.start(t)
  await api.put('a')
  await checkTable(t, api, [
    { ask: 'GET kv/a', status: 200, body: `[${entry('a', 'dg==', 1)}]`, index: '<1>' },
    { ask: 'DELETE kv/a?cas=0', ...no },
    { ask: 'DELETE kv/a?cas=99999999', ...no },
    { ask: 'DELETE kv/a?cas=1', ...no },
    { ask: 'GET kv/a', status: 200, body: `[${entry('a', 'dg==', 1)}]`, index: '<1>' },
    { ask: 'DELETE kv/a?cas=<1>&cas=2', ...yes },
    { ask: 'GET kv/a', ...gone },
    // A key that is not there need not be deleted.
    { ask: 'DELETE kv/a?cas=<1>', ...yes },
    { ask: 'DELETE kv/a?cas=0', ...yes },
    { ask: 'DELETE kv/a?cas', ...syntax('') },
    { ask: 'DELETE kv/a?cas=abc', ...syntax('abc') },
  ])
})

t.test('a DELETE that contradicts itself or names no key', async (t) => {
  const api = await KvApi.start(t)
  await api.put('a')
  await checkTable(t, api, [
    { ask: 'DELETE kv/a?recurse&cas=5', status: 400, body: 'Conflicting flags: cas=5&recurse=' },
    {
      ask: 'DELETE kv/?recurse&cas=x',
      status: 400,
      body: 'Conflicting flags: cas=x&recurse=',
    },
    { ask: 'DELETE kv/', status: 400, body: 'Missing key name' },
    { ask: 'DELETE kv/?cas=1', status: 400, body: 'Missing key name' },
    { ask: 'DELETE kv/a?dc=dc2', status: 500, body: 'No path to datacenter' },
    { ask: 'GET kv/?keys', status: 200, body: '["a"]', index: '*' },
  ])
})
