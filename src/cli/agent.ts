import { hostname } from 'node:os'
import { Option, type Command } from 'commander'
import { svcdError, type SvcdError } from '../base/errors.ts'
import { consulFlags } from '../config/consul-keys.ts'
import { optionFlags } from '../config/flags.ts'
import type { Config } from '../config/options.ts'
import { configPaths, readConfig, refuseAll, type ConfigSources } from '../config/parse.ts'
import type { DefinitionFiles, Finding } from '../agent/files/document.ts'
import type { Reread } from '../node/reloading.ts'
import { refuseFewDescriptors } from '../node/few-descriptors.ts'
import { openFilesMax } from '../process/descriptor-limit.ts'
import { boundYoungGeneration } from '../process/young-generation.ts'
import type { Io } from './io.ts'
import { addExamples, collect, newCommand } from './new-command.ts'

export function agentCommand(io: Io): Command {
  const command = newCommand(
    'agent',
    'Run an agent, which stores the catalog, runs checks and serves HTTP and DNS, until you press Ctrl-C. You can ' +
      'set each option with an environment variable, too, and most of them in a configuration file. To turn off an ' +
      'option without a value, write -option=false.',
    io,
  )
  for (const flag of optionFlags()) {
    const value = flag.placeholder === undefined ? '' : ` <${flag.placeholder}>`
    const option = new Option(`--${flag.flag}${value}`, flag.help)
      .helpGroup(`${flag.group} options:`)
      .hideHelp(flag.hidden)
    if (value !== '') option.argParser(collect)
    command.addOption(option)
    // `-server=false` must override a file with true.
    if (value === '') command.addOption(new Option(`--no-${flag.flag}`).hideHelp())
  }
  command.addHelpOption(new Option('-h, --help', 'Show this help.').helpGroup('Other options:'))
  for (const [flag, { kind }] of Object.entries(consulFlags)) {
    const option = new Option(`--${flag}${kind === 'switch' ? '' : ' <value>'}`).hideHelp()
    if (kind !== 'switch') option.argParser(collect)
    command.addOption(option)
    // After the option that it negates: alone it would have a default.
    if (kind === 'switch') command.addOption(new Option(`--no-${flag}`).hideHelp())
  }
  command.action(async () => {
    boundYoungGeneration()
    const given = { flags: flagValues(command), consulFlags: consulFlagValues(command) }
    const { config, notices, reread } = await readOptions(given, io)
    refuseFewDescriptors(config, openFilesMax())
    const { runAgent } = await import('./run-agent.ts')
    await runAgent(config, io, { notices, reread })
  })
  return addExamples(command, [
    'svcd agent -dev',
    'svcd agent -server -data-dir /var/lib/svcd -node n1 \\\n      -client "127.0.0.1 10.0.0.1"',
    'svcd agent -config-file /etc/svcd.json -log-json',
  ])
}

/** As commander keeps it: a repeated flag's texts, or whether a flag without a value is on. */
type FlagValue = readonly string[] | boolean

function flagValues(command: Command): ConfigSources['flags'] {
  const given = optionFlags().flatMap(({ name, flag }) => {
    const texts = textsOf(command, flag)
    return texts === undefined ? [] : [[name, texts] as const]
  })
  return Object.fromEntries(given)
}

function consulFlagValues(command: Command): Readonly<Record<string, readonly string[]>> {
  const given = Object.keys(consulFlags).flatMap((flag) => {
    const texts = textsOf(command, flag)
    return texts === undefined ? [] : [[flag, texts] as const]
  })
  return Object.fromEntries(given)
}

function textsOf(command: Command, flag: string): readonly string[] | undefined {
  const option = command.options.find((candidate) => candidate.long === `--${flag}`)
  const value = command.getOptionValue(option?.attributeName() ?? '') as FlagValue | undefined
  return typeof value === 'boolean' ? [String(value)] : value
}

/** The options from the command line, the variables and the files. */
async function readOptions(
  { flags, consulFlags }: Pick<ConfigSources, 'flags' | 'consulFlags'>,
  io: Io,
): Promise<{
  readonly config: Config
  readonly notices: readonly string[]
  readonly reread: Reread
}> {
  const named = configPaths({ flags, env: io.env }, 'configFiles')
  const directories = configPaths({ flags, env: io.env }, 'configDirs')
  const { options: files, findings } = await filesAt([...named, ...directories])
  // An agent with the wrong options is worse than none.
  const broken = findings.filter(({ path, severity, holdsOptions, isWholeFile }) => {
    return holdsOptions || (severity === 'error' && isWholeFile && named.includes(path))
  })
  const sources = { flags, consulFlags, env: io.env, hostName: hostname() }
  const { config, problems, notices } = readConfig({
    ...sources,
    files,
    isIncomplete: broken.length > 0,
  })
  if (broken.length > 0) refuseAll([...broken.map(unreadable), ...problems])
  if (config === undefined) refuseAll(problems)
  return { config, notices, reread: (again) => readConfig({ ...sources, files: again }) }
}

async function filesAt(
  paths: readonly string[],
): Promise<Pick<DefinitionFiles, 'options' | 'findings'>> {
  if (paths.length === 0) return { options: [], findings: [] }
  const { loadDefinitionFiles } = await import('../agent/files/files.ts')
  return loadDefinitionFiles(paths)
}

function unreadable({ path, line, column, reason }: Finding): SvcdError {
  const missing = /^cannot be read: (.*)/s.exec(reason)?.[1]
  if (missing !== undefined) return svcdError('config-unreadable', { path, reason: missing })
  return svcdError('config-unreadable', { path: `${path}:${line}:${column}`, reason })
}
