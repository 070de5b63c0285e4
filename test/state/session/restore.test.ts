import t from 'tap'
import type { FamilyBody } from '../../../src/state/families.ts'
import { families } from '../../../src/state/families.ts'
import type { Family } from '../../../src/state/machine/family.ts'
import { MemorySessions, registerNode, sessionCreate } from '../../helpers/sessions.ts'

/** Restores family by family, as the archive does it. */
function restore(archived: MemorySessions, present: MemorySessions): number {
  let count = 0
  for (const family of families as unknown as readonly Family<FamilyBody, unknown>[]) {
    const steps = family.restore(family.reader(archived.db), family.reader(present.db), {
      memberIds: new Set(),
    })
    for (const bodies of steps) {
      if (bodies === undefined) continue
      count += bodies.length
      present.applyAll({ kind: 'batch', bodies } as unknown as FamilyBody)
    }
  }
  return count
}

function locksOf(state: MemorySessions): readonly unknown[] {
  return [...state.sessions.locks()]
}

t.test('sessions, locks and lock-delays come back', async (t) => {
  const archived = new MemorySessions()
  archived.applyAll(
    sessionCreate('s', { nodeChecks: ['disk'], name: 'job', ttl: '10s', ttlMs: 10_000 }),
    sessionCreate('gone'),
  )
  archived.acquire('held', 's', 'one')
  archived.acquire('late', 'gone')
  archived.apply({ kind: 'session-destroy', id: 'gone' })
  const present = new MemorySessions()
  t.ok(restore(archived, present) > 0)
  t.match(present.sessions.session('s'), { name: 'job', ttlMs: 10_000, nodeChecks: ['disk'] })
  t.strictSame(locksOf(present), locksOf(archived))
  t.equal(present.acquire('late', 's'), 'lock-delay')
  t.equal(present.acquire('held', 's'), undefined)
  present.apply(registerNode('n1', { disk: 'critical' }))
  t.strictSame(present.ids, [], 'its checks end it')
  t.strictSame(...present.sums())
  t.equal(restore(archived, archived), 0, 'equal states cost no command')
})

t.test(
  'sessions that are not in the archive end, and their keys are as in the archive',
  async (t) => {
    const archived = new MemorySessions()
    archived.apply(sessionCreate('s'))
    archived.acquire('a', 's', 'old')
    archived.put('b', 'plain')
    const present = new MemorySessions()
    present.applyAll(sessionCreate('new', { behavior: 'delete' }), sessionCreate('other'))
    for (const key of ['a', 'b', 'c']) present.acquire(key, 'new', 'late')
    present.release('b', 'new')
    present.acquire('b', 'other', 'late')
    restore(archived, present)
    t.strictSame(present.ids, ['s'])
    t.strictSame(
      present.list(),
      archived.list(),
      'behavior delete takes no key of the archive away',
    )
    t.match(present.reader.entry('a'), { session: 's' })
    t.match(present.reader.entry('b'), { session: '' })
    t.strictSame(...present.sums())
  },
)

t.test('a fencing token never falls, and a lock without its session is free', async (t) => {
  const archived = new MemorySessions()
  archived.applyAll(sessionCreate('s'), sessionCreate('t', { nodeChecks: ['disk'] }))
  archived.acquire('a', 's')
  archived.acquire('b', 't')
  // The check of `t` does not allow it any more; the archive says so of the node as well.
  archived.db.prepare("UPDATE checks SET status = 'critical' WHERE check_id = 'disk'").run()
  const present = new MemorySessions()
  present.apply(sessionCreate('u', { lockDelayNs: 0 }))
  for (let count = 0; count < 5; count++) {
    present.acquire('a', 'u')
    present.release('a', 'u')
  }
  restore(archived, present)
  t.match(present.reader.entry('a'), { session: 's', lockIndex: 5 })
  t.match(present.reader.entry('b'), { session: '', lockIndex: 1 })
  t.strictSame(present.ids, ['s'])
})
