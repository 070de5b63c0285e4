import { hostname } from 'node:os'
import { Option, type Command } from 'commander'
import { reasonOf, svcdError } from '../base/errors.ts'
import { optionFlags } from '../config/flags.ts'
import type { Config } from '../config/options.ts'
import { configPaths, parseConfig, type ConfigFile, type ConfigSources } from '../config/parse.ts'
import type { Io } from './io.ts'
import { addExamples, collect, newCommand } from './new-command.ts'

export function agentCommand(io: Io): Command {
  const command = newCommand('agent', 'Run an agent: HTTP and DNS on this machine.', io)
  for (const flag of optionFlags()) {
    const value = flag.placeholder === undefined ? '' : ` <${flag.placeholder}>`
    const option = new Option(`--${flag.flag}${value}`, flag.help)
      .helpGroup(`${flag.group} options:`)
      .hideHelp(flag.hidden)
    if (value !== '') option.argParser(collect)
    command.addOption(option)
    // `-server=false` has to win over a file that says true.
    if (value === '') command.addOption(new Option(`--no-${flag.flag}`).hideHelp())
  }
  command.addHelpOption(new Option('-h, --help', 'Show this help.').helpGroup('Other options:'))
  command.action(async () => {
    const config = await readConfig(flagValues(command), io)
    const { runAgent } = await import('./run-agent.ts')
    await runAgent(config, io)
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
    const option = command.options.find((candidate) => candidate.long === `--${flag}`)
    const value = command.getOptionValue(option?.attributeName() ?? '') as FlagValue | undefined
    if (value === undefined) return []
    return [[name, typeof value === 'boolean' ? [String(value)] : value] as const]
  })
  return Object.fromEntries(given)
}

async function readConfig(flags: ConfigSources['flags'], io: Io): Promise<Config> {
  const paths = configPaths({ flags, env: io.env }, 'configFiles')
  const files = [
    ...(await Promise.all(paths.map(async (path) => readConfigFile(path, io)))),
    ...(await readConfigDirs(configPaths({ flags, env: io.env }, 'configDirs'))),
  ]
  return parseConfig({ flags, env: io.env, files, hostName: hostname() })
}

/** The options of directories; what they define besides is the agent's to read, and to complain of. */
async function readConfigDirs(paths: readonly string[]): Promise<readonly ConfigFile[]> {
  if (paths.length === 0) return []
  const { loadDefinitionFiles } = await import('../node/definition-files.ts')
  const { options, findings } = await loadDefinitionFiles(paths)
  const broken = findings.find(({ holdsOptions }) => holdsOptions)
  if (broken === undefined) return options
  const { path, line, column, reason } = broken
  const at = `${path}:${line}:${column}`
  // An agent with other options than were meant is worse than none.
  throw svcdError('config-unreadable', { path: at, reason })
}

async function readConfigFile(path: string, io: Io): Promise<ConfigFile> {
  try {
    return { path, content: JSON.parse(await io.readText(path)) as unknown }
  } catch (error) {
    throw svcdError('config-unreadable', { path, reason: reasonOf(error) }, error)
  }
}
