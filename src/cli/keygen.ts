import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import type { Io } from './io.ts'
import { addExamples, newCommand, printJson } from './new-command.ts'

const keyBytes = 32

export function keygenCommand(io: Io): Command {
  const command = newCommand(
    'keygen',
    'Generate a cluster secret, which all servers of a cluster share: 32 random bytes in base64. Run it once, ' +
      'and start every server with the same key in -encrypt.',
    io,
  )
    .option('--json', 'Print JSON.')
    .action(({ json }: { json?: boolean }) => {
      const key = randomBytes(keyBytes).toString('base64')
      if (json === true) printJson(io, { key })
      else io.out(`${key}\n`)
    })
  return addExamples(command, [
    'svcd keygen > cluster.key',
    'svcd agent -server … -encrypt "$(cat cluster.key)"',
  ])
}
