import { join } from 'node:path'
import t from 'tap'
import { decodeCommand, proposalFault, stateVersion } from '../../../src/state/families.ts'
import { plainRows } from '../../../src/state/catalog/service-fields.ts'
import { runSnapshotJob } from '../../../src/storage/snapshot/job.ts'
import { StateWriter } from '../../../src/storage/state.ts'
import { MemoryCatalog, registerCommand, serviceDefinition } from '../../helpers/catalog.ts'
import { fill, toFormat } from '../../helpers/state.ts'

const samples = { text: 'a b', whole: 7, flag: true } as const
const empty = { text: '', whole: 0, flag: false } as const
const later = plainRows.filter(({ since }) => since > 1)

t.test('plain fields are read back as they were registered', async (t) => {
  const catalog = new MemoryCatalog()
  const values = Object.fromEntries(plainRows.map(({ name, kind }) => [name, samples[kind]]))
  catalog.apply(registerCommand('n1', { service: { ...serviceDefinition('web'), ...values } }))
  t.match(catalog.reader.service('n1', 'web'), values)
})

t.test('a later field counts once the log has taken its format into use', async (t) => {
  for (const { name, kind, since } of later) {
    const service = { ...serviceDefinition('web'), ...({ [name]: samples[kind] } as object) }
    for (const [format, value] of [
      [since - 1, empty[kind]],
      [since, samples[kind]],
    ] as const) {
      const catalog = new MemoryCatalog(format)
      catalog.apply(registerCommand('n1', { service }))
      t.match(catalog.reader.service('n1', 'web'), { [name]: value })
    }
  }
})

t.test('an entry of an earlier release has the defaults of the later fields', async (t) => {
  const catalog = new MemoryCatalog()
  const service: Record<string, unknown> = { ...serviceDefinition('web') }
  for (const { name } of later) delete service[name]
  const command = catalog.command(registerCommand('n1', { service: service as never }))
  const { timeMs: _time, ...proposal } = command
  t.equal(proposalFault(proposal), undefined)
  catalog.applyCommands(decodeCommand(Buffer.from(JSON.stringify(command))))
  const defaults = Object.fromEntries(plainRows.map(({ name, kind }) => [name, empty[kind]]))
  t.match(catalog.reader.service('n1', 'web'), defaults)
})

t.test('a value of another kind never reaches the log', async (t) => {
  for (const { name, kind } of plainRows) {
    const wrong = { [name]: kind === 'text' ? 1 : 'x' }
    const service = { ...serviceDefinition('web'), ...(wrong as object) }
    const catalog = new MemoryCatalog()
    const { timeMs: _time, ...proposal } = catalog.command(registerCommand('n1', { service }))
    t.equal(proposalFault(proposal), 'it is a malformed register', name)
  }
})

t.test(
  'the migration to a later field keeps the sums, and they are those of the rows',
  async (t) => {
    for (let format = 5; format <= stateVersion; format++) {
      const path = join(t.testdir(), 'state.db')
      const writer = new StateWriter(path)
      fill(writer, 20)
      const { text } = writer.sums.now
      writer.close()
      toFormat(path, format)
      const migrated = new StateWriter(path)
      t.equal(migrated.sums.now.text, text)
      t.equal(runSnapshotJob({ kind: 'verify', statePath: path }).index, 20)
      migrated.close()
    }
  },
)
