import type { Command } from 'commander'
import { svcdError } from '../base/errors.ts'
import type { Io } from './io.ts'
import { addExamples, newCommand, printJson } from './new-command.ts'

interface RecoverOptions {
  readonly dataDir?: string
  readonly address?: string
  readonly force?: boolean
  readonly json?: boolean
}

export function recoverCommand(io: Io): Command {
  const command = newCommand(
    'operator raft recover',
    'Make a stopped server a cluster of its own. Only for when most servers are lost for good:\n' +
      'what they acknowledged and this one never got is lost with them.',
    io,
  )
    .option('--data-dir <path>', 'The data directory of the server that has the most of the log.')
    .option('--address <address>', 'Its host:port for others. (default: as before)')
    .option('--force', 'Even though a majority of the servers answers.')
    .option('--json', 'Print JSON.')
    .action(async (options: RecoverOptions) => {
      const { dataDir, address } = options
      if (dataDir === undefined) {
        throw svcdError('usage', { reason: 'Name the data directory with --data-dir.' })
      }
      const { recoverCluster } = await import('../node/recover.ts')
      const { assertQuorumLost } = await import('../node/quorum-lost.ts')
      if (options.force !== true) await assertQuorumLost(dataDir)
      const recovery = recoverCluster(dataDir, { address })
      if (options.json === true) return printJson(io, recovery)
      const { id, address: at, lastIndex, adopted, epoch, dropped } = recovery
      io.out(
        `Server ${id} at ${at} is the only member now (entry ${lastIndex}, epoch ${epoch}).\n` +
          `${adopted} entries that it did not know to be committed are committed.\n` +
          `No members any more: ${dropped.length === 0 ? 'none' : dropped.join(', ')}.\n` +
          'Start it. Empty the data directories of the others before they join it again.\n',
      )
    })
  return addExamples(command, ['svcd operator raft recover -data-dir /var/lib/svcd'])
}
