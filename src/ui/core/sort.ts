/** How a table is ordered; in the URL as `sort=name` or `sort=-name`. */
export interface Sort {
  readonly column: string
  readonly isDescending: boolean
}

export function parseSort(text: string | undefined, fallback: Sort): Sort {
  if (text === undefined || text === '') return fallback
  return text.startsWith('-')
    ? { column: text.slice(1), isDescending: true }
    : { column: text, isDescending: false }
}

export function sortText({ column, isDescending }: Sort): string {
  return isDescending ? `-${column}` : column
}

/** The order after a click on the head of a column. */
export function toggled(sort: Sort, column: string): Sort {
  return { column, isDescending: sort.column === column && !sort.isDescending }
}

export type SortKey = string | number

/** Sorted copies of rows by one key; rows with the same key stay in their order. */
export function sorted<Row>(
  rows: readonly Row[],
  key: (row: Row) => SortKey,
  isDescending: boolean,
): readonly Row[] {
  const sign = isDescending ? -1 : 1
  const keyed = rows.map((row) => ({ row, key: key(row) }))
  return keyed.toSorted((a, b) => sign * compare(a.key, b.key)).map(({ row }) => row)
}

function compare(a: SortKey, b: SortKey): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return a < b ? -1 : Number(a > b)
}
