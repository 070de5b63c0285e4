import { setTimeout as delay } from 'node:timers/promises'
import { Option, type Command } from 'commander'
import { refusedStatus, type Client } from '../client/client.ts'
import { SvcdError } from '../base/errors.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import { addExamples, addReadOptions, collect, newCommand } from './new-command.ts'
import { consulTarget } from './watch-consul.ts'
import { changePrinter, indentedPrinter, jsonPrinter, type Show } from './watch-print.ts'
import { Runs } from './watch-runs.ts'
import { watchTarget, type WatchOptions, type WatchTarget } from './watch-target.ts'

const retryMsMin = 250
const retryMsMax = 5000

export function watchCommand(io: Io): Command {
  const command = newCommand(
    'watch',
    'Print the current state, then each change as it happens, until you press Ctrl-C. If the agent becomes ' +
      'unreachable, it reconnects and shows what changed in that time. Each line starts with the time, then + for an ' +
      'addition, - for a removal or ~ for a change. With --json each line is the whole state. If you give a command, svcd ' +
      'runs it instead, at the start and at each change, with the state as JSON on standard input.',
    io,
  )
    .argument(
      '[command...]',
      'The command to run, with its arguments. Its environment has CONSUL_INDEX, the index of the state.',
    )
    .option('--service <name>', 'Watch the instances of this service; with --checks, its checks.')
    .option('--services', 'Watch the names and tags of all services.')
    .option('--nodes', 'Watch all nodes.')
    .option('--node <name>', 'Watch the services of this node; with --checks, its checks.')
    .option('--checks', 'Watch all checks.')
    .option('--key <key>', 'Watch this key.')
    .option('--prefix <prefix>', 'Watch the keys that begin with this prefix.')
    .option(
      '--event <name>',
      'Watch user events of this name. A command gets only events that are fired from now on.',
    )
    .option('--events', 'Watch user events of all names.')
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
    .action(async (words: readonly string[], options: WatchOptions) => watch(words, options, io))
  addCommandOptions(command)
  addConsulOptions(command)
  addReadOptions(command, `'"v1" in Service.Tags' (with --service)`)
  return addExamples(command, [
    'svcd watch --service web',
    'svcd watch --service web --passing --tag v1 --json',
    'svcd watch --checks --state critical',
    "svcd watch --key config/db/port -- 'jq -r .Value | base64 -d > port'",
    'svcd watch --event deploy --no-shell -- ./deploy --fast',
    'svcd watch -type key -key config/db/port',
  ])
}

function addCommandOptions(command: Command): void {
  const group = 'Command options:'
  const options: readonly (readonly [string, string])[] = [
    [
      '--shell',
      'Run the command with a shell: that of the variable SHELL, or /bin/sh. (default: true)',
    ],
    ['--no-shell', 'Run the command without a shell; each argument stays one argument.'],
    [
      '--exit-on-failure',
      'End with exit code 1 if the command fails. (default: report it, and run it at the next change)',
    ],
  ]
  for (const [flags, text] of options) command.addOption(new Option(flags, text).helpGroup(group))
}

function addConsulOptions(command: Command): void {
  const group = "Options of Consul's form:"
  const options: readonly (readonly [string, string])[] = [
    [
      '--type <type>',
      "What to watch, in Consul's form: key, keyprefix, services, nodes, service, checks or event. Without a command, " +
        'print the current state as JSON, and end.',
    ],
    ['--name <name>', 'With --type event: the name of the event.'],
    ['--passingonly <bool>', 'With --type service: only instances whose checks all pass.'],
  ]
  for (const [flags, text] of options) command.addOption(new Option(flags, text).helpGroup(group))
}

/** Rejects if the first attempt finds no agent, if the agent refuses, or if the command fails and that ends it. */
async function watch(words: readonly string[], options: WatchOptions, io: Io): Promise<void> {
  const isConsuls = options.type !== undefined
  const target = isConsuls ? consulTarget(options) : watchTarget(options)
  const client = await agentClient(options, io)
  const [stopped, terminated] = [new AbortController(), new AbortController()]
  io.onInterrupt?.((signal) => {
    stopped.abort()
    // A terminal sends Ctrl-C to the command, too.
    if (signal === 'SIGTERM') terminated.abort()
  })
  if (words.length === 0) {
    const stop = (): void => stopped.abort()
    const show = isConsuls
      ? once(indentedPrinter(target.kind, io), stop)
      : printer(target, options, io)
    return follow(client, target, { io, stopped: stopped.signal, show })
  }
  let failure: Error | undefined
  const isOfEvents = target.kind === 'event'
  const { shell = true, exitOnFailure = false } = options
  const runs = new Runs(
    {
      words,
      hasShell: shell,
      exitsOnFailure: exitOnFailure,
      isOfEvents,
      terminated: terminated.signal,
    },
    io,
    (error) => {
      failure = error
      stopped.abort()
    },
  )
  const offer: Show = (seen) => runs.offer(seen)
  // Old events have had their effect. Consul's form has them nevertheless.
  const show = isOfEvents && !isConsuls ? butFirst(offer) : offer
  try {
    await follow(client, target, { io, stopped: stopped.signal, show })
  } finally {
    await runs.end()
  }
  if (failure !== undefined) throw failure
}

function printer({ kind }: WatchTarget, { json }: WatchOptions, io: Io): Show {
  return json === true ? jsonPrinter(io) : changePrinter(kind, io)
}

function once(show: Show, stop: () => void): Show {
  return (seen) => {
    show(seen)
    stop()
  }
}

function butFirst(show: Show): Show {
  let isFirst = true
  return (seen) => {
    if (!isFirst) show(seen)
    isFirst = false
  }
}

interface Following {
  readonly io: Io
  readonly stopped: AbortSignal
  readonly show: Show
}

/** Shows each state, over lost connections, until it is stopped. */
async function follow(
  client: Client,
  { kind, path }: WatchTarget,
  { io, stopped, show }: Following,
): Promise<void> {
  let wasConnected = false
  let retryMs = retryMsMin
  // Events that were seen must not come again. A state may, because only its changes are shown.
  let since = ''
  while (!stopped.aborted) {
    let isConnected = false
    const opened = (): void => {
      if (wasConnected) io.err('svcd: Reconnected.\n')
      isConnected = wasConnected = true
    }
    try {
      for await (const seen of client.stream(`watch/${path}${since}`, stopped, opened)) {
        if (kind === 'event') since = `${path.includes('?') ? '&' : '?'}index=${seen.id}`
        show(seen)
        if (stopped.aborted) return
      }
    } catch (error) {
      if (!stopped.aborted && (!wasConnected || isRefusal(error))) throw error
    }
    if (stopped.aborted) return
    if (isConnected) {
      io.err('svcd: Lost the connection to the agent; svcd keeps trying to reconnect.\n')
      retryMs = retryMsMin
    }
    await delay(retryMs, undefined, { signal: stopped }).catch(() => {})
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
