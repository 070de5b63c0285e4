import { Option, type Command } from 'commander'
import type { ServiceRegistration } from '../api/client-rows.ts'
import type { Client } from '../api/client.ts'
import { svcdError, SvcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import { addCheckOptions, checksOf, type CheckOptions } from './register-checks.ts'
import {
  addClientOptions,
  addExamples,
  collect,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'
import { isDefinitionFile, readAllRegistrations } from './registration-file.ts'
import { replacedNote, serviceWith } from './replaced-service.ts'

interface RegisterOptions extends ClientOptions, CheckOptions {
  readonly file?: string
  readonly name?: string
  readonly id?: string
  readonly address?: string
  readonly port?: string
  readonly tag?: readonly string[]
  readonly meta?: readonly string[]
  readonly weight?: string
  readonly taggedAddress?: readonly string[]
}

export function registerCommand(io: Io): Command {
  const command = newCommand('register', 'Register a service with the agent.', io)
    .argument(
      '[name...]',
      'The name of the service, asked for as NAME.service.consul; or files, told by .json.',
    )
    .option('--name <name>', 'The name, as Consul takes it.')
    .option('-f, --file <path>', 'A JSON file with one service or several; - is standard input.')
    .option('--id <id>', 'The id of this instance, unique on the agent. (default: the name)')
    .option('--address <address>', "IPv4, IPv6 or a host name. (default: the node's)")
    .option('--port <port>', 'The port of the service.')
    .addOption(new Option('--tag <tag>', 'A tag. Repeatable.').argParser(collect))
    .addOption(
      new Option('--meta <key=value>', 'A pair of metadata. Repeatable.').argParser(collect),
    )
    .addOption(
      new Option(
        '--tagged-address <tag=host:port>',
        'An address for clients elsewhere: wan=203.0.113.7:80. Repeatable.',
      ).argParser(collect),
    )
    .option('--weight <weight>', 'The SRV weight while passing, or PASSING,WARNING. (default: 1,1)')
    .action(async (names: readonly string[], options: RegisterOptions) => {
      const services = await registrations(names, options, io)
      const client = await agentClient(options, io)
      await registerAll(client, services, options, io)
    })
  addCheckOptions(command)
  addClientOptions(command)
  return addExamples(command, [
    'svcd register web --port 8080',
    'svcd register web --id web-1 --address 10.9.0.1 --port 8080 --tag v1 \\\n' +
      '      --check-http http://127.0.0.1:8080/health --interval 2s',
    'svcd register db --port 5432 --check-tcp 127.0.0.1:5432 --timeout 1s',
    'svcd register worker --check-ttl 30s --meta version=2',
    'svcd register web.json api.json',
    'svcd register -f - < services.json',
  ])
}

/** All or nothing: what was new is removed again when a later one is refused. */
async function registerAll(
  client: Client,
  services: readonly ServiceRegistration[],
  options: RegisterOptions,
  io: Io,
): Promise<void> {
  const [only] = services
  const isOne = services.length === 1 && only !== undefined
  const before = isOne ? await serviceWith(client, idOf(only)) : await client.agentServices()
  const registered: { readonly name: string; readonly id: string }[] = []
  for (const service of services) {
    const { Name: name } = service
    const id = idOf(service)
    try {
      const warnings = await client.registerService(service, { replaceExistingChecks: true })
      for (const warning of warnings) io.err(`svcd: warning: ${warning}\n`)
    } catch (error) {
      if (isOne || !(error instanceof SvcdError)) throw error
      const ids = [...registered.map((each) => each.id), id]
      throw svcdError('registration-undone', {
        id,
        reason: error.message,
        undone: await undo(client, ids, Object.keys(before)),
      })
    }
    const note = await replacedNote(client, service, before[id])
    if (note !== '') io.err(`svcd: ${note}\n`)
    registered.push({ name, id })
  }
  if (options.json === true) return printJson(io, registered)
  for (const { name, id } of registered) {
    io.out(`Registered service: ${name}${id === name ? '' : ` (id ${id})`}\n`)
  }
}

function idOf({ ID, Name }: ServiceRegistration): string {
  return ID === undefined || ID === '' ? Name : ID
}

/** Removes those that were not there before, and says what is left. */
async function undo(
  client: Client,
  ids: readonly string[],
  before: readonly string[],
): Promise<string> {
  const added = ids.filter((id) => !before.includes(id))
  const results = await Promise.allSettled(added.map(async (id) => client.deregisterService(id)))
  const left = added.filter((_, at) => isLeft(results[at]))
  const changed = ids.slice(0, -1).filter((id) => before.includes(id))
  return [
    left.length === 0
      ? 'No service of the files was added.'
      : `These were added and could not be removed again: ${left.join(', ')}.`,
    ...(changed.length === 0
      ? []
      : [`These were there before and have their new definition: ${changed.join(', ')}.`]),
  ].join(' ')
}

/** What the agent does not know it does not have either. */
function isLeft(result: PromiseSettledResult<void> | undefined): boolean {
  if (result?.status !== 'rejected') return false
  const { reason } = result as { readonly reason: unknown }
  return !(reason instanceof Error && reason.message.includes('Unknown service ID'))
}

async function registrations(
  names: readonly string[],
  options: RegisterOptions,
  io: Io,
): Promise<readonly ServiceRegistration[]> {
  const { file, name: named } = options
  const files = [...(file === undefined ? [] : [file]), ...names.filter(isDefinitionFile)]
  const plain = names.filter((each) => !isDefinitionFile(each))
  const [name = named, ...more] = plain
  refusePaths(plain)
  if (more.length > 0) throw usage('Name one service, or files that end in .json.')
  if (named !== undefined && named !== name) throw usage('Name the service once.')
  if (files.length === 0) {
    if (name === undefined) throw usage('Name the service, or a file with -f.')
    return [registration(name, options)]
  }
  const extra = Object.keys(options).find((key) => !fileOptions.includes(key))
  if (name !== undefined || extra !== undefined) {
    throw usage('With a file the whole registration stands in it; leave the other options out.')
  }
  return readAllRegistrations(files, io)
}

/** A name with a dot or slash is meant for a file, for DNS finds no such name. */
function refusePaths(names: readonly string[]): void {
  const path = names.find((name) => /[./\\]/.test(name))
  if (path === undefined) return
  throw usage(
    `"${path}" is not a file of definitions: those are JSON, and end in .json (-f reads one under any name). Nor can DNS find a service of this name; to register it all the same, give --name.`,
  )
}

/** The options that say nothing of the service itself. */
const fileOptions = ['file', 'httpAddr', 'token', 'tokenFile', 'json']

function registration(name: string, options: RegisterOptions): ServiceRegistration {
  const checks = checksOf(options)
  return {
    Name: name,
    ...(options.id !== undefined && { ID: options.id }),
    ...(options.address !== undefined && { Address: options.address }),
    ...(options.port !== undefined && { Port: wholeNumber('--port', options.port, 65_535) }),
    ...(options.tag !== undefined && { Tags: options.tag }),
    ...(options.meta !== undefined && { Meta: pairs(options.meta) }),
    ...(options.taggedAddress !== undefined && {
      TaggedAddresses: taggedAddresses(options.taggedAddress),
    }),
    ...(options.weight !== undefined && { Weights: weights(options.weight) }),
    ...(checks.length > 0 && { Checks: checks }),
  }
}

function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw refuse('--meta', `"${text}" is not KEY=VALUE`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

/** `wan=203.0.113.7:80`, `wan=[2001:db8::7]:80`; without a port, the service's own is meant. */
function taggedAddresses(
  texts: readonly string[],
): Readonly<Record<string, { readonly Address: string; readonly Port?: number }>> {
  return Object.fromEntries(
    texts.map((text) => {
      const shape = /^([^=]+)=(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text)
      const [, tag = '', ip6, host = '', port] = shape ?? []
      if (shape === null || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) {
        throw refuse(
          '--tagged-address',
          `"${text}" is not TAG=HOST:PORT, such as wan=203.0.113.7:80`,
        )
      }
      const address = { Address: ip6 ?? host, ...(port !== undefined && { Port: Number(port) }) }
      return [tag, address]
    }),
  )
}

function weights(text: string): { readonly Passing: number; readonly Warning: number } {
  const [passing = '', warning = '1', ...more] = text.split(',')
  if (more.length > 0) throw refuse('--weight', `"${text}" is not PASSING or PASSING,WARNING`)
  return { Passing: weight(passing), Warning: weight(warning) }
}

function weight(text: string): number {
  return wholeNumber('--weight', text, 65_535)
}

function wholeNumber(option: string, text: string, max: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) <= max) return Number(text)
  throw refuse(option, `"${text}" is not a whole number from 0 to ${max}`)
}

function refuse(option: string, reason: string): SvcdError {
  return svcdError('invalid-option', { option, reason })
}

function usage(reason: string): SvcdError {
  return svcdError('usage', { reason: `${reason} See \`svcd register --help\`.` })
}
