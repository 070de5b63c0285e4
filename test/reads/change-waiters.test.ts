import t from 'tap'
import { ChangeWaiters } from '../../src/reads/change-waiters.ts'
import { CatalogVersions } from '../helpers/versions.ts'

const timeoutMs = 60_000

t.test('the writer must report changes exactly while somebody waits', async (t) => {
  const versions = new CatalogVersions()
  const waiters = new ChangeWaiters(versions.all)
  t.equal(versions.all.isAwaited, false, 'nobody has waited yet')
  const wait = waiters.wait('catalog', 'nodes', versions.applied, timeoutMs)
  t.equal(versions.all.isAwaited, true)
  versions.bump(['services'])
  waiters.changed()
  t.equal(versions.all.isAwaited, true, 'what has changed is not what is waited for')
  versions.bump(['nodes'])
  waiters.changed()
  await wait.ended
  t.equal(versions.all.isAwaited, false, 'the only wait has ended')
})

t.test('a wait notices a change that was not reported, because nobody waited then', async (t) => {
  const versions = new CatalogVersions()
  const waiters = new ChangeWaiters(versions.all)
  const since = versions.applied
  versions.bump(['nodes'])
  await waiters.wait('catalog', 'nodes', since, timeoutMs).ended
  const next = waiters.wait('catalog', 'nodes', versions.applied, timeoutMs)
  versions.bump(['nodes'])
  waiters.changed()
  await next.ended
  t.equal(waiters.count, 0)
})

t.test('a wait whose time is over lets the writer be silent after the next report', async (t) => {
  const versions = new CatalogVersions()
  const waiters = new ChangeWaiters(versions.all)
  await waiters.wait('catalog', 'nodes', versions.applied, 1).ended
  t.equal(versions.all.isAwaited, true)
  waiters.changed()
  t.equal(versions.all.isAwaited, false)
})
