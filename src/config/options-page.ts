import { defaultText, placeholderOf } from './flags.ts'
import { allowedText, type ConsulKey } from './consul-key.ts'
import { consulFlags, consulKeys } from './consul-keys.ts'
import { envName, optionGroups, type OptionRow } from './option-row.ts'
import { optionNames, optionRow } from './options.ts'

const intro = `# Configuration

This page lists every option of \`svcd agent\`. It is for operators who configure an agent, and for users of Consul who
want to know what happens to the keys of their configuration files. For how to run an agent as a service, see
[install.md](install.md).

## How to set an option

You can set an option in three places:

- as a flag: \`svcd agent -data-dir /var/lib/svcd\`. \`-flag\` and \`--flag\` are the same.
- as an environment variable: \`SVCD_DATA_DIR=/var/lib/svcd\`. A variable that is empty counts as not set.
- as a key of a JSON file, which you load with \`-config-file\` or \`-config-dir\`: \`{"data_dir": "/var/lib/svcd"}\`.

If an option is set in several places, a flag overrides a variable, a variable overrides a file, a later file overrides
an earlier one, and a file overrides the default.

An example file for a server, \`/etc/svcd.json\`:

\`\`\`json
{
  "server": true,
  "node_name": "n1",
  "data_dir": "/var/lib/svcd",
  "client_addr": "127.0.0.1 10.0.0.1",
  "ports": { "dns": 8600, "http": 8500 },
  "dns_config": {
    "service_ttl": { "*": "5s", "web": "10s" },
    "soa": { "min_ttl": 5 }
  },
  "log_level": "info"
}
\`\`\`

Check it with \`svcd validate /etc/svcd.json\`, then start the agent with \`svcd agent -config-file /etc/svcd.json\`. If the
configuration has errors, the agent does not start and lists all of them.

### Files

- The keys are those of Consul, for every option that Consul has. Upper and lower case are the same.
- On this page a dot stands for a nested key: \`ports.dns\` is \`{"ports": {"dns": 8600}}\`.
- A key that neither svcd nor Consul knows is an error.
- A file can also contain services and checks: see [checks.md](checks.md).
- An empty file is ignored. HCL is not supported.

### Values

| Value | As a flag or variable | In a file |
|---|---|---|
| true or false | \`-server\` or \`-server=false\`; \`SVCD_SERVER=true\` | \`true\`, \`false\` |
| number | \`-dns-port 53\` | \`53\` |
| duration: a number with a unit (\`ms\`, \`s\`, \`m\`, \`h\`), in whole seconds | \`-dns-node-ttl 1m30s\` | \`"1m30s"\` |
| list | \`-client "127.0.0.1 10.0.0.1"\`, or the flag several times | \`["127.0.0.1", "10.0.0.1"]\`, or one string with spaces |
| value by name | \`-dns-service-ttl web=10s,api=5s\` or \`-node-meta rack=a1\`, or the flag several times | \`{"web": "10s", "api": "5s"}\` |

In \`SVCD_NODE_META\`, separate the pairs with spaces: \`rack=a1 os=linux\`.

In the tables below, the first column has the flag, the variable and the file key of an option. You cannot set an option
without a file key, such as \`-dev\`, in a file.
`

const outro = `
## Variables of the other commands

The other commands of \`svcd\` read these variables. A flag overrides its variable.

| Variable | Flag | Meaning | Default |
|---|---|---|---|
| \`SVCD_HTTP_ADDR\` | \`-http-addr\` | The agent to connect to: host:port or a URL. | \`127.0.0.1:8500\` |
| \`CONSUL_HTTP_ADDR\` | \`-http-addr\` | The same, used if \`SVCD_HTTP_ADDR\` is not set. | |
| \`SVCD_HTTP_TOKEN\` | \`-token\` | The token to send with every request. | none |
| \`CONSUL_HTTP_TOKEN\` | \`-token\` | The same, used if \`SVCD_HTTP_TOKEN\` is not set. | |
| \`SVCD_HTTP_TOKEN_FILE\` | \`-token-file\` | A file that contains the token, used if neither token variable is set. | none |
| \`CONSUL_HTTP_TOKEN_FILE\` | \`-token-file\` | The same, used if \`SVCD_HTTP_TOKEN_FILE\` is not set. | |
| \`SVCD_DNS_ADDR\` | \`-dns-addr\` | The DNS server of \`svcd resolve\` and \`svcd doctor\`: ip:port. | \`127.0.0.1:8600\` |
| \`SVCD_DOMAIN\` | \`-domain\` | The domain that \`svcd resolve\` appends to short names. | \`consul\` |
`

/** docs/config.md, generated from the options table; a test compares the file with it. */
export function optionsPage(): string {
  const names = optionNames.filter((name) => optionRow(name).hidden !== true)
  const sections = optionGroups.map((group) => {
    const rows = names.map(optionRow).filter((row) => row.group === group)
    return [
      `\n## ${headings[group]}\n`,
      '| Option | Default | Meaning |',
      '|---|---|---|',
      ...rows.map(tableRow),
      '',
    ].join('\n')
  })
  return [intro, ...sections, consulTable(), outro].join('')
}

const headings: Readonly<Record<(typeof optionGroups)[number], string>> = {
  Agent: 'Agent options',
  Cluster: 'Cluster options',
  Network: 'Network options',
  DNS: 'DNS options',
  Checks: 'Check options',
  'Access control': 'Access control',
  Limits: 'Limits',
  Logging: 'Logging options',
}

const consulIntro = `
## Consul keys that are not options of svcd

You can start svcd with Consul's configuration files and flags, if they ask only for features that svcd has. The table
lists Consul's keys that svcd accepts but does not use, and those that it refuses:

- A key with an *allowed value*, or with an empty value (\`null\`, \`""\`, \`[]\`, \`{}\`), is accepted without a message.
- With any other value, a key that is *not used* only causes a warning in the log.
- With any other value, a key that is *refused* is an error, because it asks for a feature that svcd does not have. The
  agent does not start. The error message says what to do instead.

A key stands for all keys below it, too. \`svcd validate\` shows all warnings and errors without starting an agent.

svcd translates these settings of Consul:

- \`bootstrap\` means \`bootstrap_expect\` 1.
- \`start_join\` and \`-join\` mean \`retry_join\`.
- \`acl.tokens.master\`, \`acl.tokens.agent_master\`, \`acl_master_token\`, \`acl_agent_master_token\`, \`acl_token\`,
  \`acl_agent_token\` and \`acl_default_policy\` mean the keys of Consul 1.11 and later.
- If an address in \`retry_join\` has the port of Consul's gossip protocol (8301, or \`ports.serf_lan\`), svcd connects to
  the server port instead.

| File key | Flag | Allowed value | Other values | Reason |
|---|---|---|---|---|
`

function consulTable(): string {
  const rows = Object.entries(consulKeys)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, row]) => {
      const flags = Object.entries(consulFlags).filter(([, flag]) => flag.key === key)
      const flag = flags.map(([name]) => `\`-${name}\``).join(' ')
      const others = row.value === 'any' ? '' : row.isTaken === true ? 'not used' : 'refused'
      return `| \`${key}\` | ${flag} | ${quietText(row)} | ${others} | ${row.reason} |`
    })
  return `${consulIntro}${rows.join('\n')}\n`
}

function quietText({ value, isSwitched }: ConsulKey): string {
  if (isSwitched === true) return 'not `"enabled": true`'
  if (value === undefined) return ''
  return value === 'any' ? 'any' : `\`${allowedText(value)}\``
}

function tableRow(row: OptionRow): string {
  const placeholder = placeholderOf(row)
  const flag = `-${row.flag}${placeholder === undefined ? '' : ` <${placeholder}>`}`
  const names = [flag, envName(row), ...(row.file === undefined ? [] : [row.file])]
  const option = names.map((name) => `\`${name}\``).join('<br>')
  const meaning = [markdown(row.description), ...factsOf(row)].join(' ')
  const cells = [option, defaultCell(row), meaning]
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
}

/** What Markdown would read as markup; `_` only at the edge of a word. */
const markup = /[\\*<>[\]]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g

/** Plain text as Markdown: nothing in it is markup, except code in backquotes. */
export function markdown(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll(markup, String.raw`\$&`)))
    .join('')
}

/** A value as code; words as they are. */
function defaultCell(row: OptionRow): string {
  const text = defaultText(row)
  if (text === '') return 'none'
  if (row.defaultText !== undefined) return text
  return text.replaceAll(/[^\s,]+/g, (word) =>
    word === 'or' || word === 'with' ? word : `\`${word}\``,
  )
}

/** What the values may be, and an example. */
function factsOf(row: OptionRow): readonly string[] {
  return [
    ...(row.kind === 'integer' ? [`Range: ${row.min} to ${row.max}.`] : []),
    ...('choices' in row ? [`One of ${row.choices.map((word) => `\`${word}\``).join(', ')}.`] : []),
    ...(row.example === undefined ? [] : [`Example: \`-${row.flag} ${row.example}\`.`]),
  ]
}
