import { commands } from '../../src/cli/commands.ts'
import { run } from '../../src/cli/run.ts'

/** docs/cli.md as the commands' own help has it. */
export async function cliPage(): Promise<string> {
  const parts: string[] = []
  for (const name of Object.keys(commands)) {
    // Its options are docs/config.md.
    if (name === 'agent' || name.startsWith('services ')) continue
    const lines = (await helpOf(name)).trimEnd().split('\n')
    parts.push(`## svcd ${name}\n\n\`\`\`\n${lines.join('\n')}\n\`\`\`\n`)
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

Completion of commands, options and registered names: \`source <(svcd completion bash)\` in \`~/.bashrc\`, the same with
\`zsh\` in \`~/.zshrc\`, or \`svcd completion fish > ~/.config/fish/completions/svcd.fish\`.
`
