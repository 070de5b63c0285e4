import { Help, type Command, type Option } from 'commander'
import { commands } from '../../src/cli/commands.ts'
import type { Io } from '../../src/cli/io.ts'

const io: Io = { out: () => {}, err: () => {}, env: {}, readText: async () => '' }

interface Term {
  readonly term: string
  readonly description: string
}

/** What docs/cli.md and the manual page show of a command: all of it is what `--help` shows. */
export interface CommandFacts {
  readonly usage: string
  readonly description: string
  readonly args: readonly Term[]
  /** Without those that many commands have; the head of each page has them. */
  readonly options: readonly Term[]
  /** It connects to an agent, with the options for that. */
  readonly hasConnection: boolean
  /** It prints lists, with the options for their format. */
  readonly hasFormats: boolean
  readonly hasJson: boolean
  /** Without the prompt. */
  readonly examples: readonly string[]
}

const connection = ['--http-addr', '--token', '--token-file']
const formats = ['--output', '--wide']
const common = [...connection, '--json', '--help']

export async function commandFacts(name: string): Promise<CommandFacts> {
  const command = (await commands[name]?.load())?.(io)
  if (command === undefined) throw new Error(`no command ${name}`)
  const helper = new Help()
  const options = helper.visibleOptions(command)
  const has = (long: string): boolean => options.some((option) => option.long === long)
  const hasFormats = has('--output') && has('--wide')
  const left = hasFormats ? [...common, ...formats] : common
  const isOwn = ({ long }: Option): boolean => !left.includes(long ?? '')
  return {
    usage: helper.commandUsage(command),
    description: helper.commandDescription(command),
    args: helper.visibleArguments(command).map((argument) => ({
      term: helper.argumentTerm(argument),
      description: argument.description,
    })),
    options: options.filter(isOwn).map((option) => ({
      term: helper.optionTerm(option),
      description: helper.optionDescription(option),
    })),
    hasConnection: has('--http-addr'),
    hasFormats,
    hasJson: has('--json'),
    examples: examplesOf(command),
  }
}

/** What `--help` has at its end. */
function examplesOf(command: Command): readonly string[] {
  let text = ''
  command.configureOutput({ writeOut: (part) => void (text += part) }).outputHelp()
  const [, examples = ''] = /\nExamples:\n([^]*)$/.exec(text) ?? []
  return examples
    .trimEnd()
    .split(/^ {2}\$ /m)
    .slice(1)
    .map((example) => example.trimEnd())
}
