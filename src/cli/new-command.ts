import { Command, Option } from 'commander'
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
    .option('--json', 'Print JSON.')
}

/** For an option that may be repeated: every value, in order. */
export function collect(value: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), value]
}

export function addExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((e) => `  $ ${e}\n`).join('')}`)
}

export function printJson(io: Io, value: unknown): void {
  io.out(`${JSON.stringify(value, null, 2)}\n`)
}
