import { defaultText } from './flags.ts'
import { allowedText, type ConsulKey } from './consul-key.ts'
import { consulFlags, consulKeys } from './consul-keys.ts'
import { envName, optionGroups, type OptionRow } from './option-row.ts'
import { optionNames, optionRow } from './options.ts'

const intro = `# Configuration

Every option of \`svcd agent\`. It can be given as a flag, as an environment variable, or as a key of a
JSON file named with \`-config-file\`. A flag beats the environment, the environment beats files, a
later file beats an earlier one, and files beat the defaults. \`-flag\` and \`--flag\` are the same.

The keys of a file are Consul's wherever Consul has the option, in any case; a key that svcd does not know is an
error that names it, and all errors are shown at once. An empty file is ignored. HCL is not read. Nested keys are written with a dot below: \`ports.dns\` is
\`{"ports": {"dns": 8600}}\`. An environment variable that is set but empty counts as not set.

Durations are a number and a unit: \`500ms\`, \`10s\`, \`1m30s\`, \`2h\`. TTLs are whole seconds.
`

const outro = `
## Example

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

## Variables of the other commands

| variable | for |
|---|---|
| \`SVCD_HTTP_ADDR\` | the agent that commands ask, as \`-http-addr\` (default 127.0.0.1:8500) |
| \`CONSUL_HTTP_ADDR\` | the same, where \`SVCD_HTTP_ADDR\` is not set |
| \`SVCD_DNS_ADDR\` | the DNS server that \`svcd resolve\` asks, as \`-dns-addr\` (default 127.0.0.1:8600) |
| \`SVCD_DOMAIN\` | the domain with which \`svcd resolve\` completes short names (default consul) |
`

/** docs/config.md, made from the options table; a test holds the file equal to it. */
export function optionsPage(): string {
  const names = optionNames.filter((name) => optionRow(name).hidden !== true)
  const sections = optionGroups.map((group) => {
    const rows = names.map(optionRow).filter((row) => row.group === group)
    return [
      `\n## ${group}\n`,
      '| flag | variable | file key | type | default | |',
      '|---|---|---|---|---|---|',
      ...rows.map(tableRow),
      '',
    ].join('\n')
  })
  return [intro, ...sections, consulTable(), outro].join('')
}

const consulIntro = `
## Consul's keys that are not options of svcd

svcd accepts Consul's files and flags if they only ask for features that svcd has. Empty values (\`null\`, \`""\`, \`[]\`,
\`{}\`) and the values of the second column are taken without a word. Any other value is either taken with a line in the
log, because it tunes what svcd does otherwise, or refused, because it asks for a feature that svcd does not have. All
that is refused is named at once; \`svcd validate\` shows it without starting an agent. A key stands for all that is below
it. \`bootstrap\` is \`bootstrap_expect\` 1 and \`start_join\` is \`retry_join\`; one of those addresses with the port of
Consul's gossip (8301, or \`ports.serf_lan\`) is dialled at the port of the servers.

| file key | flag | taken as it is | other values | because |
|---|---|---|---|---|
`

function consulTable(): string {
  const rows = Object.entries(consulKeys)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, row]) => {
      const flags = Object.entries(consulFlags).filter(([, flag]) => flag.key === key)
      const flag = flags.map(([name]) => `\`-${name}\``).join(' ')
      const others = row.value === 'any' ? '' : row.isTaken === true ? 'taken, logged' : 'refused'
      return `| \`${key}\` | ${flag} | ${quietText(row)} | ${others} | ${row.reason} |`
    })
  return `${consulIntro}${rows.join('\n')}\n`
}

function quietText({ value, isSwitched }: ConsulKey): string {
  if (isSwitched === true) return '`enabled` not true'
  if (value === undefined) return ''
  return value === 'any' ? 'anything' : `\`${allowedText(value)}\``
}

function tableRow(row: OptionRow): string {
  const file = row.file === undefined ? '' : `\`${row.file}\``
  const cells = [`\`-${row.flag}\``, `\`${envName(row)}\``, file, typeText(row), defaultText(row)]
  return `| ${[...cells, row.description].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function typeText(row: OptionRow): string {
  switch (row.kind) {
    case 'boolean':
      return 'true or false'
    case 'string':
      return 'text'
    case 'strings':
      return 'texts'
    case 'integer':
      return `${row.min} to ${row.max}`
    case 'choice':
      return row.choices.join(', ')
    case 'seconds':
      return 'duration'
    case 'seconds-by-name':
      return 'durations by name'
    case 'texts-by-name':
      return 'texts by name'
  }
}
