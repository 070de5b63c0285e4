import type { EventCommand } from './commands.ts'
import type { EventReader, UserEvent } from './reader.ts'

/**
 * The commands that bring archived events back, with their Lamport times. Only those that are later than
 * all present ones: an earlier one was known here once, and nobody should see it a second time. What was
 * fired since the archive was made stays, because it cannot be made unseen.
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
