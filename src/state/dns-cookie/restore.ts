import { isSameRow } from '../machine/table.ts'
import type { DnsCookieCommand } from './commands.ts'
import type { DnsCookieReader } from './reader.ts'

/** The commands that bring the archived secrets back. The leader replaces them if they are old. */
export function* restoreDnsCookie(
  archived: DnsCookieReader,
  present: DnsCookieReader,
): Generator<readonly DnsCookieCommand[] | undefined> {
  const [before, now] = [present.stored(), archived.stored()]
  if (now === undefined) {
    yield before === undefined ? undefined : [{ kind: 'dns-cookie-reset' }]
    return
  }
  const { secret, previous, rotated_ms: rotatedMs } = now
  const isSame = before !== undefined && isSameRow(before, now)
  yield isSame ? undefined : [{ kind: 'dns-cookie-set', secret, previous, rotatedMs }]
}
