import fc from 'fast-check'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { stampAll } from '../../../src/replica/writes/log-entry.ts'
import { readProposal } from '../../../src/replica/writes/sent-proposal.ts'
import { decodeCommand, printProposal, stateVersion } from '../../../src/state/families.ts'
import type { FamilyBody } from '../../../src/state/families.ts'
import type { Command } from '../../../src/state/machine/command.ts'
import { terseFormat } from '../../../src/state/catalog/schema.ts'
import {
  checkDefinition,
  MemoryCatalog,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../../helpers/catalog.ts'
import { command } from './any-command.ts'

const origin = { version: 1, actor: 'a', cause: 'c' } as const
const web = registerCommand('n1', {
  node: nodeDefinition('n1'),
  service: serviceDefinition('web'),
  checks: [checkDefinition('c', { serviceId: 'web' })],
})

/** As the log has a command that was printed while `usedFormat` was in use. */
function entry(body: FamilyBody, requestId: string, usedFormat: number): Buffer {
  const printed = printProposal({ ...origin, requestId, body }, usedFormat)
  return must(stampAll([Buffer.from(printed)], 7)[0])
}

t.test('entries without what is default give the same rows as whole ones', async () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 1, maxLength: 12 }), (bodies) => {
      const [whole, terse] = [new MemoryCatalog(), new MemoryCatalog()]
      for (const [at, body] of bodies.entries()) {
        whole.applyCommands(decodeCommand(entry(body, `r${at}`, 0)))
        terse.applyCommands(decodeCommand(entry(body, `r${at}`, stateVersion)))
      }
      return whole.machine.sums.now.text === terse.machine.sums.now.text
    }),
    { numRuns: 200 },
  )
})

t.test('a plain registration takes two thirds of the bytes at most', async (t) => {
  const [whole, terse] = [entry(web, 'r', 0), entry(web, 'r', stateVersion)]
  t.ok(terse.length <= (2 / 3) * whole.length, `${terse.length} of ${whole.length} bytes`)
})

t.test('a value that is not the default is in the entry', async (t) => {
  const values: readonly Partial<ReturnType<typeof serviceDefinition>>[] = [
    { weights: { passing: 1, warning: 2 } },
    { weights: { passing: 2, warning: 1 } },
    { tags: [''] },
    { meta: { a: '' } },
    { port: 1 },
    { enableTagOverride: true },
    { extra: { Kind: '' } },
    { taggedAddresses: { lan: { address: '', port: 0 } } },
  ]
  for (const value of values) {
    const service = serviceDefinition('web', value)
    const { body } = decodeCommand(entry({ ...web, service }, 'r', stateVersion))
    t.strictSame((body as typeof web).service, service)
  }
})

t.test('entries are whole until the log has taken the format into use', async (t) => {
  const proposal = { ...origin, requestId: 'r', body: web }
  t.equal(printProposal(proposal, terseFormat - 1), JSON.stringify(proposal))
  t.not(printProposal(proposal, terseFormat), JSON.stringify(proposal))
})

t.test(
  'the leader takes what another server has printed, and applies it as all others do',
  async (t) => {
    const body = { kind: 'batch', bodies: [web, { kind: 'deregister', nodeName: 'n2' }] } as const
    for (const one of [web, body]) {
      const printed = Buffer.from(
        printProposal({ ...origin, requestId: 'r', body: one }, stateVersion),
      )
      const read = readProposal(printed)
      t.equal(read.fault, undefined)
      const decoded: Command = decodeCommand(must(stampAll([printed], 7)[0]))
      t.strictSame('parsed' in read && { timeMs: 7, ...read.parsed }, decoded)
    }
  },
)
