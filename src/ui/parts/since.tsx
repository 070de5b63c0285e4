import type { JSX } from 'preact'
import { agoText, exactText } from '../core/time-text.ts'
import { nowMs } from '../data/clock.ts'
import { isUtc } from '../data/preferences.ts'
import { timeOf } from '../data/times.ts'

/** When an entry of the log was written: `4 m`, with the exact time on hover. Nothing if it is not known. */
export function Since({ index }: { readonly index: number }): JSX.Element | null {
  const timeMs = timeOf(index)
  if (timeMs === undefined) return null
  return (
    <time
      class="since"
      dateTime={new Date(timeMs).toISOString()}
      title={exactText(timeMs, isUtc.value)}
    >
      {agoText(nowMs.value - timeMs)}
    </time>
  )
}
