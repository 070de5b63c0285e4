import type { JSX } from 'preact'
import { clockText } from '../core/time-text.ts'
import { nowMs } from '../data/clock.ts'
import { connection, isWatching } from '../data/live.ts'
import { isUtc } from '../data/preferences.ts'

/** Whether what the page shows is current. */
export function ConnectionState(): JSX.Element {
  const state = connection.value
  const isStill = !isWatching.value
  const text = isStill ? '' : textOf()
  return (
    <p class={`connection ${isStill ? 'none' : state.kind}`}>
      <span class="dot" aria-hidden="true" />
      <span role="status">{text}</span>
      {state.kind === 'stale' && !isStill && (
        <span class="retry">
          retrying in {Math.max(0, Math.ceil((state.retryAtMs - nowMs.value) / 1000))} s
        </span>
      )}
    </p>
  )
}

function textOf(): string {
  const state = connection.value
  switch (state.kind) {
    case 'live':
      return 'live'
    case 'connecting':
      return 'connecting'
    case 'refused':
      return 'refused'
    case 'stale':
      return `stale since ${clockText(state.sinceMs, isUtc.value)}`
    default:
      return state satisfies never
  }
}
