import type { JSX } from 'preact'
import { Command } from '../../parts/copy.tsx'
import { Empty, FilteredNote } from '../../parts/note.tsx'
import { newKeyHref } from './links.ts'

/** The page of keys before there is one. */
export function NoKeys({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  return (
    <>
      <FilteredNote isFiltered={isFiltered} />
      <Empty isPage title={isFiltered ? 'No key that this token may read' : 'No key is stored yet'}>
        <p>
          Keys hold small values that programs share, such as settings. This page will show them as
          a tree. Store the first one here, or on the command line:
        </p>
        <p>
          <a class="button primary" href={newKeyHref('')}>
            New key
          </a>
        </p>
        <Command text="svcd kv put config/color blue" />
        <p>Or over HTTP:</p>
        <Command text={`curl -X PUT ${window.location.origin}/v1/kv/config/color -d blue`} />
      </Empty>
    </>
  )
}
