import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { KeyRow } from '../../../client/rows.ts'
import { folderOf } from '../../core/key.ts'
import { visibleText } from '../../core/text.ts'
import { asFault } from '../../data/api.ts'
import { writeKey } from '../../data/keys.ts'
import { Name } from '../../parts/name.tsx'
import { deletedKey } from './deleted.ts'
import { emptyDraft, keepDraft, stateOf } from './drafts.ts'
import { folderHref } from './links.ts'

interface KeyGoneProps {
  readonly name: string
  readonly onRestored: () => void
}

/** There is no such key. A key that was deleted here can come back. */
export function KeyGone({ name, onRestored }: KeyGoneProps): JSX.Element {
  const deleted = deletedKey(name)
  return (
    <div class="key-gone">
      <h2>{deleted === undefined ? 'This key does not exist' : 'This key is deleted'}</h2>
      {deleted === undefined ? (
        <p class="muted">
          Nothing is stored as <Name text={name} />. This page shows the key as soon as it exists.
        </p>
      ) : (
        <Undo entry={deleted} onRestored={onRestored} />
      )}
      <div class="actions">
        <a class="button" href={folderHref(folderOf(name))}>
          Show its folder
        </a>
        <button type="button" onClick={() => keepDraft(name, emptyDraft(name))}>
          Create it
        </button>
      </div>
    </div>
  )
}

/** Writes value and flags again. A lock does not come back. */
function Undo({
  entry,
  onRestored,
}: {
  readonly entry: KeyRow
  readonly onRestored: () => void
}): JSX.Element {
  const [fault, setFault] = useState<string>()
  const restore = async (): Promise<void> => {
    setFault(undefined)
    try {
      if (await writeKey(entry.Key, stateOf(entry), 0)) onRestored()
      else setFault('The key exists again already.')
    } catch (error) {
      setFault(asFault(error).message)
    }
  }
  return (
    <>
      <p class="muted">
        Its value and its flags are still in this tab.{' '}
        <button type="button" class="link" onClick={() => void restore()}>
          Undo
        </button>
      </p>
      {fault !== undefined && (
        <p class="field-fault" role="alert">
          {visibleText(fault)}
        </p>
      )}
    </>
  )
}
