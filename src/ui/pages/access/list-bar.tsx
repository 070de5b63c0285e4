import type { ComponentChildren, JSX } from 'preact'
import { parameters, setParameters } from '../../data/location.ts'
import { may } from '../../data/rights.ts'
import { Action } from '../../parts/action.tsx'

interface ListBarProps {
  readonly label: string
  readonly count: string
  /** Where one is created. */
  readonly href: string
  readonly create: string
  readonly children?: ComponentChildren
}

/** Above a list: a filter, how many there are, and the button for another one. */
export function ListBar({ label, count, href, create }: ListBarProps): JSX.Element {
  return (
    <div class="list-bar">
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        autocomplete="off"
        spellcheck={false}
        value={filterText()}
        onInput={({ currentTarget }) => setParameters({ filter: currentTarget.value })}
      />
      <span class="muted" role="status">
        {count}
      </span>
      <Action right={may('acl', 'write')} kind="primary" href={href}>
        {create}
      </Action>
    </div>
  )
}

export function filterText(): string {
  return parameters.value.get('filter') ?? ''
}

/** Whether one of the texts contains what is typed. Upper and lower case make no difference. */
export function isFound(...texts: readonly (string | undefined)[]): boolean {
  const wanted = filterText().trim().toLowerCase()
  return texts.some((text) => text?.toLowerCase().includes(wanted) === true)
}
