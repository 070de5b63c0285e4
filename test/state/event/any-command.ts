import fc from 'fast-check'
import type { EventCommand } from '../../../src/state/event/commands.ts'

const id = fc.nat(9).map((n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`)
const filter = fc.constantFrom('', '^web$')

export const command: fc.Arbitrary<EventCommand> = fc
  .record({
    id,
    name: fc.constantFrom('deploy', 'é'),
    payload: fc.constantFrom('', 'dg=='),
    nodeFilter: filter,
    serviceFilter: filter,
    tagFilter: filter,
    nodes: fc.constantFrom(undefined, [], ['n1']),
  })
  .map((event): EventCommand => ({ kind: 'event-fire', ...event }))
