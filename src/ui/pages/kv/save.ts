import { useState } from 'preact/hooks'
import type { KeyRow } from '../../../client/rows.ts'
import { bytesOfTyped, flagsFault } from '../../core/value.ts'
import { asFault } from '../../data/api.ts'
import type { ApiFault } from '../../data/api.ts'
import { readKey, writeKey } from '../../data/keys.ts'
import { dropDraft } from './drafts.ts'
import type { Draft } from './drafts.ts'

/** The key as another writer left it; null: the key is deleted. */
export interface Conflict {
  readonly theirs: KeyRow | null
}

export interface Saving {
  readonly isBusy: boolean
  readonly fault: ApiFault | undefined
  readonly conflict: Conflict | undefined
  readonly setConflict: (conflict: Conflict | undefined) => void
  readonly save: (draft: Draft) => Promise<void>
}

/** Why a draft cannot be saved, as far as it is known here. */
export function draftFault(draft: Draft): string | undefined {
  const typed = bytesOfTyped(draft.text, draft.format)
  if (typed.kind === 'fault') return typed.text
  return flagsFault(draft.flags)
}

/** Writes a draft to `name`, if the key still is what the draft began with. The draft stays until it is written. */
export function useSave(id: string, name: string, onSaved: () => void): Saving {
  const [isBusy, setBusy] = useState(false)
  const [fault, setFault] = useState<ApiFault>()
  const [conflict, setConflict] = useState<Conflict>()
  const save = async (draft: Draft): Promise<void> => {
    const typed = bytesOfTyped(draft.text, draft.format)
    if (typed.kind === 'fault') return
    setBusy(true)
    setFault(undefined)
    try {
      const value = { bytes: typed.bytes, flags: draft.flags }
      if (await writeKey(name, value, draft.base?.index ?? 0)) {
        dropDraft(id)
        onSaved()
      } else setConflict({ theirs: await readKey(name) })
    } catch (error) {
      setFault(asFault(error))
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, fault, conflict, setConflict, save }
}
