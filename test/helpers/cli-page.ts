import { grouped } from '../../src/cli/command-groups.ts'
import { commands } from '../../src/cli/commands.ts'
import { run } from '../../src/cli/run.ts'

/** docs/cli.md as the commands' own help has it. */
export async function cliPage(): Promise<string> {
  const parts: string[] = []
  for (const [group, names] of grouped(Object.keys(commands))) {
    parts.push(`## ${group}\n`)
    for (const name of names) {
      // The options of the agent are docs/config.md; others are another command by another name.
      if (name === 'agent' || name === 'ls' || name.startsWith('services ')) continue
      const lines = (await helpOf(name)).trimEnd().split('\n')
      parts.push(`### svcd ${name}\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n`)
    }
  }
  return `${head}\n${parts.join('\n')}`
}

async function helpOf(name: string): Promise<string> {
  let help = ''
  await run([...name.split(' '), '--help'], {
    out: (text) => void (help += text),
    err: () => {},
    env: {},
    readText: async () => '',
  })
  return help
}

const head = `# The command line

\`svcd COMMAND --help\` prints what stands here; \`svcd agent\` has its options in [config.md](config.md).

Flags are read with one dash or two, \`-tag v1\`, \`--tag=v1\`. An agent is found by \`-http-addr\`, \`SVCD_HTTP_ADDR\`,
\`CONSUL_HTTP_ADDR\`, else at 127.0.0.1:8500; a token is taken from \`-token\`, \`-token-file\`, \`SVCD_HTTP_TOKEN\`,
\`CONSUL_HTTP_TOKEN\`, and the same with \`_FILE\`. Results go to standard output, all else to standard error. The exit
code is 0, or 1 when the command was refused or failed, or 2 when nobody could be asked (for \`members\` also when nothing
matches). \`services register\`, \`services deregister\` and \`catalog …\` are Consul's words, and print what Consul does.

Every list has \`-o\`: \`table\`, \`wide\` (more columns), \`json\`, \`yaml\` or \`name\` (one name a line, for scripts). On a
terminal a table is cut to the width of the window and statuses are coloured; \`--wide\` cuts nothing, \`NO_COLOR=1\` turns
colours off. In a pipe nothing is cut or coloured, and times are shown in full. "Since" is the time of the last change of
a check, of its status or of its output, so the check has had its status at least since then; \`before …\` means that the
change is older than what the cluster remembers (10,000 changes, 10 minutes at least). \`svcd ls\` is short for
\`svcd services\`. The same page for \`man\`: \`man/svcd.1\`.

Completion of commands, options and registered names: \`source <(svcd completion bash)\` in \`~/.bashrc\`, the same with
\`zsh\` in \`~/.zshrc\`, or \`svcd completion fish > ~/.config/fish/completions/svcd.fish\`.
`
