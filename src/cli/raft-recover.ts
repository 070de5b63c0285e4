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
    'Turn a stopped server into a new single-server cluster. Use it only if a majority of the servers is lost ' +
      'permanently. Writes that the lost servers acknowledged and this server never received are lost.',
    io,
  )
    .option('--data-dir <path>', 'The data directory of the server with the most complete log.')
    .option(
      '--address <address>',
      'The new address of the server for other servers: host:port. (default: unchanged)',
    )
    .option('--force', 'Recover even if a majority of the servers still answers.')
    .option('--json', 'Print JSON.')
    .action(async (options: RecoverOptions) => {
      const { dataDir, address } = options
      if (dataDir === undefined) {
        throw svcdError('usage', { reason: 'Give the data directory with --data-dir.' })
      }
      const { recoverCluster } = await import('../replica/offline/recover.ts')
      const { assertQuorumLost } = await import('../replica/offline/quorum-lost.ts')
      if (options.force !== true) await assertQuorumLost(dataDir)
      const recovery = recoverCluster(dataDir, { address })
      if (options.json === true) return printJson(io, recovery)
      const { id, address: at, lastIndex, adopted, epoch, dropped } = recovery
      io.out(
        `Server ${id} at ${at} is now the only member (last entry ${lastIndex}, epoch ${epoch}).\n` +
          `Entries committed that were not known to be committed: ${adopted}.\n` +
          `Servers removed from the cluster: ${dropped.length === 0 ? 'none' : dropped.join(', ')}.\n` +
          'Start this server. Before another server joins it again, empty the data directory of that server.\n',
      )
    })
  return addExamples(command, ['svcd operator raft recover -data-dir /var/lib/svcd'])
}
