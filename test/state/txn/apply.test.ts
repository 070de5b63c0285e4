import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { proposalFault } from '../../../src/state/families.ts'
import type { TxnOp } from '../../../src/state/txn/commands.ts'
import {
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../../helpers/catalog.ts'
import { b64, entryOf, TxnState } from '../../helpers/txn.ts'

const set = (key: string, value = 'v', rest = {}) =>
  ({ verb: 'set', key, value: b64(value), ...rest }) as const
const get = (key: string) => ({ verb: 'get', key }) as const
const txn = (...ops: readonly TxnOp[]) => ({ kind: 'txn', ops }) as const

function session(id: string, lockDelayNs: number) {
  const rest = { name: '', behavior: 'release', ttl: '', ttlMs: 0, serviceChecks: [] } as const
  return {
    kind: 'session-create',
    id,
    node: 'n1',
    lockDelayNs,
    nodeChecks: ['c'],
    ...rest,
  } as const
}

/** A node with a check and two sessions, of which `s1` leaves a lock-delay behind. */
function withSessions(): TxnState {
  const state = new TxnState()
  state.apply(registerCommand('n1', { checks: [checkDefinition('c')] }))
  state.apply(session('s1', 5_000_000_000))
  state.apply(session('s2', 0))
  return state
}

t.test('a transaction whose results are known anyway costs no more than a write', async (t) => {
  const state = new TxnState()
  const { outcome } = state.apply(
    txn(set('a'), set('b', 'v', { index: '0' }), { verb: 'delete', key: 'c' }),
  )
  t.strictSame(outcome, { ok: true, index: 1 })
  t.strictSame(state.apply(txn(set('a', 'w'), set('c'))).outcome, {
    ok: true,
    index: 2,
    value: { results: [1, 0] },
  })
  t.strictSame(state.apply(txn(set('a', 'w'))).outcome, {
    ok: true,
    index: 3,
    value: { results: [[1, 2, 0, '']] },
  })
})

t.test('a request that is repeated has the results of the moment when it was done', async (t) => {
  const state = new TxnState()
  state.apply(txn(set('a', 'old'), set('t/1', 'x')))
  const body = txn(
    get('a'),
    set('a', 'new'),
    { verb: 'get-tree', key: 't/' },
    { verb: 'get-or-empty', key: 'none' },
  )
  const first = state.apply(body, 'asked').outcome
  state.apply(txn(set('a', 'newest'), { verb: 'delete-tree', key: 't/' }, set('none')))
  const again = state.apply(body, 'asked').outcome
  t.strictSame(again, first)
  t.strictSame(first, {
    ok: true,
    index: 2,
    value: {
      results: [['0', 0, '', 1, 1, b64('old')], 1, [['t/1', '0', 0, '', 1, 1, b64('x')]], null],
    },
  })
  t.equal(
    Buffer.from(state.reader.kv.entry('a')?.value ?? []).toString(),
    'newest',
    'it was done once',
  )
  const failing = txn(get('gone'), set('b'))
  const failed = state.apply(failing, 'failed').outcome
  state.apply(txn(set('gone')))
  t.strictSame(state.apply(failing, 'failed').outcome, failed)
  t.equal(state.reader.kv.has('b'), false)
  t.strictSame(...state.sums())
})

t.test('the reads of a transaction with writes are bounded, and none is cut short', async (t) => {
  const state = new TxnState()
  const large = 'x'.repeat(512 * 1024)
  for (const key of ['t/1', 't/2']) state.apply(txn(set(key, large)))
  t.match(state.txn(get('t/1'), set('a')), { results: [['0'], 0] }, 'the largest value may be read')
  t.strictSame(state.txn(set('b'), get('t/1'), get('t/2')), {
    failures: [{ op: 2, why: 'too-large' }],
  })
  t.strictSame(state.txn({ verb: 'get-tree', key: 't/' }, set('b')), {
    failures: [{ op: 0, why: 'too-large' }],
  })
  t.equal(state.reader.kv.has('b'), false)
})

t.test('the long results that are remembered are bounded, the same on each server', async (t) => {
  const [state, other] = [new TxnState(), new TxnState()]
  const large = 'x'.repeat(512 * 1024)
  // Each result has 700 kB; 32 MiB are remembered.
  for (const each of [state, other]) {
    each.apply(txn(set('a', large)))
    for (let at = 0; at < 60; at++) {
      each.apply(txn(get('a'), set('b', String(at))), `read ${at}`)
      // What is remembered of them is read again after a restart, and after a batch that failed.
      if (each === other && at % 20 === 7) each.reopen()
      if (each === other && at % 20 === 9)
        t.throws(() => each.applyAll([entryOf(each.index + 1, {} as never)]))
    }
  }
  const bytes = (each: TxnState) =>
    each.db.prepare('SELECT sum(length(outcome)) FROM requests').pluck().get()
  t.ok(Number(bytes(state)) < 33 * 1024 * 1024, `${String(bytes(state))} bytes`)
  t.ok(Number(bytes(state)) > 31 * 1024 * 1024)
  t.ok(isDeepStrictEqual(state.rows(['requests']), other.rows(['requests'])))
  t.strictSame(...state.sums())
  t.strictSame(state.sums(), other.sums())
  t.strictSame(state.apply(txn(), 'read 3').outcome, { ok: true, index: 5, isForgotten: true })
  t.match(state.apply(txn(), 'read 50').outcome, { ok: true, index: 52, value: {} })
  // They go with their rows.
  for (let index = 256 * 40; index <= 256 * 43; index += 256) {
    state.applyAll([
      {
        ...entryOf(index, txn(set('b'))),
        command: { ...entryOf(index, txn()).command, timeMs: 1e9 },
      } as never,
    ])
  }
  t.equal(state.rows(['requests'])['requests']?.length, 4)
  t.strictSame(...state.sums())
})

t.test('what a transaction that failed has shown is not remembered in its batch', async (t) => {
  const state = new TxnState()
  const web = { verb: 'set-service', node: 'n1', definition: serviceDefinition('web') } as const
  const { outcomes, subjects } = state.applyAll([
    entryOf(
      1,
      txn(set('a'), { verb: 'set-node', definition: nodeDefinition('n1') }, web, get('none')),
    ),
    entryOf(2, txn(web)),
    entryOf(3, txn(set('b'))),
  ])
  t.match(outcomes, [
    { value: { failures: [{ op: 3, why: 'not-there' }] } },
    { value: { failures: [{ op: 0, why: 'unknown-node' }] } },
    { ok: true },
  ])
  t.strictSame([...subjects.keys()], ['kv'])
  t.notOk(subjects.get('kv')?.has('key:a'))
  t.strictSame(...state.sums())
})

t.test('a lock is taken and given back within a transaction, by the rules of locks', async (t) => {
  const state = withSessions()
  const lock = (key: string, id: string, verb: 'lock' | 'unlock' = 'lock') =>
    ({ verb, key, value: b64(id), session: id }) as const
  t.strictSame(
    state.txn(lock('l', 's1'), { verb: 'check-session', key: 'l', session: 's1' }, get('l')),
    {
      results: [
        [4, 4, 1, 's1'],
        ['0', 1, 's1', 4, 4],
        ['0', 1, 's1', 4, 4, b64('s1')],
      ],
    },
  )
  t.strictSame(state.txn(set('a'), lock('l', 's2')), { failures: [{ op: 1, why: 'held' }] })
  t.strictSame(state.txn(set('l', 'plain')), { results: [[4, 6, 1, 's1']] }, 'locks are advisory')
  t.strictSame(state.txn(lock('l', 's2', 'unlock'), lock('m', 's3')), {
    failures: [
      { op: 0, why: 'not-held' },
      { op: 1, why: 'unknown-session' },
    ],
  })
  t.strictSame(state.txn(lock('l', 's1', 'unlock'), lock('l', 's2')), {
    results: [
      [4, 8, 1, ''],
      [4, 8, 2, 's2'],
    ],
  })
})

t.test(
  'a session ends where a transaction makes its check critical, and the next operation sees it',
  async (t) => {
    const state = withSessions()
    state.apply({ kind: 'kv-acquire', key: 'l', value: '', flags: '0', session: 's1' })
    const critical = {
      verb: 'set-check',
      node: 'n1',
      definition: checkDefinition('c', { status: 'critical' }),
    } as const
    const { outcome } = state.apply(
      txn(critical, { verb: 'check-session', key: 'l', session: '' }, get('none')),
    )
    t.match(outcome, { value: { failures: [{ op: 2 }] } })
    t.equal(state.reader.kv.entry('l')?.session, 's1', 'it was taken back')
    const { subjects } = state.apply(
      txn(
        critical,
        { verb: 'check-session', key: 'l', session: '' },
        { verb: 'lock', key: 'l', value: '', session: 's2' },
      ),
    )
    t.equal(subjects.size, 0, 's2 has ended as well')
    t.match(state.txn(critical, { verb: 'check-session', key: 'l', session: '' }), {
      results: [{ status: 'critical' }, ['0', 1, '']],
    })
    t.strictSame(state.txn({ verb: 'lock', key: 'l', value: '', session: 's2' }), {
      failures: [{ op: 0, why: 'unknown-session' }],
    })
  },
)

t.test('a lock-delay holds in transactions', async (t) => {
  const state = withSessions()
  state.apply({ kind: 'kv-acquire', key: 'l', value: '', flags: '0', session: 's1' })
  state.apply({ kind: 'session-destroy', id: 's1' })
  t.strictSame(state.txn({ verb: 'lock', key: 'l', value: '', session: 's2' }), {
    failures: [{ op: 0, why: 'lock-delay' }],
  })
})

t.test('a node keeps its identity in transactions as elsewhere', async (t) => {
  const state = new TxnState()
  const [first, second] = ['1', '2'].map((n) => `0000000${n}-1111-2222-3333-444444444444`)
  const node = (name: string, id = first) =>
    ({ verb: 'set-node', definition: nodeDefinition(name, { id: id ?? '' }) }) as const
  const alive = {
    verb: 'set-check',
    node: 'n1',
    definition: checkDefinition('serfHealth'),
  } as const
  const web = { verb: 'set-service', node: 'n1', definition: serviceDefinition('web') } as const
  state.txn(node('n1'), alive, web)
  t.strictSame(state.txn(node('N1', second)), {
    failures: [{ op: 0, why: 'name-taken', id: first, address: '10.0.0.1' }],
  })
  t.match(
    state.txn(
      node('n2'),
      { verb: 'get-service', node: 'n2', id: 'web' },
      { verb: 'get-node', node: 'n1', id: '' },
    ),
    { failures: [{ op: 2, why: 'not-there' }] },
    'it is renamed, with what is on it',
  )
  t.match(
    state.txn({ verb: 'get-node', node: '', id: first ?? '' }),
    { results: [{ name: 'n1' }] },
    'and all of that was taken back',
  )
})

t.test('each key and service that is written is touched once, and nothing else', async (t) => {
  const state = new TxnState()
  state.apply(registerCommand('n1'))
  const { subjects } = state.apply(
    txn(set('a/b'), set('a/b', 'w'), get('a/b'), {
      verb: 'set-service',
      node: 'n1',
      definition: serviceDefinition('web'),
    }),
  )
  t.strictSame(
    subjects,
    new Map([
      ['catalog', new Set(['node:n1', 'service:web', 'services'])],
      ['kv', new Set(['key:a/b', 'tree:', 'tree:a/'])],
    ]),
  )
})

t.test('a proposal of another server is judged operation by operation', async (t) => {
  const fault = (ops: unknown) =>
    proposalFault({
      version: 1,
      requestId: 'r',
      actor: 'a',
      cause: 'c',
      body: { kind: 'txn', ops },
    })
  t.equal(fault([set('a'), get('b'), { verb: 'delete-tree', key: '' }]), undefined)
  t.equal(fault([]), undefined)
  for (const ops of [
    {},
    [null],
    [{ verb: 'constructor', key: 'a' }],
    [{ verb: 'nope', key: 'a' }],
    [set('')],
    [{ verb: 'set', key: 'a' }],
    [{ ...set('a'), flags: 7 }],
    [{ ...set('a'), index: '-1' }],
    [{ verb: 'lock', key: 'a', value: '' }],
    [{ verb: 'set-node', definition: { name: 'n' } }],
    [{ verb: 'set-service', node: 'n', definition: nodeDefinition('n') }],
    Array.from({ length: 129 }, () => get('a')),
  ]) {
    t.equal(fault(ops), 'it is a malformed txn', JSON.stringify(ops).slice(0, 60))
  }
})
