import type { JSX } from 'preact'
import type { Health } from '../core/health.ts'

const shapes: Readonly<Record<Health, JSX.Element>> = {
  passing: <circle cx="5" cy="5" r="4.2" />,
  warning: <path d="M5 .2 9.8 5 5 9.8.2 5z" />,
  critical: <path d="M5 .4 9.9 9.4H.1z" />,
  maintenance: <path d="M.8.8h8.4v8.4H.8z" />,
  unknown: <circle cx="5" cy="5" r="3.6" fill="none" stroke="currentColor" stroke-width="1.5" />,
}

interface MarkProps {
  readonly health: Health
  /** False: the word stands beside it already. */
  readonly isNamed?: boolean
}

/** A status, as a shape and a colour; screen readers hear the word. */
export function Mark({ health, isNamed = true }: MarkProps): JSX.Element {
  return (
    <span class={`mark ${health}`} title={health}>
      <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
        {shapes[health]}
      </svg>
      {isNamed && <span class="unseen">{health}</span>}
    </span>
  )
}

/** A status as mark and word. */
export function Status({
  health,
  text = health,
}: {
  readonly health: Health
  readonly text?: string
}): JSX.Element {
  return (
    <span class={`status ${health}`}>
      <Mark health={health} isNamed={false} />
      {text}
    </span>
  )
}
