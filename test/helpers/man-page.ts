import { Help, type Command, type Option } from 'commander'
import { grouped } from '../../src/cli/command-groups.ts'
import { commands } from '../../src/cli/commands.ts'
import type { Io } from '../../src/cli/io.ts'

const io: Io = { out: () => {}, err: () => {}, env: {}, readText: async () => '' }

/** man/svcd.1 as the commands' own help has it, in the macros of man(7). */
export async function manPage(): Promise<string> {
  const parts = [head]
  for (const [group, names] of grouped(Object.keys(commands))) {
    parts.push(`.SH ${group.toUpperCase()}\n`)
    for (const name of names) parts.push(await section(name))
  }
  return `${parts.join('')}${tail}`
}

async function section(name: string): Promise<string> {
  const command = (await commands[name]?.load())?.(io)
  if (command === undefined) throw new Error(`no command ${name}`)
  const helper = new Help()
  const usage = helper.commandUsage(command)
  const args = helper
    .visibleArguments(command)
    .map((argument) => item(helper.argumentTerm(argument), argument.description))
  const options = helper
    .visibleOptions(command)
    .filter(isOwn)
    .map((option) => item(helper.optionTerm(option), helper.optionDescription(option)))
  return `.SS "${roff(usage)}"\n${roff(helper.commandDescription(command))}\n${args.join('')}${options.join('')}${examplesOf(command)}`
}

/** The options that every command has stand in the head of the page. */
function isOwn({ long }: Option): boolean {
  return !['--http-addr', '--token', '--token-file', '--json', '--help'].includes(long ?? '')
}

function item(term: string, description: string): string {
  return `.TP\n.B "${roff(term)}"\n${roff(description)}\n`
}

/** What `--help` has at its end. */
function examplesOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => void (text += part) }).outputHelp()
  const [, examples = ''] = /\nExamples:\n([^]*)$/.exec(text) ?? []
  const lines = examples.trimEnd().split('\n').map(roff)
  return `.PP\n.nf\n.RS 4\n${lines.map((line) => line.replace(/^ {2}/, '')).join('\n')}\n.RE\n.fi\n`
}

/** Text as roff prints it: its own characters escaped, dashes and quotes as they are typed. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replaceAll('…', '...')
    .replaceAll(/^\./gm, '\\&.')
}

const head = `.\\" Generated from the commands' own help by npm run docs:config.
.TH SVCD 1 "" "svcd" "svcd"
.SH NAME
svcd \\- a DNS\\-first service registry
.SH SYNOPSIS
.B svcd
.I COMMAND
[options]
.SH DESCRIPTION
Services register over HTTP or by this command, and any program finds the healthy ones by asking DNS for
.BR web.service.consul .
Flags are read with one dash or two.
Results go to standard output, everything else to standard error.
.PP
These options belong to every command that asks an agent:
.TP
.B "\\-\\-http\\-addr <address>"
The agent: host:port or a URL. The default is 127.0.0.1:8500.
.TP
.B "\\-\\-token <token>, \\-\\-token\\-file <path>"
Sent with every request.
.TP
.B \\-\\-json
Print JSON.
.TP
.B "\\-h, \\-\\-help"
Show the help of the command.
`

const tail = `.SH ENVIRONMENT
.TP
.B "SVCD_HTTP_ADDR, CONSUL_HTTP_ADDR"
The agent, as \\-\\-http\\-addr.
.TP
.B "SVCD_DNS_ADDR, SVCD_DOMAIN"
The DNS server that svcd resolve asks, and the domain that it adds.
.TP
.B "SVCD_HTTP_TOKEN, SVCD_HTTP_TOKEN_FILE"
The token, or a file that holds it; CONSUL_HTTP_TOKEN and CONSUL_HTTP_TOKEN_FILE are read too.
.TP
.B NO_COLOR
When it is set and not empty, nothing is coloured.
.SH "EXIT STATUS"
.TP
.B 0
The command did what it was asked to do.
.TP
.B 1
It was refused, or it failed.
.TP
.B 2
Nobody could be asked.
.SH "SEE ALSO"
.BR dig (1),
.BR resolv.conf (5)
`
