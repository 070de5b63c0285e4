import type { ComponentChildren, JSX } from 'preact'
import { ApiFault } from '../data/api.ts'
import { connection } from '../data/live.ts'
import { token } from '../data/preferences.ts'
import { pathTo } from '../core/route.ts'
import { visibleText } from '../core/text.ts'

interface EmptyProps {
  readonly title: string
  /** The page has no other heading. */
  readonly isPage?: boolean
  readonly children?: ComponentChildren
}

/** The text of a page without rows: its purpose, and the next step. */
export function Empty({ title, isPage = false, children }: EmptyProps): JSX.Element {
  return (
    <section class="empty">
      {isPage ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </section>
  )
}

/** Why the agent refused something, in its words, and what the reader can do. */
export function Fault({ fault }: { readonly fault: ApiFault }): JSX.Element {
  return (
    <section class="empty fault" role="alert">
      <h1>{titleOf(fault)}</h1>
      <p class="said">{visibleText(fault.message)}</p>
      {fault.status === 403 && (
        <p>
          <a href={pathTo('settings')}>
            {token.value === '' ? 'Enter a token' : 'Change the token'}
          </a>
        </p>
      )}
    </section>
  )
}

function titleOf({ status }: ApiFault): string {
  if (status === 0) return 'The agent does not answer'
  if (status === 403)
    return token.value === '' ? 'This needs a token' : 'The token does not allow this'
  return status === 404 ? 'There is no such thing here' : 'The agent could not answer'
}

/** While the first state is on its way. The page says so only when that takes long. */
export function Waiting(): JSX.Element {
  const now = connection.value
  if (now.kind !== 'stale') {
    return (
      <p class="waiting" role="status">
        Loading…
      </p>
    )
  }
  const why =
    now.reason === '' ? 'The agent does not answer.' : visibleText(now.reason.replace(/\.?$/, '.'))
  return (
    <p class="waiting told" role="status">
      {why} The page tries again until it gets an answer.
    </p>
  )
}

/** Rows are missing because of the rights of the token. */
export function FilteredNote({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element | null {
  if (!isFiltered) return null
  return (
    <p class="note">
      Some entries are hidden, because the token may not read them.{' '}
      <a href={pathTo('settings')}>Change the token</a>
    </p>
  )
}
