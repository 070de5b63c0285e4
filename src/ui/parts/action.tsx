import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'
import type { Right } from '../data/rights.ts'

interface ActionProps {
  /** What the token may do, from `may(…)`. */
  readonly right: Right
  readonly onClick?: () => void
  /** Where it leads, if it is a link. */
  readonly href?: string
  readonly type?: 'button' | 'submit'
  readonly kind?: 'primary' | 'danger'
  /** It waits for the agent. */
  readonly isBusy?: boolean
  readonly children: ComponentChildren
}

/** A button that needs a right. Without the right it cannot be pressed, and says why. */
export function Action(props: ActionProps): JSX.Element {
  const { right, onClick, href, type = 'button', kind, isBusy = false, children } = props
  const id = useId()
  const isOff = !right.isAllowed || isBusy
  const classes = kind === undefined ? 'action' : `action ${kind}`
  if (href !== undefined && !isOff) {
    return (
      <a class={`button ${classes}`} href={href}>
        {children}
      </a>
    )
  }
  const press = (event: Event): void => {
    if (isOff) event.preventDefault()
    else onClick?.()
  }
  // Not `disabled`: it can be focused, so that a screen reader says the reason.
  return (
    <>
      <button
        type={type}
        class={classes}
        aria-disabled={isOff}
        aria-describedby={right.reason === '' ? undefined : id}
        title={right.reason === '' ? undefined : right.reason}
        onClick={press}
      >
        {children}
      </button>
      {right.reason !== '' && (
        <span id={id} class="unseen">
          {right.reason}
        </span>
      )}
    </>
  )
}

/** Says above several controls why they cannot be used. */
export function DeniedNote({ right }: { readonly right: Right }): JSX.Element | null {
  if (right.isAllowed || !/needs|lacks/.test(right.reason)) return null
  return (
    <p class="note" role="status">
      You can look, but not change anything here. {right.reason}{' '}
      <a href="/ui/settings">Change the token</a>
    </p>
  )
}
