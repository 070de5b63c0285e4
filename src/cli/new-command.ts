import { Command, Option, type Help } from 'commander'
import { visibleJson } from '../base/invisible.ts'
import type { ListOptions } from '../client/client.ts'
import type { Io } from './io.ts'

/** One subcommand of `svcd`. Its action resolves when it is done, or rejects with an SvcdError. */
export function newCommand(name: string, summary: string, io: Io): Command {
  return (
    new Command(`svcd ${name}`)
      // Help is wrapped to the width that it is shown in: line breaks of the source do not count.
      .description(summary.replaceAll(/(?<!\n)\n(?!\n)/g, ' '))
      .exitOverride()
      .helpOption('-h, --help', 'Show this help.')
      .allowExcessArguments(false)
      // run() prints errors, so that all of them look alike.
      .configureOutput({
        writeOut: (text) => io.out(text),
        outputError: () => {},
        getOutHelpWidth: () => Math.min(io.terminal?.columns ?? helpWidth, helpWidthMax),
      })
      .configureHelp({ padWidth, formatItem })
  )
}

const helpWidth = 80
/** Longer lines are hard to read. */
const helpWidthMax = 100
/** A longer term has its description below it, so that one term does not squeeze all descriptions. */
const termWidthMax = 24

function padWidth(command: Command, helper: Help): number {
  const terms = [
    ...helper.visibleOptions(command).map((option) => helper.optionTerm(option)),
    ...helper.visibleArguments(command).map((argument) => helper.argumentTerm(argument)),
  ]
  return Math.max(0, ...terms.map(({ length }) => length).filter((n) => n <= termWidthMax))
}

const itemIndent = '  '
const itemGap = 2

function formatItem(this: Help, term: string, termWidth: number, description: string): string {
  if (description === '') return `${itemIndent}${term}`
  const margin = itemIndent.length + termWidth + itemGap
  const lines = this.boxWrap(description, (this.helpWidth ?? helpWidth) - margin).split('\n')
  const text = lines.join(`\n${' '.repeat(margin)}`)
  const isLong = term.length > termWidth
  const start = isLong ? `${term}\n${' '.repeat(margin)}` : term.padEnd(termWidth + itemGap)
  return `${itemIndent}${start}${text}`
}

/** Options of every command that connects to an agent over HTTP. */
export interface ClientOptions {
  readonly httpAddr?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly caFile?: string
  readonly clientCert?: string
  readonly clientKey?: string
  readonly tlsServerName?: string
  readonly json?: boolean
}

const connection = 'Connection options:'

export function addClientOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--http-addr <address>',
        'The agent to connect to: host:port or a URL. (default: 127.0.0.1:8500, env: SVCD_HTTP_ADDR, CONSUL_HTTP_ADDR)',
      ).helpGroup(connection),
    )
    .addOption(
      new Option(
        '--token <token>',
        'The token to send with every request. (env: SVCD_HTTP_TOKEN, CONSUL_HTTP_TOKEN)',
      ).helpGroup(connection),
    )
    .addOption(
      new Option(
        '--token-file <path>',
        'A file that contains the token. (env: SVCD_HTTP_TOKEN_FILE, CONSUL_HTTP_TOKEN_FILE)',
      ).helpGroup(connection),
    )
    .addOption(
      new Option(
        '--ca-file <path>',
        'A PEM file with the authorities to trust for https://. (env: SVCD_CACERT, CONSUL_CACERT)',
      ).helpGroup(connection),
    )
    .addOption(
      new Option(
        '--client-cert <path>',
        'A PEM file with a certificate to show to the agent. (env: SVCD_CLIENT_CERT, CONSUL_CLIENT_CERT)',
      ).helpGroup(connection),
    )
    .addOption(
      new Option(
        '--client-key <path>',
        'A PEM file with the key of -client-cert. (env: SVCD_CLIENT_KEY, CONSUL_CLIENT_KEY)',
      ).helpGroup(connection),
    )
    .addOption(
      new Option(
        '--tls-server-name <name>',
        "The name in the agent's certificate, if it is not the host of the address. (env: SVCD_TLS_SERVER_NAME, CONSUL_TLS_SERVER_NAME)",
      ).helpGroup(connection),
    )
    .addOption(new Option('--json', 'Print JSON.').helpGroup('Output options:'))
}

/** Options of every command that lists entries of the catalog. */
export interface ReadOptions extends ClientOptions {
  readonly nodeMeta?: readonly string[]
  readonly filter?: string
  readonly near?: string
  readonly datacenter?: string
  readonly stale?: boolean
}

/** `filterExample`: an expression over the fields of this command's rows. */
export function addReadOptions(command: Command, filterExample: string): Command {
  command
    .addOption(
      new Option(
        '--node-meta <key=value>',
        'Show only entries on nodes with this metadata pair. Repeatable.',
      ).argParser(collect),
    )
    .option(
      '--filter <expression>',
      `Show only rows that match a Consul filter expression, such as ${filterExample}.`,
    )
    .option('--near <node>', 'Accepted for compatibility with Consul; has no effect.')
    .option(
      '--datacenter <name>',
      'The datacenter to query. (default: the datacenter of the agent)',
    )
    .option('--stale', "Read this agent's local copy; works without a leader.")
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
