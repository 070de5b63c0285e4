import type { Command, Option } from 'commander'
import type { Client } from '../client/client.ts'
import { QueryClient } from '../client/query.ts'
import { agentClient } from './agent-client.ts'
import type { CommandEntry } from './command-entry.ts'
import type { Io } from './io.ts'
import type { ClientOptions } from './new-command.ts'

export interface Candidate {
  readonly text: string
  readonly help: string
}

type Commands = Readonly<Record<string, CommandEntry>>

/** Completion must not make the user wait. */
const askMsMax = 1000

/** The candidates for the last of `words`; with an empty list the shell completes file names. */
export async function candidates(
  words: readonly string[],
  commands: Commands,
  io: Io,
): Promise<readonly Candidate[]> {
  const line = joinAtEquals(words)
  const current = line.at(-1) ?? ''
  const before = line.slice(0, -1)
  const found = [
    ...nextWords(before, commands),
    ...(await ofCommand(before, current, commands, io)),
  ]
  return found.filter(({ text }) => text.startsWith(current) && isPlain(text))
}

/** bash splits `--tag=v1` into three words. */
function joinAtEquals(words: readonly string[]): readonly string[] {
  return words.filter((word, at) => word !== '=' || at === 0)
}

/** The shell inserts a name unquoted, so names with special characters are not offered. */
function isPlain(text: string): boolean {
  return /^[\w.,:@%+/=-][\w.,:@%+/=#-]*$/.test(text)
}

/** The words that can continue the name of a command. */
function nextWords(before: readonly string[], commands: Commands): readonly Candidate[] {
  const start = before.map((word) => `${word} `).join('')
  const helpOf = new Map<string, string>()
  for (const [name, { summary }] of Object.entries(commands)) {
    if (!name.startsWith(start)) continue
    const [next = '', ...more] = name.slice(start.length).split(' ')
    if (more.length === 0) helpOf.set(next, summary)
    else if (!helpOf.has(next)) helpOf.set(next, `${start}${next} …`)
  }
  return [...helpOf].map(([text, help]) => ({ text, help }))
}

async function ofCommand(
  before: readonly string[],
  current: string,
  commands: Commands,
  io: Io,
): Promise<readonly Candidate[]> {
  const name = commandIn(before, commands)
  const entry = commands[name]
  if (entry === undefined) return []
  const command = (await entry.load())(io)
  const option = optionOf(before.at(-1) ?? '', command)
  const ask = (kind: Kind): Promise<readonly Candidate[]> => ofKind(kind, before, io)
  if (option?.required === true) return ask(optionKinds[option.long ?? '']?.(name) ?? 'none')
  if (current.startsWith('-')) return optionsOf(command, current)
  return ask(argumentKinds[name] ?? 'none')
}

/** The longest command name that the line starts with. */
function commandIn(before: readonly string[], commands: Commands): string {
  for (let count = before.length; count > 0; count--) {
    const name = before.slice(0, count).join(' ')
    if (Object.hasOwn(commands, name)) return name
  }
  return ''
}

function optionOf(word: string, command: Command): Option | undefined {
  const long = /^-[a-z]{2}/i.test(word) ? `-${word}` : word
  return command.options.find((option) => option.long === long || option.short === long)
}

/** With as many dashes as the user typed: `-ta` becomes `-tag`, `--ta` becomes `--tag`. */
function optionsOf(command: Command, current: string): readonly Candidate[] {
  const cut = /^-[^-]/.test(current) ? 1 : 0
  return command.options
    .filter(({ hidden }) => !hidden)
    .map(({ long, description }) => ({
      text: (long ?? '').slice(cut),
      help: firstSentence(description),
    }))
}

/** A shell shows it on one line. */
function firstSentence(text: string): string {
  return text.split(/(?<=\.)\s/, 1)[0] ?? ''
}

type Kind =
  | 'services'
  | 'own-services'
  | 'nodes'
  | 'tags'
  | 'datacenters'
  | 'queries'
  | 'none'
  | readonly string[]

const recordTypes = ['A', 'AAAA', 'SRV', 'TXT', 'SOA', 'NS', 'PTR']
const watchTypes = ['key', 'keyprefix', 'services', 'nodes', 'service', 'checks', 'event']

const always = (kind: Kind) => (): Kind => kind

/** What the value of an option names; the same option may name different things. */
export const optionKinds: Readonly<Record<string, (command: string) => Kind>> = {
  '--service': (command) => (command === 'maint' ? 'own-services' : 'services'),
  '--node': always('nodes'),
  '--near': always('nodes'),
  '--tag': (command) => (command.endsWith('register') ? 'none' : 'tags'),
  '--datacenter': always('datacenters'),
  '--state': always(['passing', 'warning', 'critical', 'any']),
  '--status': always(['alive', 'failed', 'none']),
  '--id': (command) => (command.endsWith('deregister') ? 'own-services' : 'none'),
  '--type': (command) => (command === 'watch' ? watchTypes : recordTypes),
  '--output': (command) =>
    command === 'debug' ? 'none' : ['table', 'wide', 'json', 'yaml', 'name'],
  '--on-exit': always(['fail', 'warn', 'none']),
  '--log-level': always(['debug', 'info', 'warn', 'error']),
}

/** What the arguments of a command name. */
export const argumentKinds: Readonly<Record<string, Kind>> = {
  services: 'services',
  ls: 'services',
  heartbeat: 'own-services',
  'check pass': 'own-services',
  'check warn': 'own-services',
  'check fail': 'own-services',
  checks: 'services',
  resolve: 'services',
  deregister: 'own-services',
  'services deregister': 'own-services',
  'query get': 'queries',
  'query update': 'queries',
  'query delete': 'queries',
  'query execute': 'queries',
  'query explain': 'queries',
  'intention create': 'services',
  'intention get': 'services',
  'intention match': 'services',
  'intention check': 'services',
  'intention delete': 'services',
  completion: ['bash', 'zsh', 'fish'],
}

async function ofKind(
  kind: Kind,
  before: readonly string[],
  io: Io,
): Promise<readonly Candidate[]> {
  if (kind === 'none') return []
  if (typeof kind !== 'string') return kind.map((text) => ({ text, help: '' }))
  try {
    const client = await agentClient(clientOptionsIn(before), io, { timeoutMs: askMsMax })
    return await namesOf(kind, client)
  } catch {
    // Without an agent there are no names to offer, and completion must not print errors.
    return []
  }
}

async function namesOf(kind: string, client: Client): Promise<readonly Candidate[]> {
  switch (kind) {
    case 'services':
      return Object.entries(await client.services()).map(([text, tags]) => ({
        text,
        help: tags.join(','),
      }))
    case 'own-services':
      return Object.values(await client.agentServices()).map(({ ID, Service }) => ({
        text: ID,
        help: Service,
      }))
    case 'queries':
      return (await new QueryClient(client).list()).map(({ ID, Name, Service }) => ({
        text: Name === '' ? ID : Name,
        help: Service.Service,
      }))
    case 'nodes':
      return (await client.nodes()).map(({ Node, Address }) => ({ text: Node, help: Address }))
    case 'tags':
      return [...new Set(Object.values(await client.services()).flat())].map(bare)
    default:
      return (await client.datacenters()).map(bare)
  }
}

function bare(text: string): Candidate {
  return { text, help: '' }
}

/** The agent that the line names, if it does so already. */
function clientOptionsIn(before: readonly string[]): ClientOptions {
  const valueOf = (flag: string): string | undefined => {
    const at = before.findIndex((word) => word.replace(/^--?/, '') === flag)
    return at < 0 ? undefined : before[at + 1]
  }
  const [httpAddr, token, tokenFile] = [
    valueOf('http-addr'),
    valueOf('token'),
    valueOf('token-file'),
  ]
  return {
    ...(httpAddr !== undefined && { httpAddr }),
    ...(token !== undefined && { token }),
    ...(tokenFile !== undefined && { tokenFile }),
  }
}
