import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { listedKeys, parentOf } from '../../core/key.ts'
import { shellWord } from '../../core/shell-word.ts'
import { counted, visibleText } from '../../core/text.ts'
import { asFault } from '../../data/api.ts'
import { deleteBelow, keysBelow } from '../../data/keys.ts'
import { navigate } from '../../data/location.ts'
import { may } from '../../data/rights.ts'
import { ConfirmDialog } from '../../parts/confirm-dialog.tsx'
import { Command } from '../../parts/copy.tsx'
import { FactList } from '../../parts/facts.tsx'
import { Name } from '../../parts/name.tsx'
import { folderHref } from './links.ts'

interface FolderProps {
  readonly folder: string
  readonly keys: readonly string[]
}

/** A folder: its size, the commands that read it, and its deletion. */
export function FolderView({ folder, keys }: FolderProps): JSX.Element {
  const rows = listedKeys(folder, keys)
  const folders = rows.filter(({ isFolder }) => isFolder).length
  if (rows.length === 0) {
    return (
      <p class="muted">
        No key begins with <Name text={folder} />. A folder exists as long as a key is in it.
      </p>
    )
  }
  const here = [counted(folders, 'folder'), counted(rows.length - folders, 'key')].join(', ')
  return (
    <>
      <FactList rows={[['Here', here]]} />
      <h2>Use it elsewhere</h2>
      <div class="commands">
        <Command text={`svcd kv get -recurse ${shellWord(folder)}`} />
        <Command text={`svcd watch --prefix ${shellWord(folder)}`} />
        <Command text={`svcd kv export ${shellWord(folder)} > keys.json`} />
      </div>
      {folder !== '' && <DeleteFolder folder={folder} />}
    </>
  )
}

interface Asking {
  readonly keys: readonly string[]
}

function DeleteFolder({ folder }: { readonly folder: string }): JSX.Element {
  const right = may('key', 'write-prefix', folder)
  const [asking, setAsking] = useState<Asking>()
  const [isBusy, setBusy] = useState(false)
  const [fault, setFault] = useState<string>()
  const attempt = async (step: () => Promise<void>): Promise<void> => {
    setBusy(true)
    setFault(undefined)
    try {
      await step()
    } catch (error) {
      setFault(asFault(error).message)
    } finally {
      setBusy(false)
    }
  }
  const count = (): Promise<void> =>
    attempt(async () => setAsking({ keys: await keysBelow(folder) }))
  const remove = (): Promise<void> =>
    attempt(async () => {
      await deleteBelow(folder)
      setAsking(undefined)
      navigate(folderHref(parentOf(folder)))
    })
  return (
    <div class="actions">
      <button type="button" disabled={!right.isAllowed || isBusy} onClick={() => void count()}>
        Delete this folder…
      </button>
      {!right.isAllowed && <p class="muted">{right.reason}</p>}
      {asking === undefined && fault !== undefined && (
        <p class="field-fault" role="alert">
          {visibleText(fault)}
        </p>
      )}
      {asking !== undefined && (
        <ConfirmDialog
          title={`Delete ${counted(asking.keys.length, 'key')}?`}
          action={`Delete ${counted(asking.keys.length, 'key')}`}
          isBusy={isBusy}
          fault={fault}
          onConfirm={() => void remove()}
          onClose={() => setAsking(undefined)}
        >
          <p>
            All keys that begin with <Name text={folder} /> are deleted at one moment, also those
            that this token may not read. Locks on them end. You cannot undo this.
          </p>
          <KeySample keys={asking.keys} />
        </ConfirmDialog>
      )}
    </div>
  )
}

const sampleMax = 5

function KeySample({ keys }: { readonly keys: readonly string[] }): JSX.Element {
  const rest = keys.length - sampleMax
  return (
    <ul class="key-sample">
      {keys.slice(0, sampleMax).map((key) => (
        <li key={key}>
          <Name text={key} />
        </li>
      ))}
      {rest > 0 && <li class="muted">and {rest.toLocaleString('en')} more</li>}
    </ul>
  )
}
