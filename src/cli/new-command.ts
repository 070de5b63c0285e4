import { Command, Option } from 'commander'
import { visibleJson } from '../base/invisible.ts'
import type { ListOptions } from '../api/client.ts'
import type { Io } from './io.ts'

/** One subcommand of `svcd`. Its action resolves when it is done, or rejects with an SvcdError. */
export function newCommand(name: string, summary: string, io: Io): Command {
  return (
    new Command(`svcd ${name}`)
      .description(summary)
      .exitOverride()
      .helpOption('-h, --help', 'Show this help.')
      .allowExcessArguments(false)
      // run() prints errors, so that all of them look alike.
      .configureOutput({ writeOut: (text) => io.out(text), outputError: () => {} })
  )
}

/** Options of every command that asks an agent over HTTP. */
export interface ClientOptions {
  readonly httpAddr?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly json?: boolean
}

export function addClientOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--http-addr <address>',
        'The agent: host:port or a URL. (default: 127.0.0.1:8500, env: SVCD_HTTP_ADDR, CONSUL_HTTP_ADDR)',
      ),
    )
    .addOption(
      new Option(
        '--token <token>',
        'Sent with every request. (env: SVCD_HTTP_TOKEN, CONSUL_HTTP_TOKEN)',
      ),
    )
    .addOption(
      new Option(
        '--token-file <path>',
        'A file that holds it. (env: SVCD_HTTP_TOKEN_FILE, CONSUL_HTTP_TOKEN_FILE)',
      ),
    )
    .option('--json', 'Print JSON.')
}

/** Options of every command that lists what is in the catalog. */
export interface ReadOptions extends ClientOptions {
  readonly nodeMeta?: readonly string[]
  readonly filter?: string
  readonly near?: string
  readonly datacenter?: string
  readonly stale?: boolean
}

export function addReadOptions(command: Command): Command {
  command
    .addOption(
      new Option(
        '--node-meta <key=value>',
        'Only on nodes with this pair of metadata. Repeatable.',
      ).argParser(collect),
    )
    .option('--filter <expression>', 'Only rows for which this holds: Service.Port == 8080.')
    .option('--near <node>', 'Order by the distance from this node; _agent is the one asked.')
    .option('--datacenter <name>', 'The datacenter. (default: that of the agent)')
    .option('--stale', 'As this agent has it, also when there is no leader.')
  return addClientOptions(command)
}

/** The choices of a command line, as the client takes them. */
export function listOptions(options: ReadOptions): ListOptions {
  const { filter, near, datacenter, stale } = options
  // Consul's command line has `key=value`, its HTTP API `key:value`.
  const nodeMeta = options.nodeMeta?.map((pair) => pair.replace('=', ':'))
  return { nodeMeta, filter, near, datacenter, stale }
}

/** For an option that may be repeated: every value, in order. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value]
}

export function addExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((e) => `  $ ${e}\n`).join('')}`)
}

export function printJson(io: Io, value: unknown): void {
  io.out(`${visibleJson(JSON.stringify(value, null, 2))}\n`)
}
