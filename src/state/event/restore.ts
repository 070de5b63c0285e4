import type { EventCommand } from './commands.ts'
import type { EventReader, UserEvent } from './reader.ts'

/**
 * The commands that bring archived events back, with their Lamport times. Only those that are later than
 * all present ones: an earlier one was known here once, and no reader should see it a second time. Events
 * that were fired after the archive was made stay, because readers have seen them.
 */
export function* restoreEvents(
  archived: EventReader,
  present: EventReader,
): Generator<readonly EventCommand[] | undefined> {
  const last = present.lastTime()
  for (const event of archived.all()) {
    yield event.ltime <= last ? undefined : [fireOf(event)]
  }
}

function fireOf({ payload, ...event }: UserEvent): EventCommand {
  return { kind: 'event-fire', ...event, payload: Buffer.from(payload).toString('base64') }
}
