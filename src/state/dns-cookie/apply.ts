import type { Database } from 'better-sqlite3'
import type { Change } from '../machine/change.ts'
import type { Applier } from '../machine/family.ts'
import { isSameRow } from '../machine/table.ts'
import type { DnsCookieCommand } from './commands.ts'
import { DnsCookieReader } from './reader.ts'
import { dnsCookieSubject } from './subjects.ts'
import { dnsCookieTable } from './tables.ts'
import type { DnsCookieRow } from './tables.ts'

export function openDnsCookie(db: Database, gate: Change): Applier<DnsCookieCommand> {
  const reader = new DnsCookieReader(db)
  return {
    apply(body) {
      const before = reader.stored()
      const row = rowAfter(body, before, gate.timeMs)
      if (row !== before) write(gate, before, row)
      return { ok: true, index: gate.index }
    },
  }
}

/** `before` itself if the command changes nothing. */
function rowAfter(
  body: DnsCookieCommand,
  before: DnsCookieRow | undefined,
  timeMs: number,
): DnsCookieRow | undefined {
  if (body.kind === 'dns-cookie-reset') return undefined
  const { secret } = body
  if (body.kind === 'dns-cookie-set') {
    return { id: 1, secret, previous: body.previous, rotated_ms: body.rotatedMs }
  }
  // A leader that has lost its term and the next one may both have proposed a secret.
  if (body.sinceMs !== (before?.rotated_ms ?? 0)) return before
  return { id: 1, secret, previous: before?.secret ?? '', rotated_ms: timeMs }
}

function write(
  gate: Change,
  before: DnsCookieRow | undefined,
  row: DnsCookieRow | undefined,
): void {
  if (row !== undefined && before !== undefined && isSameRow(before, row)) return
  if (row !== undefined) gate.put(dnsCookieTable, row, before)
  else if (before !== undefined) gate.remove(dnsCookieTable, before)
  gate.touch(dnsCookieSubject)
}
