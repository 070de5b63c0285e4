import { envName, optionGroups, type OptionRow } from './option-row.ts'
import { optionNames, optionRow, type OptionName } from './options.ts'

/** How one option looks on the command line. */
export interface Flag {
  readonly name: OptionName
  readonly flag: string
  /** Undefined for a flag without a value. */
  readonly placeholder: string | undefined
  readonly group: OptionRow['group']
  /** The description with the choices, an example, the default and the environment variable. */
  readonly help: string
  readonly hidden: boolean
}

/** All options, group by group. */
export function optionFlags(): readonly Flag[] {
  const names = optionGroups.flatMap((group) =>
    optionNames.filter((name) => optionRow(name).group === group),
  )
  return names.map((name) => {
    const row = optionRow(name)
    return {
      name,
      flag: row.flag,
      placeholder: placeholderOf(row),
      group: row.group,
      help: helpText(row),
      hidden: row.hidden === true,
    }
  })
}

/** The placeholder for the value in `-flag <value>`; undefined for a flag without a value. */
export function placeholderOf(row: OptionRow): string | undefined {
  return row.kind === 'boolean' ? undefined : (row.placeholder ?? 'value')
}

function helpText(row: OptionRow): string {
  const facts = [
    ...('choices' in row ? [`one of: ${row.choices.join(', ')}`] : []),
    ...(row.example === undefined ? [] : [`example: ${row.example}`]),
    ...(hasDefaultToShow(row) ? [`default: ${defaultText(row)}`] : []),
    `env: ${envName(row)}`,
  ]
  return `${row.description} (${facts.join('; ')})`
}

function hasDefaultToShow(row: OptionRow): boolean {
  return defaultText(row) !== '' && defaultText(row) !== 'false'
}

/** The default as a user would write it; '' if there is none. */
export function defaultText(row: OptionRow): string {
  if (row.defaultText !== undefined) return row.defaultText
  const text = textOf(row, row.default)
  return row.devDefault === undefined
    ? text
    : `${text}, or ${textOf(row, row.devDefault)} with -dev`
}

function textOf(row: OptionRow, value: OptionRow['default']): string {
  if (typeof value === 'object') return Array.isArray(value) ? value.join(' ') : ''
  if (value === undefined) return ''
  return row.kind === 'seconds' ? `${value}s` : String(value)
}
