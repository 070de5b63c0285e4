import { grouped } from '../../src/cli/command-groups.ts'
import { commands } from '../../src/cli/commands.ts'
import { markdown } from '../../src/config/options-page.ts'
import { commandFacts, type CommandFacts } from './command-facts.ts'

/** Commands that are another command under another name. */
const aliases: Readonly<Record<string, string>> = {
  ls: 'services',
  'services register': 'register',
  'services deregister': 'deregister',
}

/** docs/cli.md, made from the commands' own help. */
export async function cliPage(): Promise<string> {
  const groups = [...grouped(Object.keys(commands))]
  const sections: string[] = []
  for (const [group, names] of groups) {
    const own = names.filter((name) => aliases[name] === undefined)
    const parts = await Promise.all(own.map(sectionOf))
    if (parts.length > 0) sections.push(`## ${group}\n\n${parts.join('\n')}`)
  }
  const tables = groups.map(([group, names]) => overview(group, names)).join('\n')
  return `${head}\n## All commands\n\n${tables}\n${common}\n${sections.join('\n')}`
}

function overview(group: string, names: readonly string[]): string {
  const rows = names.map((name) => {
    const anchor = `svcd-${aliases[name] ?? name}`.replaceAll(' ', '-')
    return `| [\`svcd ${name}\`](#${anchor}) | ${commands[name]?.summary ?? ''} |\n`
  })
  return `| ${group} | |\n|---|---|\n${rows.join('')}`
}

async function sectionOf(name: string): Promise<string> {
  const facts = await commandFacts(name)
  const terms = [...facts.args, ...(name === 'agent' ? [] : facts.options)]
  const rows = terms.map(
    ({ term, description }) => `| \`${cell(term)}\` | ${cell(markdown(description))} |\n`,
  )
  const table =
    rows.length === 0 ? '' : `| Argument or option | Meaning |\n|---|---|\n${rows.join('')}\n`
  return [
    `### svcd ${name}\n\n${markdown(facts.description)}\n\n`,
    `\`\`\`\n${facts.usage}\n\`\`\`\n\n`,
    name === 'agent' ? 'Options: see [config.md](config.md).\n\n' : `${table}${alsoText(facts)}`,
    `Examples:\n\n\`\`\`sh\n${facts.examples.join('\n')}\n\`\`\`\n`,
  ].join('')
}

/** Which of the options in the head of the page a command has. */
function alsoText({ hasConnection, hasFormats, hasJson }: CommandFacts): string {
  const also = [
    ...(hasConnection ? ['the [connection options](#the-agent-to-connect-to)'] : []),
    ...(hasFormats ? ['the [output options](#output)'] : hasJson ? ['[`--json`](#output)'] : []),
  ]
  return also.length === 0 ? '' : `Also: ${also.join(' and ')}.\n\n`
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}

const head = `# The command line

This page describes every command of \`svcd\`, for operators and for developers who register services. It contains the
text of \`svcd COMMAND --help\`. The options of \`svcd agent\` are in [config.md](config.md). The same page for \`man\` is
\`man/svcd.1\`; the last line of \`svcd --help\` shows the command to read it.

Options can have one dash or two: \`-tag v1\` and \`--tag=v1\` mean the same.
`

const common = `## The agent to connect to

Most commands connect to an agent over HTTP. These are the connection options:

| Option | Variables | Meaning | Default |
|---|---|---|---|
| \`--http-addr <address>\` | \`SVCD_HTTP_ADDR\`, \`CONSUL_HTTP_ADDR\` | The agent to connect to: host:port or a URL. | \`127.0.0.1:8500\` |
| \`--token <token>\` | \`SVCD_HTTP_TOKEN\`, \`CONSUL_HTTP_TOKEN\` | The token to send with every request. | none |
| \`--token-file <path>\` | \`SVCD_HTTP_TOKEN_FILE\`, \`CONSUL_HTTP_TOKEN_FILE\` | A file that contains the token. | none |
| \`--ca-file <path>\` | \`SVCD_CACERT\`, \`CONSUL_CACERT\` | A PEM file with the authorities to trust for https://. | those of the system |
| \`--client-cert <path>\`, \`--client-key <path>\` | \`SVCD_CLIENT_CERT\`, \`SVCD_CLIENT_KEY\`, \`CONSUL_CLIENT_CERT\`, \`CONSUL_CLIENT_KEY\` | PEM files with a certificate to show to the agent, and its key. | none |
| \`--tls-server-name <name>\` | \`SVCD_TLS_SERVER_NAME\`, \`CONSUL_TLS_SERVER_NAME\` | The name in the agent's certificate. | the host of the address |

An option overrides the variables. If several variables are set, svcd's own overrides Consul's, and a token overrides a
token file.

The address may be an \`https://\` URL, for example that of a reverse proxy. If its certificate comes from an authority of
your own, name a PEM file with that authority in \`-ca-file\` or in the variable \`SVCD_CACERT\`. [tls.md](tls.md) has more:

\`\`\`sh
SVCD_CACERT=/etc/ssl/our-ca.pem svcd status -http-addr https://svcd.example.com
\`\`\`

## Output

A command prints its result to standard output, and everything else to standard error. With \`--json\` it prints the
result as JSON. Commands that print lists also have these output options:

| Option | Meaning |
|---|---|
| \`-o table\` | A table. This is the default. |
| \`-o wide\`, \`--wide\` | A table with more columns, not cut to the width of the terminal. |
| \`-o json\`, \`--json\` | JSON. |
| \`-o yaml\` | YAML. |
| \`-o name\` | One name per line, for scripts. |

On a terminal, svcd cuts a table to the width of the window and colours each status. \`NO_COLOR=1\` turns colours off. In
a pipe, nothing is cut or coloured, and times are shown in full.

The column "Since" shows when a check last changed its status or its output. The check has had its status at least
since then. \`before …\` means that the change is older than the cluster remembers. A cluster remembers 10,000 changes, and
at least 10 minutes.

## Exit code

| Code | Meaning |
|---|---|
| 0 | The command succeeded. |
| 1 | The command was refused or failed. |
| 2 | svcd could not reach an agent or a DNS server. \`svcd members\` also exits with 2 if no server matches. |

## Completion

Completion knows the commands, their options, and the names of registered services and nodes.

| Shell | To install |
|---|---|
| bash | Add \`source <(svcd completion bash)\` to \`~/.bashrc\`. |
| zsh | Add \`source <(svcd completion zsh)\` to \`~/.zshrc\`, after \`compinit\`. |
| fish | Run \`svcd completion fish > ~/.config/fish/completions/svcd.fish\`. |
`
