import { posix } from 'node:path'
import { Option, type Command } from 'commander'
import { svcdError } from '../../base/errors.ts'
import { KvClient } from '../../client/kv.ts'
import { HeldSession } from '../../client/locks/held-session.ts'
import type { Lock } from '../../client/locks/lock.ts'
import { Mutex } from '../../client/locks/mutex.ts'
import { Semaphore } from '../../client/locks/semaphore.ts'
import { SessionClient } from '../../client/session.ts'
import { agentClient } from '../agent-client.ts'
import type { Io } from '../io.ts'
import { addClientOptions, addExamples, newCommand } from '../new-command.ts'
import { holdWhileRunning, Interrupts } from './hold.ts'
import { duration, prefixOf, timeoutOf, whole, type LockOptions } from './lock-options.ts'

/** As in Consul: the key that mutex and semaphore share, so that one prefix cannot be both. */
const lockKey = '.lock'
const requestMsMax = 10_000

export function lockCommand(io: Io): Command {
  const command = newCommand(
    'lock',
    'Wait for a lock, run a command while the lock is held, and release the lock when the command ends. If the lock ' +
      'is lost, the command gets SIGTERM, and SIGKILL after 5 seconds. With -n, up to that many commands run at the same time. ' +
      '`consul lock` uses the same locks.',
    io,
  )
    .argument(
      '<prefix>',
      'The prefix of the keys of the lock. Programs with the same prefix exclude each other.',
    )
    .argument('<command...>', 'The command, with its options and arguments.')
    .passThroughOptions()
    .addOption(new Option('-n <count>', 'How many commands may run at the same time.').default('1'))
    .option('--timeout <duration>', 'How long to wait for the lock. (default: as long as it takes)')
    .addOption(
      new Option('--try <duration>', 'Same as --timeout, an older name in Consul.').hideHelp(),
    )
    .option(
      '--name <text>',
      'The name of the session. (default: made of the command and the prefix)',
    )
    .option(
      '--child-exit-code',
      'Exit with code 2 if the command fails. Without this option, the exit code is 0 then, too.',
    )
    .option('--pass-stdin', 'Pass standard input to the command.')
    .addOption(
      new Option(
        '--monitor-retry <count>',
        'How many requests in a row may fail, one second apart, before the lock counts as lost.',
      ).default('3'),
    )
    .addOption(
      new Option('--ttl <duration>', 'The TTL of the session, at least 10s.').default('15s'),
    )
    .addOption(
      new Option(
        '--lock-delay <duration>',
        'How long no other session gets the lock after this session was lost, at most 60s.',
      ).default('15s'),
    )
    .addOption(new Option('--shell', 'Run the command with a shell.').hideHelp())
    .option(
      '--no-shell',
      'Run the command directly. (default: with the shell in $SHELL, or /bin/sh)',
    )
    .option('--verbose', 'Print what happens on standard error.')
    .action(async (prefix: string, child: readonly string[], options: LockOptions) =>
      runLocked(prefix, child[0] === '--' ? child.slice(1) : child, options, io),
    )
  addClientOptions(command)
  return addExamples(command, [
    'svcd lock cron/backup ./backup.sh',
    'svcd lock -timeout 1s cron/backup ./backup.sh',
    'svcd lock -n 3 jobs/convert ./convert.sh',
    'svcd lock -no-shell leader/worker /usr/bin/worker --port 8080',
  ])
}

async function runLocked(
  given: string,
  command: readonly string[],
  options: LockOptions,
  io: Io,
): Promise<void> {
  const limit = whole(options.n, '-n', 1)
  const monitorRetries = whole(options.monitorRetry, '--monitor-retry', 0)
  const timeoutMs = timeoutOf(options)
  const ttlMs = duration(options.ttl, '--ttl')
  const lockDelayMs = duration(options.lockDelay, '--lock-delay')
  const prefix = prefixOf(given)
  if (limit > 1 && prefix === '') throw svcdError('usage', { reason: 'The prefix is empty.' })
  const client = await agentClient(options, io, { timeoutMs: requestMsMax })
  const kv = new KvClient(client)
  const name = options.name ?? `svcd lock for '${command.join(' ')}' at '${prefix}'`
  // A contender of a semaphore is a key of its session, which goes with it.
  const behavior = limit > 1 ? 'delete' : 'release'
  const interrupts = new Interrupts(io)
  const session = await HeldSession.create(new SessionClient(client), {
    name,
    ttlMs,
    lockDelayMs,
    behavior,
  })
  const key = posix.join(prefix, lockKey)
  const lock: Lock =
    limit > 1
      ? new Semaphore(kv, { prefix, key, limit }, session, monitorRetries)
      : new Mutex(kv, key, session, monitorRetries)
  const shell = options.shell === false ? undefined : io.env['SHELL'] || '/bin/sh'
  await holdWhileRunning({ lock, session, interrupts, timeoutMs }, { command, shell, options }, io)
}
