import t from 'tap'
import { subject } from '../../../src/state/catalog/subjects.ts'
import { CatalogVersions } from '../../helpers/versions.ts'

t.test('what was read before a change does not hold after it; other subjects do', async (t) => {
  const versions = new CatalogVersions()
  const [web, db] = [versions.slotOf(subject.service('Web')), versions.slotOf('service:db')]
  t.equal(web, versions.slotOf('service:web'), 'names are lower-cased')
  const since = versions.applied
  versions.bump(['service:web'])
  t.notOk(versions.holds(web, since))
  t.ok(versions.holds(db, since))
  t.ok(versions.holds(web, versions.applied), 'what is read afterwards holds')
})

t.test('a reader on another thread sees the bump through the shared buffer', async (t) => {
  const writer = new CatalogVersions()
  const reader = new CatalogVersions(writer.all.buffer)
  const since = reader.applied
  writer.bump(['node:a'])
  writer.bumpGeneration()
  t.notOk(reader.holds(reader.slotOf('node:a'), since))
  t.equal(reader.generation, 1)
})

t.test('the counter may wrap around', async (t) => {
  const versions = new CatalogVersions()
  new Int32Array(versions.all.buffer)[versions.slotOf('anything')] = 0x7fff_ffff
  const since = versions.applied
  versions.bump(['service:web'])
  t.equal(versions.applied, -0x8000_0000)
  t.notOk(versions.holds(versions.slotOf('service:web'), since))
  t.ok(versions.holds(versions.slotOf('service:web'), versions.applied))
})
