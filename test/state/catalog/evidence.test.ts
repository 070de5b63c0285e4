import { join } from 'node:path'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { commandKind, decodeCommand, proposalFault } from '../../../src/state/families.ts'
import { stateTables, stateVersion } from '../../../src/state/families.ts'
import type { UpdateCheckCommand } from '../../../src/state/catalog/commands.ts'
import { nodeCheckId, serverServiceId } from '../../../src/state/catalog/model.ts'
import type { Evidence, Status } from '../../../src/state/catalog/model.ts'
import { restoreCommands } from '../../../src/state/catalog/restore.ts'
import { evidenceFormat } from '../../../src/state/catalog/schema.ts'
import { scanSums } from '../../../src/state/machine/sums.ts'
import { runSnapshotJob } from '../../../src/storage/snapshot/job.ts'
import { StateWriter } from '../../../src/storage/state.ts'
import {
  MemoryCatalog,
  checkDefinition,
  registerCommand,
  serviceDefinition,
} from '../../helpers/catalog.ts'
import { committed, fill, toFormat } from '../../helpers/state.ts'

const useFormat = { kind: 'use-format', format: stateVersion } as const

function update(status: Status, evidence?: Evidence, output = ''): UpdateCheckCommand {
  const command = { kind: 'update-check', nodeName: 'n1', checkId: 'service:web', status } as const
  return { ...command, output, ...(evidence !== undefined && { evidence }) }
}

const web = (status: Status, evidence?: Evidence) =>
  registerCommand('n1', {
    service: serviceDefinition('web'),
    checks: [
      checkDefinition('service:web', {
        serviceId: 'web',
        status,
        ...(evidence !== undefined && { evidence }),
      }),
    ],
  })

const checkIn = (catalog: MemoryCatalog) => must(catalog.reader.check('n1', 'service:web'))

t.test('a check keeps the evidence that its last command brought', async (t) => {
  const catalog = new MemoryCatalog()
  const after = (command: UpdateCheckCommand | ReturnType<typeof web>): Evidence => {
    catalog.apply(command)
    return checkIn(catalog).evidence
  }
  t.equal(after(web('critical')), '')
  t.equal(after(web('critical', 'intent')), 'intent')
  t.equal(after(update('critical', 'absence')), 'absence')
  t.equal(after(update('warning', 'proof')), 'proof')
  t.equal(after(update('warning')), '', 'a command of an older release says nothing of it')
  t.equal(after(update('passing', 'proof')), '', 'nor has a passing check any')
  t.equal(after(web('passing', 'proof')), '')
  t.equal(
    catalog.machine.sums.now.text,
    Object.entries(scanSums(catalog.db, stateTables))
      .map(([table, sum]) => `${table}=${sum.text}`)
      .join(' '),
    'and the sums are those of the rows',
  )
})

t.test('evidence that changes alone is a change', async (t) => {
  const catalog = new MemoryCatalog()
  catalog.apply(web('critical', 'absence'))
  const { modifyIndex } = checkIn(catalog)
  t.equal(catalog.apply(update('critical', 'absence')).subjects.size, 0, 'the same is none')
  const { subjects } = catalog.apply(update('critical', 'proof'))
  t.ok(subjects.has('service:web') && subjects.has('checks'), [...subjects].join(' '))
  t.ok(checkIn(catalog).modifyIndex > modifyIndex)
  t.equal(catalog.apply(web('critical', 'proof')).subjects.size, 0)
  t.ok(catalog.apply(web('critical', 'absence')).subjects.has('checks'))
})

t.test('evidence counts from the entry on that takes its format into use', async (t) => {
  const catalog = new MemoryCatalog(0)
  catalog.apply(web('critical', 'intent'))
  t.equal(checkIn(catalog).evidence, '')
  catalog.apply(update('warning', 'proof'))
  t.equal(checkIn(catalog).evidence, '')
  catalog.apply({ kind: 'use-format', format: evidenceFormat - 1 }, update('critical', 'proof'))
  t.equal(checkIn(catalog).evidence, '', 'an older format does not have it')
  catalog.apply(useFormat, update('critical', 'proof'))
  t.equal(checkIn(catalog).evidence, 'proof')
  catalog.apply({ kind: 'use-format', format: evidenceFormat - 1 }, update('critical', 'absence'))
  t.equal(checkIn(catalog).evidence, 'absence', 'and no format goes out of use')
  t.equal(catalog.machine.usedFormat, stateVersion)
})

t.test('a server that was upgraded late has the rows of one that was upgraded early', async (t) => {
  t.testdir()
  const [early, late] = ['early.db', 'late.db'].map((name) => join(t.testdirName, name))
  const before = [
    web('passing'),
    update('warning', 'proof'),
    update('critical', 'absence', 'mixed'),
  ]
  const after = [useFormat, update('critical', 'proof', 'all'), web('critical', 'absence')]
  const entriesOf = (bodies: readonly Parameters<typeof committed>[1][], from: number) =>
    bodies.map((body, at) => committed(from + at, body))
  const writer = new StateWriter(must(early))
  t.teardown(() => writer.close())
  const old = new StateWriter(must(late))
  for (const each of [writer, old]) {
    fill(each, 20)
    each.applyBatch(entriesOf(before, 21))
  }
  old.close()
  // What a release of format 7, which does not know the field, would have made of these entries.
  toFormat(must(late), 7)
  const upgraded = new StateWriter(must(late))
  t.teardown(() => upgraded.close())
  t.equal(upgraded.sums.now.text, writer.sums.now.text)
  for (const each of [writer, upgraded]) each.applyBatch(entriesOf(after, 24))
  t.equal(upgraded.sums.now.text, writer.sums.now.text)
  t.equal(upgraded.stateHash(), writer.stateHash())
  t.equal(upgraded.catalog.check('n1', 'service:web')?.evidence, 'absence')
  t.equal(runSnapshotJob({ kind: 'verify', statePath: must(late) }).index, 26)
})

t.test(
  'a restore brings evidence back, and takes a server of another cluster for dead',
  async (t) => {
    const [archived, present] = [new MemoryCatalog(), new MemoryCatalog()]
    const server = registerCommand('s9', {
      service: serviceDefinition(serverServiceId),
      checks: [checkDefinition(nodeCheckId)],
    })
    archived.apply(web('critical', 'absence'), server)
    present.apply(web('critical', 'proof'))
    const context = { memberIds: new Set<string>() }
    for (const commands of restoreCommands(archived.reader, present.reader, context)) {
      if (commands !== undefined) present.apply(...commands)
    }
    t.equal(checkIn(present).evidence, 'absence')
    t.match(present.reader.check('s9', nodeCheckId), { status: 'critical', evidence: 'absence' })
  },
)

t.test('a format in use stays so after a restart, and after a batch that failed', async (t) => {
  t.testdir()
  const path = join(t.testdirName, 'state.db')
  const first = new StateWriter(path)
  t.equal(first.usedFormat, 0)
  const broken = committed(2, { kind: 'register' } as never)
  t.throws(() => first.applyBatch([committed(1, useFormat), broken]))
  t.equal(first.usedFormat, 0, 'the batch was rolled back')
  first.applyBatch([committed(1, useFormat)])
  t.equal(first.usedFormat, stateVersion)
  first.close()
  const again = new StateWriter(path)
  t.teardown(() => again.close())
  t.equal(again.usedFormat, stateVersion)
})

t.test('a format that this release does not know is not taken into use', async (t) => {
  const command = (format: number) => ({
    version: 1,
    requestId: 'r',
    actor: 'a',
    cause: 'c',
    body: { kind: 'use-format', format },
  })
  const entry = (format: number) => Buffer.from(JSON.stringify(command(format)))
  t.equal(proposalFault(command(stateVersion)), undefined)
  t.match(proposalFault(command(stateVersion + 1)), /malformed use-format/)
  t.match(decodeCommand(entry(stateVersion)), { body: useFormat })
  t.throws(() => decodeCommand(entry(stateVersion + 1)), /a newer release of svcd has written it/)
  t.equal(commandKind('use-format')?.since, evidenceFormat, 'older releases end at it')
})
