import type { JSX } from 'preact'
import type { KeyRow } from '../../../client/rows.ts'
import { firstLine } from '../../core/text.ts'
import { useUnsaved } from '../../data/leaving.ts'
import { ConflictView } from './conflict-view.tsx'
import { dropDraft, isChanged, keepDraft, stateOf } from './drafts.ts'
import type { Draft } from './drafts.ts'
import { SaveFault } from './save-fault.tsx'
import { draftFault, useSave } from './save.ts'
import { ValueFields } from './value-fields.tsx'

interface KeyEditorProps {
  readonly name: string
  readonly draft: Draft
  /** The key as it is now; undefined while that is not known, null when it does not exist. */
  readonly entry: KeyRow | null | undefined
  readonly onSaved: () => void
}

/** Changes the value and the flags of a key. */
export function KeyEditor({ name, draft, entry, onSaved }: KeyEditorProps): JSX.Element {
  const { isBusy, fault, conflict, setConflict, save } = useSave(name, name, onSaved)
  useUnsaved(isChanged(draft) ? `The change of ${firstLine(name, 80)}` : undefined)
  const isOutdated = entry !== undefined && (entry?.ModifyIndex ?? 0) !== (draft.base?.index ?? 0)
  const wrong = draftFault(draft)
  const submit = (event: Event): void => {
    event.preventDefault()
    if (wrong === undefined) void save(draft)
  }
  if (conflict !== undefined) {
    const theirs = conflict.theirs === null ? null : stateOf(conflict.theirs)
    const rebased = { ...draft, base: theirs }
    return (
      <ConflictView
        draft={draft}
        theirs={theirs}
        isBusy={isBusy}
        fault={fault}
        onOverwrite={() => {
          keepDraft(name, rebased)
          setConflict(undefined)
          void save(rebased)
        }}
        onEdit={() => {
          keepDraft(name, rebased)
          setConflict(undefined)
        }}
        onDiscard={() => {
          setConflict(undefined)
          dropDraft(name)
        }}
      />
    )
  }
  return (
    <form class="key-form" onSubmit={submit}>
      {isOutdated && (
        <p class="outdated" role="status">
          {entry === null
            ? 'This key was deleted while you edit it.'
            : 'This key was changed while you edit it.'}{' '}
          <button type="button" class="link" onClick={() => setConflict({ theirs: entry ?? null })}>
            Compare
          </button>
        </p>
      )}
      <ValueFields draft={draft} onChange={(next) => keepDraft(name, next)} />
      <SaveFault fault={fault} />
      <div class="actions">
        <button type="button" onClick={() => dropDraft(name)}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={isBusy || wrong !== undefined}>
          Save
        </button>
      </div>
    </form>
  )
}
