import type { KeyRow } from '../../client/rows.ts'
import { parseAnswer } from '../core/json.ts'
import { wellFormed } from '../core/text.ts'
import { base64Of } from '../core/value.ts'
import { ask, faultOf, send } from './api.ts'

// Reads and writes keys. Browsers take the segments `.` and `..` out of every path, so the two keys with these names
// cannot be in one. They go through transactions.

/** What a person wants a key to be. */
export interface NewValue {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly flags: string
}

export function isDots(key: string): boolean {
  return key === '.' || key === '..'
}

/** The path of a key or a prefix below `kv/` or `watch/key/`. */
export function keyPath(before: string, key: string): string {
  return `${before}${encodeURIComponent(wellFormed(key))}`
}

/** Null: the key does not exist. Rejects with an ApiFault. */
export async function readKey(key: string, signal?: AbortSignal): Promise<KeyRow | null> {
  if (isDots(key)) {
    const rows = await transaction(`{"Verb":"get-or-empty","Key":"${key}"}`, signal)
    const [row] = rows ?? []
    return row === undefined || row.KV.ModifyIndex === 0 ? null : row.KV
  }
  const answer = await ask(keyPath('kv/', key), signal)
  if (answer.status === 404) return null
  if (!answer.ok) throw await faultOf(answer)
  return (parseAnswer(await answer.text()) as readonly KeyRow[])[0] ?? null
}

/**
 * Writes a key if its ModifyIndex still is `index`; 0: if it does not exist. False: it was changed in the meantime.
 * Rejects with an ApiFault.
 */
export async function writeKey(
  key: string,
  { bytes, flags }: NewValue,
  index: number,
): Promise<boolean> {
  if (isDots(key)) {
    const value = `"Value":"${base64Of(bytes)}","Flags":${flags}`
    const operation = `{"Verb":"cas","Key":"${key}",${value},"Index":${index}}`
    return (await transaction(operation)) !== undefined
  }
  const path = `${keyPath('kv/', key)}?cas=${index}&flags=${flags}`
  return isTrue(await send(path, undefined, { method: 'PUT', body: bytes }))
}

/** Deletes a key if its ModifyIndex still is `index`. False: it was changed. Rejects with an ApiFault. */
export async function deleteKey(key: string, index: number): Promise<boolean> {
  if (isDots(key)) {
    const operation = `{"Verb":"delete-cas","Key":"${key}","Index":${index}}`
    return (await transaction(operation)) !== undefined
  }
  return isTrue(await send(`${keyPath('kv/', key)}?cas=${index}`, undefined, { method: 'DELETE' }))
}

/** Deletes all keys that begin with a prefix. Rejects with an ApiFault. */
export async function deleteBelow(prefix: string): Promise<void> {
  await send(`${keyPath('kv/', prefix)}?recurse`, undefined, { method: 'DELETE' })
}

/** All keys that begin with a prefix. Rejects with an ApiFault. */
export async function keysBelow(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
  const answer = await ask(`${keyPath('kv/', prefix)}?keys`, signal)
  if (answer.status === 404) return []
  if (!answer.ok) throw await faultOf(answer)
  return (await answer.json()) as readonly string[]
}

async function isTrue(answer: Response): Promise<boolean> {
  return (await answer.text()).trim() === 'true'
}

interface TxnRow {
  readonly KV: KeyRow
}

/** One operation on a key; undefined: it failed, because the key was changed. Rejects with an ApiFault. */
async function transaction(
  operation: string,
  signal?: AbortSignal,
): Promise<readonly TxnRow[] | undefined> {
  const answer = await ask('txn', signal, { method: 'PUT', body: `[{"KV":${operation}}]` })
  if (answer.status === 409) return undefined
  if (!answer.ok) throw await faultOf(answer)
  const { Results } = parseAnswer(await answer.text()) as {
    readonly Results: readonly TxnRow[] | null
  }
  return Results ?? []
}
