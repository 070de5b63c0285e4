import t from 'tap'
import type { FamilyBody } from '../../../src/state/families.ts'
import { kvPut } from '../../helpers/kv.ts'
import { MemorySessions, registerNode, sessionCreate } from '../../helpers/sessions.ts'

t.test('a session is made when its node and checks are there, and none is critical', async (t) => {
  const state = new MemorySessions()
  state.apply(registerNode('n2', { bad: 'critical', weak: 'warning' }))
  const cases: readonly (readonly [string, FamilyBody, unknown])[] = [
    [
      'of an unknown node',
      sessionCreate('a', { node: 'n9' }),
      { error: 'unknown-node', subject: 'n9' },
    ],
    [
      'with an unknown check',
      sessionCreate('b', { nodeChecks: ['x'] }),
      { error: 'unknown-check', subject: 'x' },
    ],
    [
      'with an unknown check of a service',
      sessionCreate('c', { serviceChecks: [{ id: 'y', namespace: '' }] }),
      { error: 'unknown-check', subject: 'y' },
    ],
    [
      'with a critical check',
      sessionCreate('d', { node: 'n2', nodeChecks: ['weak', 'bad'] }),
      { error: 'critical-check', subject: 'bad' },
    ],
    ['with a warning', sessionCreate('e', { node: 'n2', nodeChecks: ['weak'] }), { ok: true }],
    [
      'with a node in capitals',
      sessionCreate('f', { node: 'N1', nodeChecks: ['disk'] }),
      { ok: true },
    ],
  ]
  for (const [what, body, outcome] of cases) t.match(state.outcome(body), outcome, what)
  t.strictSame(state.ids, ['e', 'f'])
  t.strictSame(...state.sums())
})

t.test('a session shows what it was made with', async (t) => {
  const state = new MemorySessions()
  const rest = {
    name: 'job',
    lockDelayNs: 2e9,
    behavior: 'delete',
    ttl: '30s',
    ttlMs: 30_000,
    nodeChecks: null,
    serviceChecks: [{ id: 'disk', namespace: 'ns' }],
  } as const
  state.apply(sessionCreate('s', rest))
  const { kind: _, ...definition } = sessionCreate('s', rest)
  t.strictSame(state.sessions.session('s'), { ...definition, createIndex: 2, modifyIndex: 2 })
  t.equal(state.sessions.session('t'), undefined)
  t.strictSame([...state.sessions.sessionsOf('N1')].length, 1)
  t.strictSame([...state.sessions.sessionsOf('n2')], [])
})

t.test('sessions and locks are counted', async (t) => {
  const state = new MemorySessions()
  const timed = { ttl: '10s', ttlMs: 10_000 }
  state.applyAll(sessionCreate('s', timed), sessionCreate('t'), sessionCreate('u', timed))
  for (const [key, session] of Object.entries({ a: 's', b: 's', c: 't', d: 'u' }))
    state.acquire(key, session)
  state.apply({ kind: 'session-destroy', id: 'u' })
  t.strictSame(state.sessions.counts(), { sessions: 2, timed: 1, locks: 3, lockDelays: 1 })
})

t.test('a lock is taken once, told by its index, and replaces value and flags', async (t) => {
  const state = new MemorySessions()
  state.applyAll(sessionCreate('s'), sessionCreate('t'))
  t.equal(state.acquire('a', 's', 'one', '7'), undefined)
  const first = { session: 's', lockIndex: 1, flags: '7', createIndex: 4, modifyIndex: 4 }
  t.match(state.reader.entry('a'), first)
  t.equal(state.acquire('a', 't', 'two'), false, 'another session holds it')
  t.match(state.reader.entry('a'), first)
  t.equal(state.acquire('a', 's', 'three'), undefined, 'it is held by the session itself')
  t.match(state.reader.entry('a'), { session: 's', lockIndex: 1, flags: '0', modifyIndex: 6 })
  t.equal(state.acquire('a', 's', 'three'), undefined)
  t.match(state.reader.entry('a'), { modifyIndex: 6 }, 'nothing has changed')
  t.equal(state.acquire('a', 'x'), 'unknown-session')
  t.equal(state.release('a', 't'), false)
  t.equal(state.release('b', 's'), false)
  t.equal(state.release('a', 's', 'four', '9'), undefined)
  t.match(state.reader.entry('a'), { session: '', lockIndex: 1, flags: '9' })
  t.strictSame(state.list(), [['a', 'four']])
  t.equal(state.acquire('a', 't'), undefined, 'a release sets no lock-delay')
  t.match(state.reader.entry('a'), { session: 't', lockIndex: 2 })
  t.strictSame(...state.sums())
})

t.test('a lock is advisory: a plain write keeps it, and a removal ends it', async (t) => {
  const state = new MemorySessions()
  state.applyAll(sessionCreate('s'), sessionCreate('t'))
  state.acquire('a', 's')
  state.put('a', 'other')
  t.match(state.reader.entry('a'), { session: 's', lockIndex: 1 })
  state.delete('a')
  t.equal(state.acquire('a', 't'), undefined)
  t.match(state.reader.entry('a'), { session: 't', lockIndex: 1 })
})

t.test('keys are released or deleted when their session ends, with a lock-delay', async (t) => {
  for (const behavior of ['release', 'delete'] as const) {
    const state = new MemorySessions()
    state.applyAll(sessionCreate('s', { behavior }), sessionCreate('t'), sessionCreate('u'))
    const keys = Array.from({ length: 130 }, (_, at) => `lock/${String(at).padStart(3, '0')}`)
    for (const key of keys) state.acquire(key, 's', 'mine')
    state.acquire('other', 'u')
    const { subjects } = state.apply({ kind: 'session-destroy', id: 's' })
    t.ok(subjects.has('key:lock/129') && subjects.has('tree:lock/'), 'watchers of the keys wake')
    t.notOk(subjects.has('key:other'))
    const left = state.list('lock/').length
    t.equal(left, behavior === 'release' ? 130 : 0, behavior)
    if (behavior === 'release')
      t.match(state.reader.entry('lock/007'), {
        session: '',
        lockIndex: 1,
        modifyIndex: state.index,
      })
    t.equal(state.reader.indexOfPrefix('lock/'), state.index)
    t.match(state.reader.entry('other'), { session: 'u' })
    t.equal(state.acquire('lock/007', 't'), 'lock-delay')
    t.match(state.sessions.lockDelay('lock/007'), { delayNs: 15e9 })
    t.equal(state.acquire('other2', 't'), undefined)
    t.strictSame(state.ids, ['t', 'u'])
    t.strictSame(...state.sums())
  }
})

t.test('a lock-delay ends by its command, and only the one that is meant', async (t) => {
  const state = new MemorySessions()
  state.applyAll(sessionCreate('s'), sessionCreate('t'), sessionCreate('u', { lockDelayNs: 0 }))
  state.acquire('a', 's')
  state.apply({ kind: 'session-destroy', id: 's' })
  const began = state.index
  state.apply({ kind: 'lock-delay-end', key: 'a', index: began - 1 })
  t.equal(state.acquire('a', 't'), 'lock-delay')
  state.apply({ kind: 'lock-delay-end', key: 'a', index: began })
  t.equal(state.acquire('a', 't'), undefined)
  t.match(state.reader.entry('a'), { lockIndex: 2 })
  state.acquire('b', 'u')
  state.apply({ kind: 'session-destroy', id: 'u' })
  t.equal(state.acquire('b', 't'), undefined, 'a lock-delay of 0')
  t.strictSame(state.rows('lock_delays'), [])
  t.strictSame(...state.sums())
})

t.test('a session ends with its node or check, and when a check becomes critical', async (t) => {
  const update = { kind: 'update-check', nodeName: 'n1', checkId: 'disk', output: '' } as const
  const cases: readonly (readonly [string, FamilyBody, boolean])[] = [
    ['a check becomes critical', { ...update, status: 'critical' }, true],
    ['a check becomes critical by a registration', registerNode('n1', { disk: 'critical' }), true],
    ['a check gets a warning', { ...update, status: 'warning' }, false],
    ['a check is removed', { kind: 'deregister', nodeName: 'n1', checkId: 'disk' }, true],
    ['the node is removed', { kind: 'deregister', nodeName: 'N1' }, true],
    [
      'another check becomes critical',
      { ...update, checkId: 'serfHealth', status: 'critical' },
      false,
    ],
    ['a check of this name on another node', registerNode('n2', { disk: 'critical' }), false],
  ]
  for (const kind of ['nodeChecks', 'serviceChecks'] as const) {
    for (const [what, body, isEnded] of cases) {
      const state = new MemorySessions()
      const checks =
        kind === 'nodeChecks'
          ? { nodeChecks: ['disk'] }
          : { serviceChecks: [{ id: 'disk', namespace: '' }] }
      state.apply(sessionCreate('s', checks))
      state.acquire('a', 's')
      state.apply(body)
      t.strictSame(state.ids, isEnded ? [] : ['s'], `${kind}: ${what}`)
      t.match(state.reader.entry('a'), { session: isEnded ? '' : 's' })
      t.strictSame(state.rows('session_checks').length, isEnded ? 0 : 1)
      t.strictSame(...state.sums())
    }
  }
  const state = new MemorySessions()
  state.apply(sessionCreate('s'))
  state.apply({ kind: 'deregister', nodeName: 'n1' })
  t.strictSame(state.ids, [], 'without checks, it ends with its node')
})

t.test('a session ends with the service of its check', async (t) => {
  const state = new MemorySessions()
  const [check] = registerNode('n1', { alive: 'passing' }).checks
  if (check === undefined) return
  const service = {
    id: 'web',
    name: 'web',
    address: '',
    port: 0,
    tags: [],
    meta: {},
    weights: { passing: 1, warning: 1 },
    taggedAddresses: {},
    enableTagOverride: false,
    owner: 'catalog',
    extra: {},
  } as const
  const checks = [{ ...check, serviceId: 'web' }]
  state.apply({ kind: 'register', nodeName: 'n1', service, checks, replaceChecks: true })
  state.apply(sessionCreate('s', { serviceChecks: [{ id: 'alive', namespace: '' }] }))
  state.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'web' })
  t.strictSame(state.ids, [])
})

t.test(
  'an expired session does not end in another term than that of the leader who saw it',
  async (t) => {
    const state = new MemorySessions()
    state.apply(sessionCreate('s'))
    state.term = 3
    state.apply({ kind: 'session-destroy', id: 's', term: 2 })
    t.strictSame(state.ids, ['s'], 'it may have been renewed in the meantime')
    state.apply({ kind: 'session-destroy', id: 's', term: 3 })
    t.strictSame(state.ids, [])
  },
)

t.test('subjects: each reader of sessions is told of its changes only', async (t) => {
  const state = new MemorySessions()
  state.apply(registerNode('n2'))
  const touchedBy = (body: FamilyBody) => {
    const { subjects } = state.applyAll(body)
    return [...(subjects.get('session') ?? [])].toSorted()
  }
  t.strictSame(touchedBy(sessionCreate('s')), ['session:s', 'sessions', 'sessions-of:n1'])
  t.strictSame(touchedBy(sessionCreate('s')), [], 'it is there')
  const created = state.index - 1
  t.strictSame(touchedBy(kvPut('a', 'v')), [])
  touchedBy(sessionCreate('t', { node: 'n2' }))
  t.equal(state.sessions.indexOf('session:s'), created)
  t.equal(state.sessions.indexOf('sessions-of:n1'), created)
  t.equal(state.sessions.indexOf('sessions'), state.index)
  const ended = ['session:s', 'sessions', 'sessions-of:n1']
  t.strictSame(touchedBy({ kind: 'session-destroy', id: 's' }), ended)
  t.equal(state.sessions.indexOf('session:s'), state.index, 'also when it is gone')
  t.strictSame(touchedBy({ kind: 'session-destroy', id: 's' }), [], 'it is gone')
})
