import type { Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { checkDnsName } from '../../config/check.ts'
import type { Io } from '../io.ts'
import { addExamples, collect, newCommand } from '../new-command.ts'
import { daysOf } from './days.ts'

interface CaOptions {
  readonly domain: string
  readonly days: string
  readonly nameConstraint?: boolean
  readonly additionalNameConstraint?: readonly string[]
}

export const caName = { cert: 'svcd-agent-ca.pem', key: 'svcd-agent-ca-key.pem' } as const

export function tlsCaCreateCommand(io: Io): Command {
  const command = newCommand(
    'tls ca create',
    `Create a certificate authority for a cluster: ${caName.cert} and its key ${caName.key} in the current ` +
      'directory. Existing files are never overwritten. Copy the certificate to all machines, and keep the key on ' +
      'none of them: who has it can create certificates of servers.',
    io,
  )
    .option('--domain <name>', 'The domain of the registry, for -name-constraint.', 'consul')
    .option('--days <n>', 'How many days the authority is valid.', '1825')
    .option('--name-constraint', 'Let the authority sign only names in the domain, and localhost.')
    .option(
      '--additional-name-constraint <name>',
      'Let it sign names in this domain, too. Repeatable; it implies -name-constraint.',
      collect,
    )
    .action(async (options: CaOptions) => {
      const domains = domainsOf(options)
      const { createAuthority } = await import('../../pki/authority.ts')
      const { writeNew } = await import('./new-files.ts')
      const days = daysOf(options.days)
      writeNew(caName, createAuthority({ days, domains, nowMs: Date.now() }))
      io.out(`==> Saved ${caName.cert}\n==> Saved ${caName.key}\n`)
    })
  return addExamples(command, ['svcd tls ca create', 'svcd tls ca create -name-constraint'])
}

function domainsOf({
  domain,
  nameConstraint,
  additionalNameConstraint: more = [],
}: CaOptions): readonly string[] | undefined {
  if (nameConstraint !== true && more.length === 0) return undefined
  const names = [
    ['-domain', domain],
    ...more.map((name) => ['-additional-name-constraint', name] as const),
  ] as const
  for (const [option, name] of names) {
    const reason = checkDnsName(name)
    if (reason !== undefined) throw svcdError('invalid-option', { option, reason })
  }
  return [...new Set([domain, 'localhost', ...more])]
}
