import { signal } from '@preact/signals'
import type { KeyRow } from '../../../client/rows.ts'
import { bytesOfBase64, formatOf, typedOf } from '../../core/value.ts'
import type { Format } from '../../core/value.ts'
import { unsaved } from '../../data/leaving.ts'

// The tab keeps typed text until it is saved or discarded, whatever happens to the page, the token or the agent.

/** A key as the agent had it. */
export interface KeyState {
  readonly index: number
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly flags: string
}

export interface Draft {
  /** The name that was typed for a new key. */
  readonly key: string
  readonly format: Format
  readonly text: string
  readonly flags: string
  /** The edited state of the key; null: the key must not exist. */
  readonly base: KeyState | null
}

/** By key; that of a new key is under ''. */
const drafts = signal<ReadonlyMap<string, Draft>>(new Map())
export const newKey = ''

export function draftOf(key: string): Draft | undefined {
  return drafts.value.get(key)
}

export function keepDraft(key: string, draft: Draft): void {
  drafts.value = new Map(drafts.peek()).set(key, draft)
}

/** The text was saved, or is not wanted any more. */
export function dropDraft(key: string): void {
  const rest = new Map(drafts.peek())
  rest.delete(key)
  drafts.value = rest
  unsaved.value = undefined
}

export function stateOf(row: KeyRow): KeyState {
  return { index: row.ModifyIndex, bytes: bytesOf(row), flags: row.Flags }
}

export function bytesOf({ Value }: Pick<KeyRow, 'Value'>): Uint8Array<ArrayBuffer> {
  return bytesOfBase64(Value ?? '') ?? new Uint8Array()
}

/** The beginning of an edit. */
export function editOf(row: KeyRow): Draft {
  const base = stateOf(row)
  const format = formatOf(base.bytes)
  const text = typedOf(base.bytes, format)
  return { key: row.Key, format, text, flags: row.Flags, base }
}

export function emptyDraft(folder: string): Draft {
  return { key: folder, format: 'text', text: '', flags: '0', base: null }
}

/** Whether a draft differs from its beginning. */
export function isChanged({ base, format, text, flags }: Draft): boolean {
  return base === null || flags !== base.flags || text !== typedOf(base.bytes, format)
}
