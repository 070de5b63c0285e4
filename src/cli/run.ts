import { fileURLToPath } from 'node:url'
import { CommanderError, type Command } from 'commander'
import { InvariantError } from '../base/assert.ts'
import { svcdError, SvcdError } from '../base/errors.ts'
import { visibleLines } from '../base/invisible.ts'
import { didYouMean } from '../base/nearest.ts'
import { packageFile } from '../base/package-files.ts'
import { hasCommandArgument, normaliseArguments } from './arguments.ts'
import { grouped } from './command-groups.ts'
import { commands } from './commands.ts'
import type { Io } from './io.ts'

/** The manual page of this copy of svcd: `man svcd` finds it only where npm has installed it. */
const manPage = fileURLToPath(packageFile('man/svcd.1'))

const wordsMax = Math.max(...Object.keys(commands).map((name) => name.split(' ').length))

/** Runs one command line (without `node svcd`) and gives its exit code: 0, 1 or 2. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const [first = '', ...rest] = args
  if (/^(?:-v|--?version)$/.test(first)) return run(['version', ...rest], io)
  if (first === '' || /^(?:-h|--?help|help)$/.test(first)) {
    if (first === 'help' && rest[0] !== undefined) return run([...rest, '--help'], io)
    ;(first === '' ? io.err : io.out)(overview())
    return first === '' ? 1 : 0
  }
  const shown = onlyVisible(io)
  try {
    await runCommand(args, shown)
    return 0
  } catch (error) {
    return reportError(error, shown)
  }
}

/** Makes control characters visible in everything that a command prints; `columns` does it for `outStyled`. */
function onlyVisible(io: Io): Io {
  return {
    ...io,
    out: (text) => io.out(visibleLines(text)),
    err: (text) => io.err(visibleLines(text)),
    outStyled: io.outStyled ?? io.out,
  }
}

async function runCommand(line: readonly string[], io: Io): Promise<void> {
  const name = nameIn(line)
  const entry = commands[name]
  if (entry === undefined) return noCommand(line, io)
  const command = (await entry.load())(io)
  const args = line.slice(name.split(' ').length)
  try {
    const normalised = normaliseArguments(args, command.options, hasCommandArgument(command))
    await command.parseAsync([...normalised], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) throw fromCommander(error, name, command)
    throw error
  }
}

/** The longest command name that a line starts with; '' if there is none. */
function nameIn(line: readonly string[]): string {
  for (let count = wordsMax; count > 0; count--) {
    const name = line.slice(0, count).join(' ')
    if (Object.hasOwn(commands, name)) return name
  }
  return ''
}

/** The first words of a command alone show what may follow; anything else is a mistake. */
function noCommand(line: readonly string[], io: Io): void {
  const words = line.filter((word) => !/^--?h(?:elp)?$/.test(word))
  const group = words.join(' ')
  const below = Object.keys(commands).filter((name) => name.startsWith(`${group} `))
  if (below.length > 0 && words.length < line.length) return io.out(overview(below))
  if (below.length > 0) {
    const next = below.map((name) => name.slice(group.length + 1)).join(', ')
    throw usage(`\`svcd ${group}\` needs a subcommand: ${next}.`)
  }
  const [first = ''] = line
  const kind = first.startsWith('-') ? 'option' : 'command'
  const firstWords = [...new Set(Object.keys(commands).map((name) => name.split(' ')[0] ?? ''))]
  const known = firstWords.includes(first)
  const name = known ? words.slice(0, wordsMax).join(' ') : first
  const hint = didYouMean(name, known ? Object.keys(commands) : firstWords)
  throw usage(`Unknown ${kind} "${name}".${hint} \`svcd --help\` lists all commands.`)
}

/** Commander's errors in one line with the next step; showing help is not an error. */
function fromCommander(error: CommanderError, name: string, command: Command): unknown {
  if (error.exitCode === 0) return error
  const text = error.message.replace(/^error: /, '').replace(/\n?\(Did you mean .*$/s, '')
  const unknown = error.code === 'commander.unknownOption' ? /'(.*)'/.exec(text)?.[1] : undefined
  const known = command.options.filter((o) => !o.hidden).flatMap((o) => (o.long ? [o.long] : []))
  const hint = unknown === undefined ? '' : didYouMean(unknown.replace(/=.*/s, ''), known)
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1).replaceAll("'", '"')}`
  return usage(`${sentence.replace(/\.?$/, '.')}${hint} See \`svcd ${name} --help\`.`)
}

function usage(reason: string): SvcdError {
  return svcdError('usage', { reason })
}

function reportError(error: unknown, io: Io): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  if (error instanceof SvcdError) {
    io.err(`svcd: ${error.message}\n`)
    return error.row.exit
  }
  // A bug of svcd: a bug report needs the stack.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  io.err(`svcd: ${error instanceof InvariantError ? text : `unexpected error: ${text}`}\n`)
  return 1
}

function overview(names: readonly string[] = Object.keys(commands)): string {
  const sections = [...grouped(names)].map(([group, inside]) => {
    const width = Math.max(...inside.map((name) => name.length))
    const lines = inside.map((n) => `  ${n.padEnd(width)}  ${commands[n]?.summary ?? ''}\n`)
    return `${group}:\n${lines.join('')}\n`
  })
  return [
    'Usage: svcd COMMAND [options]\n\n',
    'A DNS-first service registry. Services register over HTTP or with this command,\nand any program finds their healthy instances with DNS.\n\n',
    ...sections,
    'Run `svcd COMMAND --help` for the options and examples of a command. Options\ncan have one dash or two. To read about all commands on one page:\n',
    `  man ${manPage}\n`,
  ].join('')
}
