import { CommanderError, type Command } from 'commander'
import { InvariantError } from '../base/assert.ts'
import { svcdError, SvcdError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { normaliseArguments } from './arguments.ts'
import type { Io } from './io.ts'

interface Entry {
  readonly summary: string
  /** Loads only what this command needs: `svcd services` must not wait for the agent's modules. */
  readonly load: () => Promise<(io: Io) => Command>
}

const commands: Readonly<Record<string, Entry>> = {
  agent: {
    summary: 'Run an agent.',
    load: async () => (await import('./agent.ts')).agentCommand,
  },
  register: {
    summary: 'Register a service with the agent.',
    load: async () => (await import('./register.ts')).registerCommand,
  },
  deregister: {
    summary: 'Remove a service from the agent, or a node from the catalog.',
    load: async () => (await import('./deregister.ts')).deregisterCommand,
  },
  services: {
    summary: 'List services, or the instances of one.',
    load: async () => (await import('./services.ts')).servicesCommand,
  },
  nodes: {
    summary: 'List nodes.',
    load: async () => (await import('./nodes.ts')).nodesCommand,
  },
  resolve: {
    summary: 'Ask the DNS server for a name, and show what any client gets.',
    load: async () => (await import('./resolve.ts')).resolveCommand,
  },
  version: {
    summary: 'Print the version.',
    load: async () => (await import('./version.ts')).versionCommand,
  },
}

/** Runs one command line (without `node svcd`) and gives its exit code: 0, 1 or 2. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const [first = '', ...rest] = args
  if (/^(?:-v|--?version)$/.test(first)) return run(['version', ...rest], io)
  if (first === '' || /^(?:-h|--?help|help)$/.test(first)) {
    if (first === 'help' && rest[0] !== undefined) return run([rest[0], '--help'], io)
    ;(first === '' ? io.err : io.out)(overview())
    return first === '' ? 1 : 0
  }
  try {
    await runCommand(first, rest, io)
    return 0
  } catch (error) {
    return reportError(error, io)
  }
}

async function runCommand(name: string, args: readonly string[], io: Io): Promise<void> {
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (entry === undefined) {
    const kind = name.startsWith('-') ? 'option' : 'command'
    const hint = didYouMean(name, Object.keys(commands))
    throw usage(`Unknown ${kind} "${name}".${hint} \`svcd --help\` lists all commands.`)
  }
  const command = (await entry.load())(io)
  try {
    await command.parseAsync([...normaliseArguments(args, command.options)], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) throw fromCommander(error, name, command)
    throw error
  }
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
  // A defect of svcd: its stack is what a bug report needs.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  io.err(`svcd: ${error instanceof InvariantError ? text : `unexpected error: ${text}`}\n`)
  return 1
}

function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(
    ([n, { summary }]) => `  ${n.padEnd(width)}  ${summary}\n`,
  )
  return [
    'Usage: svcd COMMAND [options]\n\n',
    'A DNS-first service registry: register over HTTP or the CLI, find by DNS.\n\n',
    'Commands:\n',
    ...lines,
    '\n`svcd COMMAND --help` shows the options and examples of one. Both -x and --x are read.\n',
  ].join('')
}
