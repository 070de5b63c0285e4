import { visible } from '../base/invisible.ts'

/**
 * Lays rows out under their headers, two spaces between the columns, the last one not padded.
 * The values come from whoever registered them, and go to a terminal: nothing in them is obeyed or hidden.
 */
export function columns(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headers, ...rows].map((cells) => cells.map(visible))
  const widths = headers.map((_, at) => Math.max(...lines.map((cells) => (cells[at] ?? '').length)))
  return lines
    .map((cells) =>
      cells
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** What several checks come to. */
export function worstStatus(statuses: readonly string[]): string {
  return ['critical', 'warning'].find((status) => statuses.includes(status)) ?? 'passing'
}

const outputWidth = 60

/** A check's output on one line of a terminal. */
export function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? ''
  return line.length > outputWidth ? `${line.slice(0, outputWidth - 1)}…` : line
}
