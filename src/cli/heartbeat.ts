import { setTimeout as delay } from 'node:timers/promises'
import { Option, type Command } from 'commander'
import type { CheckEntry } from '../client/rows.ts'
import { refusedStatus, type Client } from '../client/client.ts'
import { formatDuration, parseDuration } from '../base/duration.ts'
import { svcdError, SvcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'
import { ttlChecksOf, ttlMsOf } from './ttl-checks.ts'

interface HeartbeatOptions extends ClientOptions {
  readonly every?: string
  readonly note?: string
  readonly onExit: string
}

/** An agent that does not answer must not delay the next report. */
const reportMsMax = 5000
const everyMsDefault = 10_000

export function heartbeatCommand(io: Io): Command {
  const command = newCommand(
    'heartbeat',
    'Report TTL checks as passing, immediately and then repeatedly, until you press Ctrl-C. If the agent becomes ' +
      'unreachable, it keeps trying. Run it next to a service that cannot report its own health.',
    io,
  )
    .argument('<id>', 'The ID of a service, to report all of its TTL checks, or of a check.')
    .option('--every <duration>', 'How often to report. (default: a third of the TTL)')
    .option('--note <text>', 'A text to show as the output of the check.')
    .addOption(
      new Option('--on-exit <report>', 'What to report when you stop it.')
        .choices(['fail', 'warn', 'none'])
        .default('none'),
    )
    .action(async (id: string, options: HeartbeatOptions) => {
      const client = await agentClient(options, io, { timeoutMs: reportMsMax })
      const checks = await ttlChecksOf(client, id)
      const everyMs = interval(options.every, checks)
      await beat(client, { ids: checks.map(({ CheckID }) => CheckID), everyMs, options }, io)
    })
  addClientOptions(command)
  return addExamples(command, [
    'svcd heartbeat web-1 --every 10s',
    'svcd heartbeat service:web-1 --on-exit fail',
  ])
}

/** Throws `invalid-option` for an interval that is longer than a TTL. */
function interval(text: string | undefined, checks: readonly CheckEntry[]): number {
  const ttlMs = Math.min(...checks.map((check) => ttlMsOf(check) ?? Number.POSITIVE_INFINITY))
  if (text === undefined) {
    return Number.isFinite(ttlMs) ? Math.max(100, Math.floor(ttlMs / 3)) : everyMsDefault
  }
  const everyMs = parseDuration(text)
  if (everyMs === undefined || everyMs < 10) {
    const reason = `"${text}" is not a duration; write a number with a unit, such as 10s`
    throw svcdError('invalid-option', { option: '--every', reason })
  }
  if (everyMs < ttlMs) return everyMs
  const reason = `the TTL is ${formatDuration(ttlMs)}, so a report every ${text} would be too late; use ${formatDuration(Math.floor(ttlMs / 3))}`
  throw svcdError('invalid-option', { option: '--every', reason })
}

interface Beat {
  readonly ids: readonly string[]
  readonly everyMs: number
  readonly options: HeartbeatOptions
}

/** Rejects when the agent no longer knows a check because it was deregistered. */
async function beat(client: Client, { ids, everyMs, options }: Beat, io: Io): Promise<void> {
  const interrupted = new AbortController()
  io.onInterrupt?.(() => interrupted.abort())
  const { note, onExit } = options
  let isAway = false
  for (let round = 0; !interrupted.signal.aborted; round++) {
    const startedMs = performance.now()
    try {
      for (const id of ids) await client.reportCheck('pass', id, note)
      if (isAway) io.err('svcd: The agent accepts reports again.\n')
      isAway = false
      if (round === 0) announce({ ids, everyMs, options }, io)
    } catch (error) {
      if (round === 0 || !isPassing(error)) throw error
      if (!isAway) io.err(`svcd: ${(error as Error).message} svcd retries.\n`)
      isAway = true
    }
    const leftMs = everyMs - (performance.now() - startedMs)
    await delay(Math.max(0, leftMs), undefined, { signal: interrupted.signal }).catch(() => {})
  }
  if (onExit === 'fail' || onExit === 'warn') {
    for (const id of ids) await client.reportCheck(onExit, id, 'svcd heartbeat was stopped')
  }
}

/** Says, once the first report was accepted, what is reported and how often. */
function announce({ ids, everyMs, options }: Beat, io: Io): void {
  const every = formatDuration(everyMs)
  if (options.json === true) printJson(io, { checks: ids, status: 'passing', every })
  else io.out(`Reporting ${ids.join(', ')} as passing every ${every}\n`)
}

/** Whether the next report may succeed: not if the check does not exist any more. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof SvcdError)) return false
  const status = refusedStatus(error) ?? 500
  return status < 400 || status >= 500
}
