import type { AutopilotCommand } from './commands.ts'
import type { AutopilotReader } from './reader.ts'

/** The commands that turn the present settings into the archived ones. */
export function* restoreAutopilot(
  archived: AutopilotReader,
  present: AutopilotReader,
): Generator<readonly AutopilotCommand[] | undefined> {
  const [before, now] = [present.stored(), archived.stored()]
  if (now === undefined) {
    yield before === undefined ? undefined : [{ kind: 'autopilot-reset' }]
    return
  }
  const { cleanupDeadServers, minQuorum } = archived.configuration()
  const isSame =
    before?.cleanup_dead_servers === now.cleanup_dead_servers && before.min_quorum === minQuorum
  yield isSame ? undefined : [{ kind: 'autopilot-set', cleanupDeadServers, minQuorum }]
}
