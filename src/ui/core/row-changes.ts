/** An event of a stream with `?deltas`. */
export interface RowChanges<Row> {
  readonly Whole: boolean
  readonly Changed: readonly Row[]
  readonly Removed: readonly (readonly string[])[]
}

/** What tells rows apart, as the stream names it in `Removed`. */
export type KeyOf<Row> = (row: Row) => readonly string[]

/** The list after an event. Rows that did not change stay the same objects. */
export function afterEvent<Row extends object>(
  before: readonly Row[],
  event: RowChanges<Row> | readonly Row[],
  keyOf: KeyOf<Row>,
): readonly Row[] {
  // Agents of older releases send the whole list each time.
  if (isList(event)) return event
  const { Whole, Changed, Removed } = event
  if (Whole) return Changed
  const changed = new Map(Changed.map((row) => [keyTextOf(row, keyOf), row]))
  const removed = new Set(Removed.map(textOf))
  const rows: Row[] = []
  for (const row of before) {
    const text = keyTextOf(row, keyOf)
    if (removed.has(text)) continue
    rows.push(changed.get(text) ?? row)
    changed.delete(text)
  }
  if (changed.size === 0) return rows
  return [...rows, ...changed.values()].toSorted((a, b) =>
    compare(orderOf(keyOf(a)), orderOf(keyOf(b))),
  )
}

/**
 * The keys of the rows that are new or differ in their signature. Rows that did not change are the same objects, so of
 * a long list only a few are looked at.
 */
export function changedIn<Row>(
  before: readonly Row[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  signatureOf: (row: Row) => string,
): readonly string[] {
  const same = new Set(before)
  const others = rows.filter((row) => !same.has(row))
  if (others.length === 0) return []
  const kept = new Set(rows)
  const gone = new Map(before.filter((row) => !kept.has(row)).map((row) => [keyOf(row), row]))
  return others
    .filter((row) => {
      const known = gone.get(keyOf(row))
      return known === undefined || signatureOf(row) !== signatureOf(known)
    })
    .map(keyOf)
}

/** A row keeps its key as long as it is the same object. */
const keyTexts = new WeakMap<object, string>()

function keyTextOf<Row extends object>(row: Row, keyOf: KeyOf<Row>): string {
  const known = keyTexts.get(row)
  if (known !== undefined) return known
  const text = textOf(keyOf(row))
  keyTexts.set(row, text)
  return text
}

function isList<Row extends object>(
  event: RowChanges<Row> | readonly Row[],
): event is readonly Row[] {
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
