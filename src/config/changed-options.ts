import { optionNames, optionRow, type Config, type OptionName } from './options.ts'

/** The options that have different values in two configurations, by their file key or their flag. */
export interface ChangedOptions {
  readonly needRestart: readonly string[]
  readonly reloadable: readonly string[]
}

export function changedOptions(before: Config, after: Config): ChangedOptions {
  return {
    needRestart: changed(before, after, (name) => optionRow(name).isReloadable !== true),
    reloadable: changed(before, after, (name) => optionRow(name).isReloadable === true),
  }
}

function changed(
  before: Config,
  after: Config,
  isMeant: (name: OptionName) => boolean,
): readonly string[] {
  return optionNames
    .filter((name) => isMeant(name) && textOf(before, name) !== textOf(after, name))
    .map((name) => optionRow(name).file ?? `-${optionRow(name).flag}`)
}

function textOf(config: Config, name: OptionName): string {
  let at: unknown = config
  for (const part of name.split('.')) at = (at as Readonly<Record<string, unknown>>)[part]
  return JSON.stringify(at) ?? ''
}
