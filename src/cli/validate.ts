import { hostname } from 'node:os'
import type { Command } from 'commander'
import { svcdError } from '../base/errors.ts'
import type { ConfigFile } from '../config/config-file.ts'
import type { Config } from '../config/options.ts'
import { readConfig } from '../config/parse.ts'
import { visible } from '../base/invisible.ts'
import { pemFaults } from '../process/pem-files.ts'
import type { Io } from './io.ts'
import { addExamples, newCommand, printJson } from './new-command.ts'

interface ValidateOptions {
  readonly quiet?: boolean
  readonly json?: boolean
}

export function validateCommand(io: Io): Command {
  const command = newCommand(
    'validate',
    'Check files with options, services and checks without starting an agent. In a directory it reads all files ' +
      'that end in .json, as `svcd agent -config-dir` does. It also reads the certificates and keys that options name, so ' +
      'run it as the user that the agent runs as.',
    io,
  )
    .argument('<path...>', 'The files and directories to check.')
    .option('--quiet', 'Print nothing if the configuration is valid.')
    .option('--json', 'Print JSON.')
    .action(async (paths: readonly string[], options: ValidateOptions) => {
      const { loadDefinitionFiles } = await import('../agent/files/files.ts')
      const { findingText } = await import('../agent/files/document.ts')
      const { services, checks, options: files, findings } = await loadDefinitionFiles(paths)
      const { problems, notices } = optionsIn(files)
      const errors = findings.filter(({ severity }) => severity === 'error')
      const count = errors.length + problems.length
      if (options.json === true) {
        const counts = { services: services.length, checks: checks.length }
        printJson(io, { valid: count === 0, ...counts, findings, options: problems, notices })
      } else {
        for (const finding of findings) {
          const warning = finding.severity === 'warning' ? 'warning: ' : ''
          io.err(`${warning}${visible(findingText(finding))}\n`)
        }
        for (const problem of problems) io.err(`${problem}\n`)
        for (const notice of notices) io.err(`warning: ${notice}\n`)
      }
      if (count > 0) throw svcdError('config-invalid', { count })
      if (options.quiet !== true && options.json !== true) io.out('Configuration is valid!\n')
    })
  return addExamples(command, ['svcd validate /etc/svcd.d', 'svcd validate web.json api.json'])
}

function pemFaultsOf({ peerTls, checks, https, dnsTls }: Config): ReturnType<typeof pemFaults> {
  return pemFaults(peerTls, checks, https, dnsTls)
}

// Files with only services do not have to contain the data directory of the agent.
const leftToFlags = {
  path: 'the command line',
  content: { server: true, data_dir: '/var/lib/svcd' },
}

/** What the agent would report about the options in these files. */
function optionsIn(files: readonly ConfigFile[]): {
  readonly problems: readonly string[]
  readonly notices: readonly string[]
} {
  const sources = { flags: {}, env: {}, files: [leftToFlags, ...files], hostName: hostname() }
  const { config, problems, notices } = readConfig(sources)
  const faults = config === undefined ? problems : pemFaultsOf(config)
  return { problems: faults.map(({ message }) => message), notices }
}
