import fc from 'fast-check'
import type { IntentionCommand } from '../../../src/state/intention/commands.ts'
import { intentionDefinition, intentionId } from '../../helpers/intentions.ts'

const id = fc.nat(3).map(intentionId)
const name = fc.constantFrom('*', 'a', 'A', 'b', 'eng/a', 'eng/*', '*/*')

const put = fc
  .record({
    id,
    mode: fc.constantFrom('create', 'update', 'upsert', 'any'),
    source: name,
    destination: name,
    action: fc.constantFrom('allow', 'deny'),
    meta: fc.constantFrom({}, { owner: 'ops' }),
  })
  .map(({ id: of, mode, source, destination, ...rest }): IntentionCommand => {
    const intention = intentionDefinition(`${source} > ${destination}`, rest)
    return { kind: 'intention-put', mode, id: of, intention }
  })

export const command: fc.Arbitrary<IntentionCommand> = fc.oneof(
  put,
  id.map((of): IntentionCommand => ({ kind: 'intention-delete', id: of })),
)
