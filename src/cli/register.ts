import { Option, type Command } from 'commander'
import type { ServiceRegistration } from '../api/client-rows.ts'
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
