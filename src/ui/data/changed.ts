import { useEffect, useRef, useState } from 'preact/hooks'
import { changedIn } from '../core/row-changes.ts'

/** How long a changed row is lit. */
const litMs = 1000
/** After a change of very much, lights would say nothing. */
const changedMax = 50

const none: ReadonlySet<string> = new Set()

/** The keys of the rows that differ from those of the event before, for a second. */
export function useChanged<Row>(
  rows: readonly Row[] | undefined,
  keyOf: (row: Row) => string,
  signatureOf: (row: Row) => string,
): ReadonlySet<string> {
  const [changed, setChanged] = useState(none)
  const last = useRef<readonly Row[] | undefined>(undefined)
  useEffect(() => {
    if (rows === undefined) return undefined
    const before = last.current
    last.current = rows
    if (before === undefined) return undefined
    const lit = changedIn(before, rows, keyOf, signatureOf)
    if (lit.length === 0 || lit.length > changedMax) return undefined
    setChanged(new Set(lit))
    const timer = window.setTimeout(() => setChanged(none), litMs)
    return () => window.clearTimeout(timer)
  }, [rows])
  return changed
}
