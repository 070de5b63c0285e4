import { grouped } from '../../src/cli/command-groups.ts'
import { commands } from '../../src/cli/commands.ts'
import { commandFacts } from './command-facts.ts'

/** man/svcd.1, made from the commands' own help, in the macros of man(7). */
export async function manPage(): Promise<string> {
  const parts = [head]
  for (const [group, names] of grouped(Object.keys(commands))) {
    parts.push(`.SH ${group.toUpperCase()}\n`)
    for (const name of names) parts.push(await section(name))
  }
  return `${parts.join('')}${tail}`
}

async function section(name: string): Promise<string> {
  const { usage, description, args, options, hasFormats, examples } = await commandFacts(name)
  const terms = [...args, ...options].map(({ term, description: text }) => item(term, text))
  const formats = hasFormats ? '.PP\nAlso: the options for the format of a list.\n' : ''
  return `.SS "${roff(usage)}"\n${roff(description)}\n${terms.join('')}${formats}${examplesText(examples)}`
}

function item(term: string, description: string): string {
  return `.TP\n.B "${roff(term)}"\n${roff(description)}\n`
}

function examplesText(examples: readonly string[]): string {
  const lines = examples.flatMap((example) => `$ ${example}`.split('\n')).map(roff)
  return `.PP\n.nf\n.RS 4\n${lines.join('\n')}\n.RE\n.fi\n`
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

const head = `.\\" Generated from the commands' own help by npm run docs:generate.
.TH SVCD 1 "" "svcd" "svcd"
.SH NAME
svcd \\- a DNS\\-first service registry
.SH SYNOPSIS
.B svcd
.I COMMAND
[options]
.SH DESCRIPTION
svcd is a service registry. Services register over HTTP or with this command. Any program finds their healthy
instances with DNS, under names such as
.BR web.service.consul .
.PP
Options can have one dash or two:
.B \\-tag v1
and
.B \\-\\-tag=v1
mean the same.
A command prints its result to standard output, and everything else to standard error.
.PP
All commands that connect to an agent have these options:
.TP
.B "\\-\\-http\\-addr <address>"
The agent to connect to: host:port or a URL. The default is 127.0.0.1:8500.
.TP
.B "\\-\\-token <token>"
The token to send with every request.
.TP
.B "\\-\\-token\\-file <path>"
A file that contains the token.
.PP
All commands that print a list have these options for its format:
.TP
.B "\\-o, \\-\\-output <format>"
The format: table, wide, json, yaml or name. The default is table.
.TP
.B \\-\\-wide
Show more columns, and do not cut rows to the width of the terminal.
.PP
Other common options:
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
The agent to connect to, unless
.B \\-\\-http\\-addr
is given.
.TP
.B "SVCD_HTTP_TOKEN, CONSUL_HTTP_TOKEN"
The token, unless
.B \\-\\-token
or
.B \\-\\-token\\-file
is given.
.TP
.B "SVCD_HTTP_TOKEN_FILE, CONSUL_HTTP_TOKEN_FILE"
A file that contains the token, used if no token is set.
.TP
.B SVCD_DNS_ADDR
The DNS server of svcd resolve and svcd doctor.
.TP
.B SVCD_DOMAIN
The domain that svcd resolve appends to short names.
.TP
.B NO_COLOR
If it is set and not empty, svcd does not use colours.
.PP
Every option of svcd agent has its own variable, shown with the option. A variable of svcd overrides a variable of
Consul.
.SH "EXIT STATUS"
.TP
.B 0
The command succeeded.
.TP
.B 1
The command was refused or failed.
.TP
.B 2
svcd could not reach an agent or a DNS server. svcd members also exits with 2 if no server matches.
.SH "SEE ALSO"
.BR dig (1),
.BR resolv.conf (5)
`
