import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { keysWith, listedKeys, separator } from '../../core/key.ts'
import type { ListedKey } from '../../core/key.ts'
import { counted } from '../../core/text.ts'
import { asFault } from '../../data/api.ts'
import type { ApiFault } from '../../data/api.ts'
import type { Followed } from '../../data/followed.ts'
import { keysBelow } from '../../data/keys.ts'
import { parameters, setParameters } from '../../data/location.ts'
import { token } from '../../data/preferences.ts'
import { Grid } from '../../parts/grid.tsx'
import type { Column } from '../../parts/grid.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Name } from '../../parts/name.tsx'
import { FilteredNote } from '../../parts/note.tsx'
import { folderHref, foundHref, keyHref, newKeyHref } from './links.ts'

interface KeyListProps {
  readonly folder: string
  readonly listed: Followed<readonly string[]>
  /** The key that is open. */
  readonly open: string | undefined
}

/** The folders and keys of a folder, or the keys below it that a search finds. */
export function KeyList({ folder, listed, open }: KeyListProps): JSX.Element {
  const find = parameters.value.get('find') ?? ''
  const where = folder === '' ? 'all keys' : `keys below ${folder}`
  return (
    <section class="key-list" aria-label="Keys">
      <div class="find">
        <label>
          <Icon name="search" />
          <span class="unseen">Find {where}</span>
          <input
            type="text"
            inputMode="search"
            autocomplete="off"
            spellcheck={false}
            placeholder={`Find in ${where}`}
            value={find}
            onInput={({ currentTarget }) =>
              setParameters({ find: currentTarget.value, below: folder })
            }
          />
        </label>
        <a class="button" href={newKeyHref(folder)}>
          New key
        </a>
      </div>
      <FilteredNote isFiltered={listed.isFiltered} />
      {find.trim() === '' ? (
        <Rows rows={listedKeys(folder, listed.data ?? [])} open={open} folder={folder} />
      ) : (
        <Found find={find} folder={folder} open={open} listed={listed} />
      )}
    </section>
  )
}

function Rows({
  rows,
  open,
  folder,
  isFound = false,
}: {
  readonly rows: readonly ListedKey[]
  readonly open: string | undefined
  readonly folder: string
  readonly isFound?: boolean
}): JSX.Element | null {
  if (rows.length === 0) return null
  const hrefOf = ({ key, isFolder }: ListedKey): string => {
    if (isFolder) return folderHref(key)
    return isFound ? foundHref(key, folder) : keyHref(key)
  }
  const column: Column<ListedKey> = {
    id: 'name',
    title: 'Key',
    width: 'minmax(0, 1fr)',
    cell: (row) => (
      <span class={row.key === open && !row.isFolder ? 'key-name here' : 'key-name'}>
        <Icon name={row.isFolder ? 'folder' : 'key'} />
        <Name text={row.name} href={hrefOf(row)} />
      </span>
    ),
  }
  return <Grid label="Keys" columns={[column]} rows={rows} keyOf={rowId} hrefOf={hrefOf} />
}

/** A folder and a key can have the same name: `a/`. */
function rowId({ key, isFolder }: ListedKey): string {
  return `${isFolder ? 'folder' : 'key'} ${key}`
}

/** The search looks at all keys below the folder, at any depth. */
function Found({ find, ...rest }: KeyListProps & { readonly find: string }): JSX.Element {
  const { folder, open, listed } = rest
  const { keys, fault } = useKeysBelow(folder, listed.data)
  const found = useMemo(() => keysWith(find, keys ?? [], folder), [find, keys, folder])
  const rows = found.map((key) => ({ key, name: key.slice(folder.length) || key, isFolder: false }))
  if (fault !== undefined) return <p class="note">{fault.message}</p>
  return (
    <>
      <p class="found" role="status">
        {keys === undefined
          ? 'Searching…'
          : `${counted(found.length, 'key')} of ${keys.length.toLocaleString('en')}`}{' '}
        <button type="button" class="link" onClick={() => setParameters({ find: '', below: '' })}>
          Clear
        </button>
      </p>
      <Rows rows={rows} open={open} folder={folder} isFound />
    </>
  )
}

interface Below {
  readonly keys: readonly string[] | undefined
  readonly fault: ApiFault | undefined
}

/** All keys below a folder, read again when `version` changes. */
function useKeysBelow(folder: string, version: unknown): Below {
  const [below, setBelow] = useState<Below>({ keys: undefined, fault: undefined })
  const secret = token.value
  useEffect(() => {
    const stop = new AbortController()
    keysBelow(folder, stop.signal).then(
      (keys) => setBelow({ keys, fault: undefined }),
      (error: unknown) => {
        if (!stop.signal.aborted) setBelow({ keys: undefined, fault: asFault(error) })
      },
    )
    return () => stop.abort()
  }, [folder, secret, version])
  return below
}

/** The path of the list of a folder. */
export function listPath(folder: string): string {
  return `kv/${encodeURIComponent(folder)}?keys&separator=${encodeURIComponent(separator)}`
}
