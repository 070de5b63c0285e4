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
  members: {
    summary: 'List the servers of the cluster.',
    load: async () => (await import('./members.ts')).membersCommand,
  },
  leave: {
    summary: 'Have the agent leave its cluster for good, and stop.',
    load: async () => (await import('./leave.ts')).leaveCommand,
  },
  'operator raft list-peers': {
    summary: 'List the servers as Raft knows them.',
    load: async () => (await import('./raft-peers.ts')).listPeersCommand,
  },
  'operator raft transfer-leader': {
    summary: 'Hand the lead over to another server.',
    load: async () => (await import('./raft-peers.ts')).transferLeaderCommand,
  },
  'operator raft add-peer': {
    summary: 'Let a server in that is not configured to join.',
    load: async () => (await import('./raft-peers.ts')).addPeerCommand,
  },
  'operator raft remove-peer': {
    summary: 'Take a server out that will not come back.',
    load: async () => (await import('./raft-peers.ts')).removePeerCommand,
  },
  'operator raft recover': {
    summary: 'Make one server a cluster of its own, after the quorum was lost.',
    load: async () => (await import('./raft-recover.ts')).recoverCommand,
  },
  'snapshot save': {
    summary: 'Write the state of the cluster to a file.',
    load: async () => (await import('./snapshot.ts')).saveCommand,
  },
  'snapshot restore': {
    summary: 'Bring the cluster back to what a file says.',
    load: async () => (await import('./snapshot.ts')).restoreCommand,
  },
  'snapshot inspect': {
    summary: 'Verify a file and show what is in it.',
    load: async () => (await import('./snapshot.ts')).inspectCommand,
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
  try {
    await runCommand(args, io)
    return 0
  } catch (error) {
    return reportError(error, io)
  }
}

async function runCommand(line: readonly string[], io: Io): Promise<void> {
  const name = nameIn(line)
  const entry = commands[name]
  if (entry === undefined) return noCommand(line, io)
  const command = (await entry.load())(io)
  const args = line.slice(name.split(' ').length)
  try {
    await command.parseAsync([...normaliseArguments(args, command.options)], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) throw fromCommander(error, name, command)
    throw error
  }
}

/** The command that a line begins with: the one of the most words. '' when there is none. */
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
    throw usage(`\`svcd ${group}\` needs one more word: ${next}.`)
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
  // A defect of svcd: its stack is what a bug report needs.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  io.err(`svcd: ${error instanceof InvariantError ? text : `unexpected error: ${text}`}\n`)
  return 1
}

function overview(names: readonly string[] = Object.keys(commands)): string {
  const width = Math.max(...names.map((name) => name.length))
  const lines = names.map((n) => `  ${n.padEnd(width)}  ${commands[n]?.summary ?? ''}\n`)
  return [
    'Usage: svcd COMMAND [options]\n\n',
    'A DNS-first service registry: register over HTTP or the CLI, find by DNS.\n\n',
    'Commands:\n',
    ...lines,
    '\n`svcd COMMAND --help` shows the options and examples of one. Both -x and --x are read.\n',
  ].join('')
}
