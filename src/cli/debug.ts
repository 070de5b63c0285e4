import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import type { CheckEntry, ServiceEntry } from '../client/rows.ts'
import type { Client } from '../client/client.ts'
import { parseDuration } from '../base/duration.ts'
import { reasonOf, svcdError, SvcdError } from '../base/errors.ts'
import { version } from '../base/version.ts'
import { redact, redactText } from '../config/redact.ts'
import { agentClient } from './agent-client.ts'
import type { Io } from './io.ts'
import {
  addClientOptions,
  addExamples,
  newCommand,
  printJson,
  type ClientOptions,
} from './new-command.ts'

interface DebugOptions extends ClientOptions {
  readonly output?: string
  readonly duration: string
  readonly interval: string
}

export function debugCommand(io: Io): Command {
  const command = newCommand(
    'debug',
    "Write an archive for a bug report. It contains the agent's state and configuration, the end of its log, the " +
      'state of Raft, the members, the names and status of services and checks, and metrics sampled over a ' +
      'short time. It does not contain tokens or keys, nor the metadata, tags, addresses and check output of ' +
      'your services. Read the archive before you send it.',
    io,
  )
    .option('--output <path>', 'The file to write. (default: svcd-debug-TIME.tar.gz)')
    .option('--duration <duration>', 'How long to sample metrics.', '5s')
    .option('--interval <duration>', 'How often to sample metrics.', '1s')
    .action(async (options: DebugOptions) => debug(options, io))
  addClientOptions(command)
  return addExamples(command, [
    'svcd debug',
    'svcd debug -duration 2m -interval 10s -output /tmp/slow.tar.gz',
  ])
}

async function debug(options: DebugOptions, io: Io): Promise<void> {
  const durationMs = milliseconds('-duration', options.duration)
  const intervalMs = Math.max(100, milliseconds('-interval', options.interval))
  const started = new Date()
  const name = `svcd-debug-${started.toISOString().replaceAll(/[:.]/g, '-')}`
  const path = options.output ?? `${name}.tar.gz`
  const capture = new Capture(await agentClient(options, io))
  await capture.facts()
  await capture.samples(durationMs, intervalMs, (leftMs) =>
    // Clears the rest of the line, because the previous text may have been longer.
    io.drawn?.(`\rSampling, ${Math.ceil(leftMs / 1000)} s left\u001b[K${leftMs > 0 ? '' : '\n'}`),
  )
  const { errors } = capture
  const index = { svcd: version, started, durationMs, intervalMs, errors }
  const files = new Map([['index.json', text(index)], ...capture.files])
  const { writeBundle } = await import('../archive/bundle.ts')
  try {
    const inside = [...files].map(([file, content]) => [`svcd-debug/${file}`, content] as const)
    await writeBundle(path, new Map(inside), started.getTime())
  } catch (error) {
    throw svcdError('file-unwritable', { path, reason: reasonOf(error) }, error)
  }
  for (const [what, reason] of Object.entries(errors)) io.err(`svcd: ${what}: ${reason}\n`)
  if (options.json === true) printJson(io, { path, files: [...files.keys()], errors })
  else io.out(`Saved debug archive: ${path}\n`)
}

function milliseconds(option: string, value: string): number {
  const ms = parseDuration(value)
  if (ms !== undefined && ms >= 0 && ms <= 3_600_000) return ms
  const reason = `"${value}" is not a duration of at most one hour, such as 30s`
  throw svcdError('invalid-option', { option, reason })
}

/** The files of an archive, and what failed: an agent in trouble answers only some requests. */
class Capture {
  readonly files = new Map<string, string>()
  readonly errors: Record<string, string> = {}
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Rejects with `agent-unreachable` if no agent answers. */
  async facts(): Promise<void> {
    const client = this.#client
    this.#add('agent.json', await client.self())
    await this.#agentDebug()
    await this.#json('members.json', () => client.members())
    await this.#json('servers.json', () => client.raftServers({ stale: true }))
    await this.#json('leader.json', () => client.leader())
    await this.#json('services.json', async () => servicesSummary(await client.agentServices()))
    await this.#json('checks.json', async () => checksSummary(await client.agentChecks()))
    await this.#json('catalog.json', async () => ({
      nodes: (await client.nodes({ stale: true })).length,
      services: Object.keys(await client.services({ stale: true })).length,
      checks: statusCounts(await client.checks({ state: 'any' }, { stale: true })),
    }))
  }

  async #agentDebug(): Promise<void> {
    const found = await this.#try('agent/debug', () => this.#client.debug())
    if (found === undefined) return
    this.#add('config.json', found.Config)
    this.#add('raft.json', found.Raft)
    this.#add('resources.json', found.Resources)
    const lines = (found.Log ?? []).map((line) => `${redactText(line)}\n`)
    this.files.set('log.txt', lines.join(''))
  }

  async samples(
    durationMs: number,
    intervalMs: number,
    onLeft: (leftMs: number) => void,
  ): Promise<void> {
    const samples: unknown[] = []
    const endMs = performance.now() + durationMs
    for (;;) {
      const sample = await this.#try('samples.json', async () => {
        const { Resources } = await this.#client.debug()
        const { Stats } = await this.#client.self()
        return { time: new Date(), Stats, Resources }
      })
      if (sample !== undefined) samples.push(sample)
      const leftMs = Math.max(0, endMs - performance.now())
      onLeft(leftMs)
      if (leftMs === 0) break
      await delay(Math.min(intervalMs, leftMs))
    }
    this.#add('samples.json', samples)
    const metrics = await this.#try('metrics.txt', () => this.#client.metrics())
    if (metrics !== undefined) this.files.set('metrics.txt', metrics)
  }

  async #json(file: string, ask: () => Promise<unknown>): Promise<void> {
    const value = await this.#try(file, ask)
    if (value !== undefined) this.#add(file, value)
  }

  async #try<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof SvcdError)) throw error
      this.errors[what] = error.message
      return undefined
    }
  }

  #add(file: string, value: unknown): void {
    this.files.set(file, text(redact(value)))
  }
}

function text(value: unknown): string {
  return `${JSON.stringify(value ?? null, null, 2)}\n`
}

// Metadata, tags and check output may contain secrets of the user.
function servicesSummary(services: Readonly<Record<string, ServiceEntry>>): unknown {
  return Object.values(services).map(({ ID, Service, Port }) => ({ ID, Service, Port }))
}

function checksSummary(checks: Readonly<Record<string, CheckEntry>>): unknown {
  return Object.values(checks).map(({ CheckID, Name, Status, ServiceID }) => ({
    CheckID,
    Name,
    Status,
    ServiceID,
  }))
}

function statusCounts(checks: readonly CheckEntry[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { Status } of checks) counts[Status] = (counts[Status] ?? 0) + 1
  return counts
}
