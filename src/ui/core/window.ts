/** The rows of a long table that are drawn. */
export interface Visible {
  readonly from: number
  /** Behind the last one. */
  readonly to: number
}

/** Rows that are drawn above and below what can be seen. */
const margin = 8

/** `above`: how many pixels of the rows have gone out of sight at the top; negative while the first is further down. */
export function visibleRows(count: number, rowPx: number, above: number, viewPx: number): Visible {
  const first = Math.floor(Math.max(0, above) / rowPx)
  const seen = Math.ceil(Math.max(0, viewPx + Math.min(0, above)) / rowPx)
  const from = Math.max(0, Math.min(first, count) - margin)
  return { from, to: Math.min(count, first + seen + margin + 1) }
}
