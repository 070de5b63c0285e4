/** An event of a stream with `?deltas`. */
export interface RowChanges<Row> {
  readonly Whole: boolean
  readonly Changed: readonly Row[]
  readonly Removed: readonly (readonly string[])[]
}

/** What tells rows apart, as the stream names it in `Removed`. */
export type KeyOf<Row> = (row: Row) => readonly string[]

/** The list after an event. Rows that did not change stay the same objects. */
export function afterEvent<Row>(
  before: readonly Row[],
  event: RowChanges<Row> | readonly Row[],
  keyOf: KeyOf<Row>,
): readonly Row[] {
  // Agents of older releases send the whole list each time.
  if (isList(event)) return event
  const { Whole, Changed, Removed } = event
  if (Whole) return Changed
  const changed = new Map(Changed.map((row) => [textOf(keyOf(row)), row]))
  const removed = new Set(Removed.map(textOf))
  const rows: Row[] = []
  for (const row of before) {
    const text = textOf(keyOf(row))
    if (removed.has(text)) continue
    rows.push(changed.get(text) ?? row)
    changed.delete(text)
  }
  if (changed.size === 0) return rows
  return [...rows, ...changed.values()].toSorted((a, b) =>
    compare(orderOf(keyOf(a)), orderOf(keyOf(b))),
  )
}

function isList<Row>(event: RowChanges<Row> | readonly Row[]): event is readonly Row[] {
  return Array.isArray(event)
}

function textOf(key: readonly string[]): string {
  return key.join('\u0000')
}

/** The agent orders its lists without regard to case. */
function orderOf(key: readonly string[]): string {
  return textOf(key).toLowerCase()
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
