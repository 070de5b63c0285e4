import type { Command } from 'commander'
import { version } from '../base/version.ts'
import type { Io } from './io.ts'
import { addExamples, newCommand, printJson } from './new-command.ts'

export function versionCommand(io: Io): Command {
  const command = newCommand('version', 'Print the versions of svcd and Node.js.', io)
    .option('--json', 'Print JSON.')
    .action(({ json }: { json?: boolean }) => {
      if (json === true) printJson(io, { version, node: process.versions.node })
      else io.out(`svcd ${version}\nNode ${process.versions.node}\n`)
    })
  return addExamples(command, ['svcd version', 'svcd version --json'])
}
