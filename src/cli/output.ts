import { Option, type Command } from 'commander'
import { visible } from '../base/invisible.ts'
import { svcdError } from '../base/errors.ts'
import { columns, type Cell } from './columns.ts'
import { writeStyled, type Io, type Terminal } from './io.ts'
import { printJson } from './new-command.ts'

export interface OutputOptions {
  readonly output?: string
  readonly wide?: boolean
  readonly json?: boolean
}

const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const
export type OutputFormat = (typeof formats)[number]

/** `-o` for a command that lists something. `--json` comes with the options of every command. */
export function addOutputOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '-o, --output <format>',
        'The format: table, wide, json, yaml or name. (default: table)',
      ).helpGroup('Output options:'),
    )
    .addOption(
      new Option(
        '--wide',
        'Show more columns, and do not cut rows to the width of the terminal.',
      ).helpGroup('Output options:'),
    )
}

/** The format that the options choose. Throws `invalid-option`, or `usage` if they choose two. */
export function outputFormat({ output, wide, json }: OutputOptions): OutputFormat {
  const asked = [
    ...(output === undefined ? [] : [output]),
    ...(wide === true ? ['wide'] : []),
    ...(json === true ? ['json'] : []),
  ]
  const [first = 'table', ...others] = [...new Set(asked)]
  if (others.length > 0) {
    throw svcdError('usage', {
      reason: `Choose one output format: ${[first, ...others].join(' or ')}.`,
    })
  }
  const format = formats.find((candidate) => candidate === first)
  if (format !== undefined) return format
  const reason = `"${first}" is not a valid format; use ${formats.join(', ')}`
  throw svcdError('invalid-option', { option: '--output', reason })
}

export interface Printable {
  /** What JSON and YAML show. */
  readonly data: unknown
  /** What `-o name` prints, one per line. */
  readonly names: readonly string[]
  /** For people; text from clients in it is `visible` already. */
  readonly text: (isWide: boolean) => string
}

export async function print(io: Io, options: OutputOptions, what: Printable): Promise<void> {
  const format = outputFormat(options)
  switch (format) {
    case 'json':
      return printJson(io, what.data)
    case 'yaml': {
      const { toYaml } = await import('./yaml.ts')
      return io.out(toYaml(what.data))
    }
    case 'name':
      return io.out(what.names.map((name) => `${visible(name)}\n`).join(''))
    case 'table':
    case 'wide':
      return writeStyled(io, what.text(format === 'wide'))
  }
}

/** A column of a table of `T`. */
export interface Column<T> {
  readonly header: string
  readonly cell: (row: T) => Cell
  /** Shown by `-o wide` only. */
  readonly isWide?: boolean
}

export interface Listing<T> {
  readonly data: unknown
  readonly rows: readonly T[]
  readonly columns: readonly Column<T>[]
  readonly nameOf: (row: T) => string
}

/** Prints a list in the format that the options choose. */
export function printList<T>(io: Io, options: OutputOptions, list: Listing<T>): Promise<void> {
  const { data, rows, nameOf } = list
  const text = (isWide: boolean): string => table(io, rows, list.columns, isWide)
  return print(io, options, { data, names: rows.map(nameOf), text })
}

/** The rows as a table; on a terminal it is cut to the width of a line, except with `isWide`. */
export function table<T>(
  io: Io,
  rows: readonly T[],
  all: readonly Column<T>[],
  isWide = false,
): string {
  const shown = all.filter((column) => isWide || column.isWide !== true)
  const cells = rows.map((row) => shown.map(({ cell }) => cell(row)))
  const headers = shown.map(({ header }) => header)
  return columns(headers, cells, tableTerminal(io, isWide))
}

/** The terminal that a table must fit: undefined without one, and of any width if the table is wide. */
export function tableTerminal({ terminal }: Io, isWide: boolean): Terminal | undefined {
  return terminal !== undefined && isWide ? { ...terminal, columns: Infinity } : terminal
}
