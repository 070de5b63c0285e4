import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { listedKeys, parentOf } from '../../core/key.ts'
import { shellWord } from '../../core/shell-word.ts'
import { counted, visibleText } from '../../core/text.ts'
import { useAttempt } from '../../data/attempt.ts'
import { deleteBelow, keysBelow } from '../../data/keys.ts'
import { navigate } from '../../data/location.ts'
import { may } from '../../data/rights.ts'
import { Action } from '../../parts/action.tsx'
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

function DeleteFolder({ folder }: { readonly folder: string }): JSX.Element {
  const right = may('key', 'write-prefix', folder)
  const [keys, setKeys] = useState<readonly string[]>()
  const { isBusy, fault, run } = useAttempt()
  const count = (): Promise<boolean> => run(async () => setKeys(await keysBelow(folder)))
  const what = `Delete ${counted(keys?.length ?? 0, 'key')}`
  return (
    <div class="actions">
      <Action right={right} isBusy={isBusy} onClick={() => void count()}>
        Delete this folder…
      </Action>
      {!right.isAllowed && <p class="muted">{right.reason}</p>}
      {fault !== undefined && (
        <p class="field-fault" role="alert">
          {visibleText(fault.message)}
        </p>
      )}
      {keys !== undefined && (
        <ConfirmDialog
          right={right}
          title={`${what}?`}
          verb={what}
          onConfirm={async () => {
            await deleteBelow(folder)
            navigate(folderHref(parentOf(folder)))
          }}
          onClose={() => setKeys(undefined)}
        >
          <p>
            All keys that begin with <Name text={folder} /> are deleted at one moment, also those
            that this token may not read. Locks on them end. You cannot undo this.
          </p>
          <KeySample keys={keys} />
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
