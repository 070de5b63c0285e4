import { optionNames, optionRow, type Config, type OptionName } from './options.ts'

/** The options that need a restart and have different values in two configurations, by their file key or their flag. */
export function changedOptions(before: Config, after: Config): readonly string[] {
  return optionNames
    .filter((name) => optionRow(name).isReloadable !== true)
    .filter((name) => textOf(before, name) !== textOf(after, name))
    .map((name) => optionRow(name).file ?? `-${optionRow(name).flag}`)
}

function textOf(config: Config, name: OptionName): string {
  let at: unknown = config
  for (const part of name.split('.')) at = (at as Readonly<Record<string, unknown>>)[part]
  return JSON.stringify(at) ?? ''
}
