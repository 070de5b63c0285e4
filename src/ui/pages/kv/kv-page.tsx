import type { JSX } from 'preact'
import { crumbsOf, folderOf } from '../../core/key.ts'
import { useFollowed } from '../../data/followed.ts'
import { parameters } from '../../data/location.ts'
import { Name } from '../../parts/name.tsx'
import { Fault, Waiting } from '../../parts/note.tsx'
import { Trail } from '../../parts/trail.tsx'
import { FolderView } from './folder-view.tsx'
import { KeyList, listPath } from './key-list.tsx'
import { KeyView } from './key-view.tsx'
import { folderHref } from './links.ts'
import { NewKey } from './new-key.tsx'
import { NoKeys } from './no-keys.tsx'

interface KvPageProps {
  readonly folder?: string
  readonly openKey?: string
  readonly isNew?: boolean
}

/** Keys: the list of a folder, and the open key beside it. */
export function KvPage({ folder: asked = '', openKey, isNew = false }: KvPageProps): JSX.Element {
  const isFound = (parameters.value.get('find') ?? '') !== ''
  // The URL leaves out the empty name of the top.
  const below = parameters.value.get('below') ?? (isFound ? '' : undefined)
  const folder = isNew || openKey !== undefined ? (below ?? folderOf(openKey ?? '')) : asked
  const isFolder = openKey === undefined && !isNew
  const listed = useFollowed<readonly string[]>(listPath(folder), openKey === undefined)
  // A form is never taken away because the list cannot be read.
  if (isFolder && listed.fault !== undefined) return <Fault fault={listed.fault} />
  if (isFolder && listed.data === undefined) return <Waiting />
  if (isFolder && folder === '' && (listed.data ?? []).length === 0) {
    return <NoKeys isFiltered={listed.isFiltered} />
  }
  return (
    <>
      <header class="page-head kv-head">
        <FoldersAbove folder={folder} isFolder={isFolder} />
        <h1>
          {isFolder && folder === '' ? (
            'Key/Value'
          ) : isNew ? (
            'New key'
          ) : (
            <Name text={openKey ?? folder} />
          )}
        </h1>
      </header>
      <div class={isFolder ? 'kv' : 'kv with-key'}>
        <KeyList folder={folder} listed={listed} open={openKey} />
        <section class="kv-detail">
          {isNew && <NewKey folder={folder} />}
          {openKey !== undefined && <KeyView key={openKey} name={openKey} />}
          {isFolder && <FolderView folder={folder} keys={listed.data ?? []} />}
        </section>
      </div>
    </>
  )
}

function FoldersAbove({
  folder,
  isFolder,
}: {
  readonly folder: string
  readonly isFolder: boolean
}): JSX.Element | null {
  const crumbs = crumbsOf(folder)
  const shown = isFolder ? crumbs.slice(0, -1) : crumbs
  if (isFolder && folder === '') return null
  return (
    <Trail>
      <a href={folderHref('')}>Key/Value</a>
      {shown.map((crumb) => (
        <Name key={crumb.folder} text={crumb.title} href={folderHref(crumb.folder)} />
      ))}
    </Trail>
  )
}
