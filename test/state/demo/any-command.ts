import fc from 'fast-check'
import type { DemoCommand } from '../../../src/state/demo/commands.ts'

export const command: fc.Arbitrary<DemoCommand> = fc.record({
  kind: fc.constant('demo-set' as const),
  name: fc.constantFrom('a', 'b', 'c'),
  text: fc.constantFrom('', 'x', 'y'),
})
