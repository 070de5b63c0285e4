import type { KvEntry } from '../../../state/kv/reader.ts'
import { FlatJson } from '../../../http/answer.ts'
import { object, orNull, text, whole } from '../../../http/schemas.ts'

export const entrySchema = object(
  {
    LockIndex: whole,
    Key: text,
    Flags: { type: 'integer', minimum: 0, description: 'Up to 2^64-1' },
    Value: orNull({ type: 'string', contentEncoding: 'base64' }),
    Session: text,
    CreateIndex: whole,
    ModifyIndex: whole,
  },
  'Session',
)

/** Of a value, that are about as much work as a row of another list. */
export const rowBytes = 16 * 1024

/** A key as the API shows it, its value in base64; '' is shown as null. */
export interface ShownEntry extends Omit<KvEntry, 'value'> {
  readonly value: string
}

/** Consul's DirEntry. */
export function entryRow(entry: ShownEntry, hasSession = entry.session !== ''): FlatJson {
  const { value, session } = entry
  return new FlatJson([
    ['LockIndex', String(entry.lockIndex)],
    ['Key', JSON.stringify(entry.key)],
    // Exact: up to 2^64-1, which no number of JavaScript holds.
    ['Flags', entry.flags],
    ['Value', value === '' ? 'null' : `"${value}"`],
    ...(hasSession ? [['Session', JSON.stringify(session)] as const] : []),
    ['CreateIndex', String(entry.createIndex)],
    ['ModifyIndex', String(entry.modifyIndex)],
  ])
}
