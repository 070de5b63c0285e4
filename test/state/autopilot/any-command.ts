import fc from 'fast-check'
import type { AutopilotCommand } from '../../../src/state/autopilot/commands.ts'

export const command: fc.Arbitrary<AutopilotCommand> = fc.oneof(
  fc
    .record({
      cleanupDeadServers: fc.constantFrom(undefined, true, false),
      minQuorum: fc.constantFrom(undefined, 0, 3),
      cas: fc.constantFrom(undefined, 1, 2),
    })
    .map((settings): AutopilotCommand => ({ kind: 'autopilot-set', ...settings })),
  fc.constant<AutopilotCommand>({ kind: 'autopilot-reset' }),
)
