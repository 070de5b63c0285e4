import t from 'tap'
import { KvApi } from '../kv/kv-api.ts'
import { checkTable, entry } from '../kv/table.ts'
import { b64, done, key, kv, missed, read, refused } from './rows.ts'

// The tables run against Consul as those of the key/value store do.

const set = (name: string, value: string, rest = {}) =>
  kv('set', name, { Value: b64(value), ...rest })

const unknownVerb = 'unknown KV verb "get-or-empty"'
const newVerb = 'the verb came with Consul 1.16'

function emptyKey(name: string): string {
  return `{"KV":{"LockIndex":0,"Key":"${name}","Flags":0,"Value":null,"CreateIndex":0,"ModifyIndex":0}}`
}

t.test('writes answer with what the keys are then, without their values', async (t) => {
  const api = await KvApi.start(t)
  await checkTable(t, api, [
    done([set('a', 'one', { Flags: 7 })], key('a', 1, { flags: '7' })),
    done([set('a', 'two'), set('b', 'x')], key('a', 1, { modify: 2 }), key('b', 2)),
    // What is the same keeps its index.
    done([set('a', 'two'), set('b', 'y')], key('a', 1, { modify: 2 }), key('b', 2, { modify: 3 })),
    done([kv('delete', 'b'), kv('delete', 'none')]),
    done([set('t/1', ''), set('t/2', 'z')], key('t/1', 4), key('t/2', 4)),
    {
      ask: 'GET kv/?recurse',
      status: 200,
      index: '*',
      body: `[${entry('a', b64('two'), 1, { modify: 2 })},${entry('t/1', null, 4)},${entry('t/2', b64('z'), 4)}]`,
    },
    done([kv('delete-tree', 't/')]),
    done([kv('delete-tree', '')]),
    { ask: 'GET kv/?keys', status: 200, body: '[]', index: '*' },
  ])
})

t.test('each operation sees what those before it did', async (t) => {
  const api = await KvApi.start(t)
  await checkTable(t, api, [
    done(
      [
        kv('check-not-exists', 'a'),
        set('a', 'one'),
        kv('get', 'a'),
        set('a', 'two'),
        kv('get', 'a'),
        kv('get-tree', 'a'),
        kv('delete', 'a'),
        kv('check-not-exists', 'a'),
        set('a', 'three'),
      ],
      key('a', 1),
      key('a', 1, { value: 'one' }),
      key('a', 1),
      key('a', 1, { value: 'two' }),
      key('a', 1, { value: 'two' }),
      key('a', 1),
    ),
    read([kv('get', 'a')], key('a', 1, { value: 'three' })),
  ])
})

t.test('a transaction that fails changes nothing, and tells of all that failed', async (t) => {
  const api = await KvApi.start(t)
  await api.put('kept', 'old')
  await checkTable(t, api, [
    refused(
      [
        set('kept', 'new'),
        set('fresh', 'x'),
        kv('get', 'none'),
        kv('delete', 'kept'),
        kv('check-not-exists', 'fresh'),
        kv('cas', 'fresh', { Index: 99_999_999, Value: b64('y') }),
        kv('cas', 'kept', { Index: 99_999_999 }),
        kv('delete-cas', 'fresh', { Index: 99_999_999 }),
        kv('check-index', 'kept', { Index: 99_999_999 }),
        kv('check-session', 'kept', { Session: 's' }),
        kv('check-session', 'fresh', { Session: 's' }),
        kv('unlock', 'fresh', { Session: 's' }),
        kv('lock', 'fresh'),
        kv('unlock', 'fresh'),
      ],
      [
        [2, 'key "none" doesn\'t exist'],
        [4, 'key "fresh" exists'],
        [5, 'failed to set key "fresh", index is stale'],
        [6, 'failed to set key "kept", index is stale'],
        [7, 'failed to delete key "fresh", index is stale'],
        [8, 'failed to check index, key "kept" doesn\'t exist'],
        [9, 'failed to check session, key "kept" doesn\'t exist'],
        [10, 'failed session check for key "fresh", current session "" != "s"'],
        [11, 'failed to unlock key "fresh", lock isn\'t held, or is held by another session'],
        [12, 'missing session'],
        [13, 'missing session'],
      ],
    ),
    {
      ask: 'GET kv/?recurse',
      status: 200,
      index: '*',
      body: `[${entry('kept', b64('old'), 1)}]`,
    },
    refused(
      [kv('lock', 'l', { Session: '11111111-2222-3333-4444-555555555555' })],
      [[0, 'invalid session "11111111-2222-3333-4444-555555555555"']],
    ),
  ])
})

t.test('a condition on an index holds, or the transaction is not done', async (t) => {
  const api = await KvApi.start(t)
  const cas = (name: string, index: string) =>
    `[{"KV":{"Verb":"cas","Key":"${name}","Value":"dg==","Index":${index}}}]`
  await checkTable(t, api, [
    done(cas('a', '0'), key('a', 1)),
    refused(cas('a', '0'), [[0, 'failed to set key "a", index is stale']]),
    refused(cas('b', '1'), [[0, 'failed to set key "b", index is stale']]),
    refused(cas('a', '18446744073709551615'), [[0, 'failed to set key "a", index is stale']]),
    missed(
      [kv('check-index', 'a', { Index: 1 })],
      [0, 'failed index check for key "a", current modify index <1> != 1'],
    ),
    read([kv('check-session', 'a', { Session: '' })], key('a', 1)),
    // What is not there is deleted already.
    done([kv('delete-cas', 'none', { Index: 5 })]),
    refused(
      [kv('delete-cas', 'a', { Index: 5 })],
      [[0, 'failed to delete key "a", index is stale']],
    ),
    read([kv('get', 'a')], key('a', 1, { value: 'v' })),
  ])
})

t.test('a condition that names the index of the key is met', async (t) => {
  const api = await KvApi.start(t)
  await api.put('a')
  const index = await api.index('kv/a')
  const ask = async (...ops: readonly object[]) => {
    const { status, body } = await api.ask('PUT', 'txn', { body: JSON.stringify(ops) })
    return [status, JSON.parse(body.toString()) as { readonly Errors: unknown }] as const
  }
  t.match(await ask(kv('check-index', 'a', { Index: index })), [200, { Errors: null }])
  t.match(await ask(kv('cas', 'a', { Index: index, Value: b64('w') })), [200, { Errors: null }])
  t.match(await ask(kv('cas', 'a', { Index: index })), [409, { Results: null }])
  const next = await api.index('kv/a')
  t.match(await ask(kv('delete-cas', 'a', { Index: next })), [200, { Results: [], Errors: null }])
})

t.test('a transaction that only reads finds all, or tells what it does not find', async (t) => {
  const api = await KvApi.start(t)
  await checkTable(t, api, [
    read([]),
    read('null'),
    read([{}, { KV: null }]),
    missed([kv('get', 'a')], [0, 'key "a" doesn\'t exist']),
    read([kv('get-tree', 'a')]),
    read([kv('check-not-exists', 'a')]),
    done(
      [set('a', 'A'), set('a/b', 'B', { Flags: 3 }), set('c', '')],
      key('a', 1),
      key('a/b', 1, { flags: '3' }),
      key('c', 1),
    ),
    read(
      [kv('get', 'a'), kv('get-tree', 'a'), kv('get', 'c'), kv('check-not-exists', 'd')],
      key('a', 1, { value: 'A' }),
      key('a', 1, { value: 'A' }),
      key('a/b', 1, { value: 'B', flags: '3' }),
      key('c', 1),
    ),
    missed(
      [kv('get', 'a'), kv('get', 'x'), kv('check-not-exists', 'a'), kv('get', 'y')],
      [1, 'key "x" doesn\'t exist'],
      [2, 'key "a" exists'],
      [3, 'key "y" doesn\'t exist'],
    ),
    missed([kv('get', ''), kv('get-tree', '')], [0, 'Must provide key'], [1, 'Must provide key']),
    {
      ...read([kv('get-or-empty', 'a'), kv('get-or-empty', 'x')]),
      status: 409,
      body: missed([], [0, unknownVerb], [1, unknownVerb]).body,
      svcd: {
        because: newVerb,
        status: 200,
        body: read([], key('a', 1, { value: 'A' }), emptyKey('x')).body,
      },
    },
  ])
})

t.test('a key that is read and does not exist is empty, also before a write', async (t) => {
  const api = await KvApi.start(t)
  await checkTable(t, api, [
    {
      ...refused([kv('get-or-empty', 'x'), set('new', 'N')], [[0, unknownVerb]]),
      svcd: { because: newVerb, status: 200, body: done([], emptyKey('x'), key('new', 1)).body },
    },
    {
      ...refused([kv('get-or-empty', 'x'), kv('delete', 'x')], [[0, unknownVerb]]),
      svcd: { because: newVerb, status: 200, body: done([], emptyKey('x')).body },
    },
  ])
})
