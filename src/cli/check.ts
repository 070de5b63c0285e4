import type { Command } from 'commander'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'
import { ttlChecksOf } from './ttl-checks.ts'

interface CheckOptions extends ClientOptions {
  readonly note?: string
}

type Verb = 'pass' | 'warn' | 'fail'

const statusOf: Readonly<Record<Verb, string>> = {
  pass: 'passing',
  warn: 'warning',
  fail: 'critical',
}

const summaries: Readonly<Record<Verb, string>> = {
  pass: 'Report a TTL check as passing. It stays passing until its TTL expires.',
  warn: 'Report a TTL check as warning. Its service stays in DNS answers, with its weight for warnings.',
  fail: 'Report a TTL check as critical. Its service leaves DNS answers until the check passes again.',
}

export const checkPassCommand = (io: Io): Command => reportCommand('pass', io)
export const checkWarnCommand = (io: Io): Command => reportCommand('warn', io)
export const checkFailCommand = (io: Io): Command => reportCommand('fail', io)

function reportCommand(verb: Verb, io: Io): Command {
  const command = newCommand(`check ${verb}`, summaries[verb], io)
    .argument(
      '<id>',
      'The ID of a TTL check, or the ID of a service to report all of its TTL checks.',
    )
    .option('--note <text>', 'A text to show as the output of the check.')
    .action(async (id: string, options: CheckOptions) => {
      const client = await agentClient(options, io)
      const checks = await ttlChecksOf(client, id)
      for (const { CheckID } of checks) await client.reportCheck(verb, CheckID, options.note)
      const status = statusOf[verb]
      const reported = checks.map(({ CheckID }) => ({ id: CheckID, status }))
      if (options.json === true) printJson(io, reported)
      else for (const { id: checkId } of reported) io.out(`Check ${checkId} is now ${status}\n`)
    })
  addClientOptions(command)
  return addExamples(command, [
    `svcd check ${verb} web-1`,
    `svcd check ${verb} service:web-1 --note "${notes[verb]}"`,
  ])
}

const notes: Readonly<Record<Verb, string>> = {
  pass: '12 jobs done',
  warn: 'the queue is long',
  fail: 'the database is down',
}
