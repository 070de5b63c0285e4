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
  const last = useRef<ReadonlyMap<string, Row> | undefined>(undefined)
  useEffect(() => {
    if (rows === undefined) return undefined
    const before = last.current
    last.current = new Map(rows.map((row) => [keyOf(row), row]))
    if (before === undefined) return undefined
    const isNew = (row: Row, known: Row | undefined): boolean =>
      row !== known && (known === undefined || signatureOf(row) !== signatureOf(known))
    const keys = rows.map((row) => [keyOf(row), row] as const)
    const lit = keys.filter(([key, row]) => isNew(row, before.get(key))).map(([key]) => key)
    if (lit.length === 0 || lit.length > changedMax) return undefined
    setChanged(new Set(lit))
    const timer = window.setTimeout(() => setChanged(none), litMs)
    return () => window.clearTimeout(timer)
  }, [rows])
  return changed
}
