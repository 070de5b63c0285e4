import { setTimeout as delay } from 'node:timers/promises'
import { Option, type Command } from 'commander'
import { refusedStatus, type Client } from '../client/client.ts'
import { visibleJson } from '../base/invisible.ts'
import { SvcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import { addExamples, addReadOptions, collect, newCommand } from './new-command.ts'
import { changeLines } from './watch-changes.ts'
import { watchTarget, type WatchOptions, type WatchTarget } from './watch-target.ts'
import { rowsOf, type Rows, type WatchedKind } from './watched-rows.ts'

const retryMsMin = 250
const retryMsMax = 5000

export function watchCommand(io: Io): Command {
  const command = newCommand(
    'watch',
    'Print the current state, then each change as it happens, until you press Ctrl-C. If the agent becomes ' +
      'unreachable, it reconnects and shows what changed in that time. Each line starts with the time, then + for an ' +
      'addition, - for a removal or ~ for a change. With --json each line is the whole state.',
    io,
  )
    .option('--service <name>', 'Watch the instances of this service; with --checks, its checks.')
    .option('--services', 'Watch the names and tags of all services.')
    .option('--nodes', 'Watch all nodes.')
    .option('--node <name>', 'Watch the services of this node; with --checks, its checks.')
    .option('--checks', 'Watch all checks.')
    .option(
      '--state <state>',
      'With --checks, watch only checks in this state: passing, warning or critical.',
    )
    .option('--passing', 'With --service, watch only instances whose checks all pass.')
    .addOption(
      new Option(
        '--tag <tag>',
        'With --service, watch only instances with this tag. Repeatable.',
      ).argParser(collect),
    )
    .action(async (options: WatchOptions) => {
      const target = watchTarget(options)
      await watch(await agentClient(options, io), target, options.json === true, io)
    })
  addReadOptions(command, `'"v1" in Service.Tags' (with --service)`)
  return addExamples(command, [
    'svcd watch --service web',
    'svcd watch --service web --passing --tag v1 --json',
    'svcd watch --services',
    'svcd watch --checks --state critical',
  ])
}

/** Rejects if the first attempt finds no agent, or if the agent refuses; otherwise runs without an end. */
async function watch(client: Client, target: WatchTarget, json: boolean, io: Io): Promise<void> {
  const interrupted = new AbortController()
  io.onInterrupt?.(() => interrupted.abort())
  const show = json ? jsonPrinter(io) : changePrinter(target.kind, io)
  const isOver = (): boolean => interrupted.signal.aborted
  let wasConnected = false
  let retryMs = retryMsMin
  while (!isOver()) {
    let isConnected = false
    try {
      for await (const { index, data } of client.watch(target.path, interrupted.signal)) {
        if (wasConnected && !isConnected) io.err('svcd: Reconnected.\n')
        isConnected = wasConnected = true
        show(index, data)
      }
    } catch (error) {
      if (!isOver() && (!wasConnected || isRefusal(error))) throw error
    }
    if (isOver()) return
    if (isConnected) {
      io.err('svcd: Lost the connection to the agent; svcd keeps trying to reconnect.\n')
      retryMs = retryMsMin
    }
    await delay(retryMs, undefined, { signal: interrupted.signal }).catch(() => {})
    retryMs = Math.min(2 * retryMs, retryMsMax)
  }
}

/** A request that the agent refused will be refused again; without a leader it may succeed later. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof SvcdError)) return true
  if (error.code !== 'agent-refused') return error.code !== 'agent-unreachable'
  const status = refusedStatus(error) ?? 0
  return status >= 400 && status < 500
}

type Show = (index: number, data: unknown) => void

function changePrinter(kind: WatchedKind, io: Io): Show {
  let before: Rows = new Map()
  return (_index, data) => {
    const after = rowsOf(kind, data)
    const time = new Date().toISOString()
    for (const line of changeLines(before, after)) io.out(`${time} ${line}\n`)
    before = after
  }
}

function jsonPrinter(io: Io): Show {
  let shown = ''
  return (index, data) => {
    const text = JSON.stringify(data)
    // After a reconnect, the agent usually sends a state that was shown already.
    if (text !== shown) io.out(`{"index":${index},"data":${visibleJson(text)}}\n`)
    shown = text
  }
}
