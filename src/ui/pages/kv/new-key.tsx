import type { JSX } from 'preact'
import { useUnsaved } from '../../data/leaving.ts'
import { navigate } from '../../data/location.ts'
import { may } from '../../data/rights.ts'
import { dropDraft, draftOf, emptyDraft, keepDraft, newKey } from './drafts.ts'
import { folderHref, keyHref } from './links.ts'
import { SaveFault } from './save-fault.tsx'
import { draftFault, useSave } from './save.ts'
import { ValueFields } from './value-fields.tsx'

/** The form for a key that does not exist yet. */
export function NewKey({ folder }: { readonly folder: string }): JSX.Element {
  const draft = draftOf(newKey) ?? emptyDraft(folder)
  const name = draft.key
  const { isBusy, fault, conflict, setConflict, save } = useSave(newKey, name, () =>
    navigate(keyHref(name)),
  )
  const isTyped = name !== folder || draft.text !== ''
  useUnsaved(isTyped && draftOf(newKey) !== undefined ? 'The new key' : undefined)
  const right = may('key', 'write', name)
  const wrong = name === '' ? 'A key needs a name.' : draftFault(draft)
  const submit = (event: Event): void => {
    event.preventDefault()
    if (wrong === undefined) void save(draft)
  }
  return (
    <form class="key-form" onSubmit={submit}>
      <label class="field">
        <span>Key</span>
        <input
          type="text"
          class="wide"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder="config/color"
          aria-describedby="key-hint"
          value={name}
          onInput={({ currentTarget }) => {
            setConflict(undefined)
            keepDraft(newKey, { ...draft, key: currentTarget.value })
          }}
        />
        <span id="key-hint" class={name.startsWith('/') ? 'warning-text' : 'muted'}>
          {hintFor(name, folder)}
        </span>
      </label>
      {!right.isAllowed && <p class="note rights">You cannot write this key. {right.reason}</p>}
      {conflict !== undefined && (
        <p class="outdated" role="alert">
          This key exists already. Choose another name, or{' '}
          <a href={keyHref(name)}>open the key that exists</a>.
        </p>
      )}
      <ValueFields draft={draft} onChange={(next) => keepDraft(newKey, next)} />
      <SaveFault fault={fault} />
      <div class="actions">
        <button
          type="button"
          onClick={() => {
            dropDraft(newKey)
            navigate(folderHref(folder))
          }}
        >
          Cancel
        </button>
        <button type="submit" class="primary" disabled={isBusy || wrong !== undefined}>
          Save
        </button>
      </div>
    </form>
  )
}

function hintFor(name: string, folder: string): string {
  if (name.startsWith('/'))
    return 'Keys usually do not begin with a slash. /a and a are different keys.'
  if (name.endsWith('/') && name !== folder)
    return 'A key that ends with a slash is shown inside the folder of that name.'
  return 'Slashes make folders. All characters are allowed, except control characters.'
}
