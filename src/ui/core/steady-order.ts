/** The rows in the order of `keys`; rows with other keys come at the end. */
export function steadyOrder<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  keys: readonly string[],
): readonly Row[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]))
  const ordered: Row[] = []
  for (const key of keys) {
    const row = byKey.get(key)
    if (row === undefined) continue
    ordered.push(row)
    byKey.delete(key)
  }
  return [...ordered, ...byKey.values()]
}
