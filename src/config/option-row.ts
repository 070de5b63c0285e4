import type { Check } from './check.ts'

export const optionGroups = [
  'Agent',
  'Cluster',
  'Network',
  'DNS',
  'Checks',
  'Access control',
  'Limits',
  'Logging',
] as const

/** What every row of the options table has. */
interface Row<Kind extends string, T> {
  readonly kind: Kind
  /** Undefined: not set by default. */
  readonly default: T | undefined
  /** The default with -dev. */
  readonly devDefault?: T
  /** Without dashes; the name of the environment variable is derived from it. */
  readonly flag: string
  /** The key in a config file, with dots if it is nested; undefined: not allowed in files. */
  readonly file?: string
  readonly group: (typeof optionGroups)[number]
  readonly description: string
  /** The placeholder for the value in --help. */
  readonly placeholder?: string
  /** A value as a user would write it after the flag. */
  readonly example?: string
  /** Shown instead of the default, if that depends on something. */
  readonly defaultText?: string
  readonly hidden?: true
  /** The value is never shown, not even in errors. */
  readonly isSecret?: true
  /** A reload applies a changed value; all others take effect at the next start. */
  readonly isReloadable?: true
}

interface Texts<T> {
  readonly check?: Check<T>
}

/** One option of an agent. */
export type OptionRow =
  | Row<'boolean', boolean>
  | (Row<'string', string> & Texts<string>)
  /** Values separated by spaces, or the flag repeated. */
  | (Row<'strings', readonly string[]> & Texts<readonly string[]>)
  | (Row<'choice', string> & { readonly choices: readonly string[] })
  | (Row<'integer', number> & { readonly min: number; readonly max: number })
  /** Written as a duration (`10s`); kept as whole seconds. */
  | (Row<'seconds', number> & Texts<number>)
  /** `NAME=DURATION`, repeated or separated by commas; in a file an object. */
  | Row<'seconds-by-name', Readonly<Record<string, number>>>
  /** `NAME=TEXT`, repeated, or in the environment separated by spaces; in a file an object. */
  | (Row<'texts-by-name', Readonly<Record<string, string>>> &
      Texts<Readonly<Record<string, string>>>)

/** `data-dir` is `SVCD_DATA_DIR` in the environment. */
export function envName(row: OptionRow): string {
  return `SVCD_${row.flag.toUpperCase().replaceAll('-', '_')}`
}
