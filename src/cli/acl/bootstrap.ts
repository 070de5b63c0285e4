import type { Command } from 'commander'
import type { Io } from '../io.ts'
import { addExamples, newCommand } from '../new-command.ts'
import { outputFormat } from '../output.ts'
import { aclClient, addAclOptions, outputOptions, printOne } from './acl-options.ts'
import type { AclOptions } from './acl-options.ts'
import { tokenText } from './acl-text.ts'

export function aclBootstrapCommand(io: Io): Command {
  const command = newCommand(
    'acl bootstrap',
    'Create the first token of a cluster. It may do everything. This works once. ' +
      'To do it again, write the index from the error text to acl-bootstrap-reset in the data directory of the server that you ask.',
    io,
  ).action(async (options: AclOptions) => {
    const format = outputFormat(outputOptions(options))
    const token = await (await aclClient(options, io)).bootstrap()
    const text = tokenText(token, options.meta)
    await printOne(io, options, { data: token, name: token.AccessorID, text })
    if (format === 'table' || format === 'wide') io.err(keepIt)
  })
  addAclOptions(command)
  return addExamples(command, [
    'svcd acl bootstrap',
    "export SVCD_HTTP_TOKEN=$(svcd acl bootstrap -o json | jq -r '.SecretID')",
  ])
}

const keepIt =
  'Save the SecretID: svcd stores only its hash. Set SVCD_HTTP_TOKEN to it for the next commands.\n'
