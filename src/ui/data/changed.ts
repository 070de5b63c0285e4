import { useEffect, useRef, useState } from 'preact/hooks'

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
  const last = useRef<ReadonlyMap<string, string> | undefined>(undefined)
  useEffect(() => {
    if (rows === undefined) return undefined
    const next = new Map(rows.map((row) => [keyOf(row), signatureOf(row)]))
    const before = last.current
    last.current = next
    if (before === undefined) return undefined
    const keys = [...next].filter(([key, text]) => before.get(key) !== text).map(([key]) => key)
    if (keys.length === 0 || keys.length > changedMax) return undefined
    setChanged(new Set(keys))
    const timer = window.setTimeout(() => setChanged(none), litMs)
    return () => window.clearTimeout(timer)
  }, [rows])
  return changed
}
