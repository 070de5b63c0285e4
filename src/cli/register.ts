import { Option, type Command } from 'commander'
import type { ServiceRegistration } from '../client/rows.ts'
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
import { metadataPairs } from './metadata-pairs.ts'
import { registerAll } from './register-all.ts'
import { isDefinitionFile, readAllRegistrations } from './registration-file.ts'

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
  const command = newCommand(
    'register',
    'Register services with the agent: one service from options, or all services from files. If a file has ' +
      'an error, nothing is registered.',
    io,
  )
    .argument(
      '[name...]',
      'The name of the service, which DNS clients find as NAME.service.consul; or one or more .json files with services.',
    )
    .option('--name <name>', "The name of the service, as in Consul's command.")
    .option('-f, --file <path>', 'A JSON file with services; - means standard input.')
    .option(
      '--id <id>',
      'The ID of this instance, which must be unique on the agent. (default: the name)',
    )
    .option(
      '--address <address>',
      "The address of the instance: IPv4, IPv6 or a host name. (default: the node's address)",
    )
    .option('--port <port>', 'The port of the instance.')
    .addOption(new Option('--tag <tag>', 'A tag of the instance. Repeatable.').argParser(collect))
    .addOption(
      new Option('--meta <key=value>', 'A metadata pair of the instance. Repeatable.').argParser(
        collect,
      ),
    )
    .addOption(
      new Option(
        '--tagged-address <tag=host:port>',
        'Another address of the instance, for clients in other networks, such as wan=203.0.113.7:80. Repeatable.',
      ).argParser(collect),
    )
    .option(
      '--weight <weight>',
      'The weight in SRV records: PASSING, or PASSING,WARNING. (default: 1,1)',
    )
    .action(async (names: readonly string[], options: RegisterOptions) => {
      const services = await registrations(names, options, io)
      const client = await agentClient(options, io)
      const warn = (warning: string): void => io.err(`svcd: warning: ${warning}\n`)
      const note = (text: string): void => io.err(`svcd: ${text}\n`)
      const registered = await registerAll(client, services, { warn, note })
      if (options.json === true) return printJson(io, registered)
      for (const { name: called, id } of registered) {
        io.out(`Registered service: ${called}${id === called ? '' : ` (id ${id})`}\n`)
      }
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
  if (more.length > 0) throw usage('Give one service name, or files that end in .json.')
  if (named !== undefined && named !== name)
    throw usage('Give the service name once, as an argument or with --name.')
  if (files.length === 0) {
    if (name === undefined) throw usage('Give a service name, or a file with -f.')
    return [registration(name, options)]
  }
  const extra = Object.keys(options).find((key) => !fileOptions.includes(key))
  if (name !== undefined || extra !== undefined) {
    throw usage('A file contains the whole registration; remove the other options.')
  }
  return readAllRegistrations(files, io)
}

/** A name with a dot or slash is probably meant as a file, because DNS cannot find such a name. */
function refusePaths(names: readonly string[]): void {
  const path = names.find((name) => /[./\\]/.test(name))
  if (path === undefined) return
  throw usage(
    `"${path}" is neither a .json file nor a name that DNS can find. To read services from a file with another name, use -f. To register a service with this name, use --name.`,
  )
}

/** The options that do not describe the service itself. */
const fileOptions = ['file', 'httpAddr', 'token', 'tokenFile', 'json']

function registration(name: string, options: RegisterOptions): ServiceRegistration {
  const checks = checksOf(options)
  return {
    Name: name,
    ...(options.id !== undefined && { ID: options.id }),
    ...(options.address !== undefined && { Address: options.address }),
    ...(options.port !== undefined && { Port: wholeNumber('--port', options.port, 65_535) }),
    ...(options.tag !== undefined && { Tags: options.tag }),
    ...(options.meta !== undefined && { Meta: metadataPairs(options.meta) }),
    ...(options.taggedAddress !== undefined && {
      TaggedAddresses: taggedAddresses(options.taggedAddress),
    }),
    ...(options.weight !== undefined && { Weights: weights(options.weight) }),
    ...(checks.length > 0 && { Checks: checks }),
  }
}

/** `wan=203.0.113.7:80`, `wan=[2001:db8::7]:80`; without a port, the port of the service applies. */
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
  if (more.length > 0)
    throw refuse('--weight', `"${text}" is not PASSING or PASSING,WARNING, such as 10,1`)
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
