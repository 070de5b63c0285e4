import { visible } from '../base/invisible.ts'
import type { Rows } from './watched-rows.ts'

/** How one state became another, a line for each row that came, went or is different. */
export function changeLines(before: Rows, after: Rows): readonly string[] {
  const gone = [...before].filter(([key]) => !after.has(key))
  return [
    ...gone.map(([, row]) => line('-', row)),
    ...[...after].flatMap(([key, row]) => {
      const old = before.get(key)
      if (old === undefined) return [line('+', row)]
      const changed = Object.keys(row).filter((label) => row[label] !== old[label])
      if (changed.length === 0) return []
      const was = changed.map((label) => `${label} was ${quoted(old[label] ?? '')}`)
      return [`${line('~', row)}  (${visible(was.join(', '))})`]
    }),
  ]
}

function line(sign: string, row: Readonly<Record<string, string>>): string {
  const values = Object.values(row).filter((value) => value !== '')
  return `${sign} ${visible(values.join('  '))}`
}

function quoted(value: string): string {
  return /^[^\s",()]+$/.test(value) ? value : JSON.stringify(value)
}
