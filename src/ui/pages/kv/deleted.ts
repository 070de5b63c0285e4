import { signal } from '@preact/signals'
import type { KeyRow } from '../../../client/rows.ts'

/** The key that was deleted last in this tab, so that it can be written again. */
const deleted = signal<KeyRow | undefined>(undefined)

export function keepDeleted(entry: KeyRow): void {
  deleted.value = entry
}

export function deletedKey(name: string): KeyRow | undefined {
  return deleted.value?.Key === name ? deleted.value : undefined
}
