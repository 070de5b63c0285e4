import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { openVersions } from '../../src/state/families.ts'
import { catalogFamily } from '../../src/state/catalog/family.ts'
import { StateReader, StateWriter } from '../../src/storage/state.ts'
import { ChangeWaiters } from '../../src/reads/change-waiters.ts'
import { LocalReads } from '../../src/reads/local-reads.ts'
import { SlicedReads } from '../../src/reads/sliced-reads.ts'
import { registerCommand } from '../helpers/catalog.ts'

function opened(test: Test) {
  const path = join(test.testdir(), 'state.db')
  const writer = new StateWriter(path)
  const state = new StateReader(path)
  const sliced = new SlicedReads(path, () => {})
  test.teardown(async () => {
    await sliced.close()
    state.close()
    writer.close()
  })
  const body = registerCommand('n1')
  const command = { version: 1, requestId: 'r1', actor: '', cause: '', timeMs: 1, body } as const
  writer.applyBatch([{ index: 1, term: 1, command }])
  const damage: { reason: string | undefined } = { reason: undefined }
  const versions = openVersions()
  const waiters = new ChangeWaiters(versions)
  const local = new LocalReads({ state, sliced, versions, waiters, damage: () => damage.reason })
  return { reads: local.of(catalogFamily), damage }
}

function* names(rows: readonly { readonly name: string }[]): Generator<void, string> {
  let all = ''
  for (const { name } of rows) {
    all += name
    yield
  }
  return all
}

t.test('a damaged state is not read, in slices or at once, until it is rebuilt', async (t) => {
  const { reads, damage } = opened(t)
  const once = (): string => reads.read((catalog) => catalog.nodes()[0]?.name ?? '')
  const slices = async (): Promise<string> =>
    reads.readSliced((catalog) => names([...catalog.nodes()]))
  t.strictSame([once(), await slices()], ['n1', 'n1'])
  damage.reason = 'page 3'
  t.throws(once, { code: 'state-damaged', message: /page 3/ })
  await t.rejects(slices(), { code: 'state-damaged', message: /page 3/ })
  damage.reason = undefined
  t.strictSame([once(), await slices()], ['n1', 'n1'])
})
