import { visible } from '../base/invisible.ts'
import { cutToWidth, displayWidth } from './display-width.ts'
import type { Terminal } from './io.ts'
import { paint, type Tone } from './paint.ts'

/** A value of a table; with a tone it is coloured on a terminal. */
export type Cell = string | { readonly text: string; readonly tone: Tone }

const gapDefault = 2
/** A column is not cut below this width while others can be cut. */
const cutMin = 8

export interface Layout {
  /** Spaces between the columns. */
  readonly gap?: number
  /** False: the headers are not printed. */
  readonly isHeaded?: boolean
}

/**
 * Lays rows out under their headers, with a gap between the columns, the last one not padded. On a
 * terminal the longest columns are cut so that a row fits on a line; elsewhere nothing is cut.
 * The values come from clients and go to a terminal, so control characters in them are made visible.
 */
export function columns(
  headers: readonly string[],
  rows: readonly (readonly Cell[])[],
  terminal?: Terminal,
  { gap = gapDefault, isHeaded = true }: Layout = {},
): string {
  const heads = isHeaded ? headers : headers.map(() => '')
  const lines = rows.map((cells) => cells.map((cell) => visible(textOf(cell))))
  const needed = heads.map((header, at) =>
    lines.reduce((most, cells) => Math.max(most, displayWidth(cells[at] ?? '')), header.length),
  )
  const widths = terminal === undefined ? needed : fitted(needed, heads, terminal.columns, gap)
  const body = rows.map((cells, row) => line(lines[row] ?? [], { widths, gap }, cells, terminal))
  return [...(isHeaded ? [line(headers, { widths, gap })] : []), ...body].join('')
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text
}

/**
 * The widths that fit into a line. All columns that are wider than some width are cut to it, so that
 * one long name costs the other columns nothing.
 */
function fitted(
  needed: readonly number[],
  headers: readonly string[],
  available: number,
  gap: number,
): readonly number[] {
  const gaps = gap * (needed.length - 1)
  const lowest = headers.map((header) => Math.max(header.length, cutMin))
  const cutTo = (limit: number): readonly number[] =>
    needed.map((width, at) => Math.min(width, Math.max(limit, lowest[at] ?? 0)))
  const fits = (widths: readonly number[]): boolean =>
    widths.reduce((sum, width) => sum + width, gaps) <= available
  let limit = Math.max(...needed)
  while (limit > cutMin && !fits(cutTo(limit))) limit--
  // The last column, usually the longest text, gets the rest.
  const widths = [...cutTo(limit)]
  const spare = available - widths.reduce((sum, width) => sum + width, gaps)
  const last = widths.length - 1
  if (spare > 0 && last >= 0) {
    widths[last] = Math.min(needed[last] ?? 0, (widths[last] ?? 0) + spare)
  }
  return widths
}

function line(
  texts: readonly string[],
  { widths, gap }: { readonly widths: readonly number[]; readonly gap: number },
  cells: readonly Cell[] = texts,
  terminal?: Terminal,
): string {
  const last = texts.findLastIndex((text) => text !== '')
  const shown = texts.slice(0, last + 1).map((text, at) => {
    const width = widths[at] ?? 0
    const kept = cutToWidth(text, width)
    const padding = at === last ? '' : ' '.repeat(width - displayWidth(kept) + gap)
    const cell = cells[at] ?? ''
    return paint(kept, typeof cell === 'string' ? 'plain' : cell.tone, terminal) + padding
  })
  return `${shown.join('').trimEnd()}\n`
}

/** The first line of a check's output. */
export function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? ''
}

/** Pairs of metadata on one line; a row that was registered without them has null. */
export function pairs(values: Readonly<Record<string, string>> | null, separator = ', '): string {
  return Object.entries(values ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(separator)
}
