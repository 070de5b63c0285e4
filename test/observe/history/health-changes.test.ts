import t from 'tap'
import { HealthChanges } from '../../../src/observe/history/health-changes.ts'
import { ratesOf } from '../../../src/observe/history/rates.ts'
import { serverLag } from '../../../src/observe/history/server-lag.ts'

const well = { passing: 2, warning: 0, critical: 0, maintenance: 0 }
const broken = { passing: 1, warning: 0, critical: 1, maintenance: 0 }

t.test('the health of a service at any step follows from its changes', async (t) => {
  const changes = new HealthChanges()
  changes.see(1, 'web', well, false)
  changes.see(2, 'web', well, true)
  changes.see(4, 'web', broken, true)
  changes.see(5, 'api', well, true)
  changes.see(6, 'web', well, true)
  t.strictSame(changes.ofService('web', 1, 7), {
    passing: [2, 2, 2, 1, 1, 2, 2],
    warning: [0, 0, 0, 0, 0, 0, 0],
    critical: [0, 0, 0, 1, 1, 0, 0],
    maintenance: [0, 0, 0, 0, 0, 0, 0],
  })
  t.strictSame(changes.ofService('api', 3, 6)?.passing, [0, 0, 2, 2], 'it was registered at 5')
  t.equal(changes.ofService('none', 1, 7), undefined)
  t.strictSame(changes.total(), { passing: 4, warning: 0, critical: 0, maintenance: 0 })
})

t.test('a service flaps when its worst health changed three times in the hour', async (t) => {
  const changes = new HealthChanges()
  changes.see(1, 'web', well, false)
  changes.see(1, 'api', well, false)
  for (let step = 2; step < 6; step++)
    changes.see(step, 'web', step % 2 === 0 ? broken : well, true)
  changes.see(2, 'api', { ...well, passing: 3 }, true)
  changes.see(3, 'api', well, true)
  changes.see(4, 'api', { ...well, passing: 3 }, true)
  t.strictSame(changes.flapping(6), [{ key: 'web', turns: 4 }], 'a new instance is no turn')
  t.strictSame(changes.flapping(400), [], 'that was more than an hour ago')
})

t.test('what is gone is forgotten', async (t) => {
  const changes = new HealthChanges()
  changes.see(1, 'web', well, false)
  changes.keepOnly(new Set(['api']))
  t.equal(changes.ofService('web', 1, 1), undefined)
  t.equal(changes.total().passing, 0)
})

t.test('more changes than are remembered push out the oldest', async (t) => {
  const changes = new HealthChanges()
  changes.see(1, 'web', well, false)
  changes.see(2, 'web', broken, true)
  changes.see(1, 'noisy', well, false)
  for (let at = 0; at < 20_000; at++) changes.see(3, 'noisy', at % 2 === 0 ? broken : well, true)
  t.strictSame(changes.ofService('web', 1, 3)?.critical, [1, 1, 1], 'only the present is known')
  changes.see(4, 'web', well, true)
  t.strictSame(changes.ofService('web', 1, 4)?.critical, [1, 1, 1, 0])
})

t.test('rates are per second, and a counter that was reset counts from zero', async (t) => {
  const before = new Map([
    ['a', 100],
    ['b', 50],
  ])
  const now = new Map([
    ['a', 150],
    ['b', 20],
    ['c', 5],
  ])
  t.strictSame(
    [...ratesOf(before, now, 10_000)],
    [
      ['a', 5],
      ['b', 2],
      ['c', 0.5],
    ],
  )
})

t.test('a leader knows how far each server is behind, others do not', async (t) => {
  const servers = [
    { id: 'n1', address: '', isVoter: true, isLeader: true, lastIndex: 100 },
    { id: 'n2', address: '', isVoter: true, isLeader: false, lastIndex: 97 },
    { id: 'n3', address: '', isVoter: true, isLeader: false, lastIndex: undefined },
  ]
  t.strictSame(
    [...serverLag('n1', { role: 'leader', servers })],
    [
      ['n1', 0],
      ['n2', 3],
    ],
  )
  t.strictSame([...serverLag('n1', { role: 'follower', servers })], [])
  t.strictSame([...serverLag('n1', undefined)], [])
})
