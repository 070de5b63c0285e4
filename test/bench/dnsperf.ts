import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface DnsLoad {
  readonly port: number
  /** A file of `name type` lines. */
  readonly questions: string
  readonly seconds: number
  /** Undefined: as many as the load can send. */
  readonly perSecond?: number | undefined
  /** More of dnsperf's own flags. */
  readonly flags?: readonly string[]
  /** The load's own core, where servers have another. */
  readonly cpu?: number | undefined
}

export interface DnsLoadResult {
  readonly perSecond: number
  readonly completed: number
  readonly lost: number
}

/** What a server did under a load. */
export interface DnsFigures extends DnsLoadResult {
  /** Processor time of the server's processes a question, user and system. */
  readonly cpuMicros: number
}

const clients = 8
const outstanding = 400

/** Asks with dnsperf; `onLatency` gets each answer's latency, at a cost to the load. */
export async function dnsperf(
  load: DnsLoad,
  onLatency?: (micros: number) => void,
): Promise<DnsLoadResult> {
  const words = ['-s', '127.0.0.1', '-p', load.port, '-l', load.seconds, '-c', clients]
  words.push('-q', outstanding, '-d', load.questions, ...(load.flags ?? []))
  if (load.perSecond !== undefined) words.push('-Q', Math.round(load.perSecond))
  if (onLatency !== undefined) words.push('-v')
  const text = await run(onCpu(load.cpu, ['dnsperf', ...words.map(String)]), (line) => {
    // With -v every answer has a line: `> NOERROR name type seconds`.
    if (!line.startsWith('> ')) return false
    onLatency?.(Number(line.slice(line.lastIndexOf(' '))) * 1e6)
    return true
  })
  const [lost = 0, completed = 0, perSecond = 0] = [
    /Queries lost:\s+(\d+)/,
    /Queries completed:\s+(\d+)/,
    /Queries per second:\s+([\d.]+)/,
  ].map((pattern) => Number(pattern.exec(text)?.[1]))
  return { lost, completed, perSecond }
}

const floodProgram = fileURLToPath(new URL('dns-flood.ts', import.meta.url))

/** Asks with what costs less than dnsperf (see dns-flood.ts), so that the server is the limit. */
export async function flood({ port, questions, seconds, cpu }: DnsLoad): Promise<DnsLoadResult> {
  const words = [...process.execArgv, floodProgram, port, seconds, questions].map(String)
  const text = await run(onCpu(cpu, [process.execPath, ...words]), () => false)
  const { failed, ...result } = JSON.parse(text) as DnsLoadResult & { readonly failed: number }
  if (failed > 0) throw new Error(`${failed} answers were none`)
  return result
}

/** What `ask`, dnsperf unless given, finds, and what it cost the processes `pids`. */
export async function dnsperfAgainst(
  pids: () => readonly number[],
  load: DnsLoad,
  ask: (load: DnsLoad) => Promise<DnsLoadResult> = dnsperf,
): Promise<DnsFigures> {
  const before = cpuMicros(pids())
  const result = await ask(load)
  return { ...result, cpuMicros: (cpuMicros(pids()) - before) / result.completed }
}

/** Runs a command to its end; its lines go to `onLine` where it wants them, else to the result. */
async function run(command: readonly string[], onLine: (line: string) => boolean): Promise<string> {
  const [program = '', ...words] = command
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  let text = ''
  for await (const line of createInterface(child.stdout)) {
    if (!onLine(line)) text += `${line}\n`
  }
  const [code] = await closed
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}:\n${text}`)
  return text
}

/** A command as it runs on one core only. */
export function onCpu(cpu: number | undefined, command: readonly string[]): readonly string[] {
  return cpu === undefined ? command : ['taskset', '-c', String(cpu), ...command]
}

/** Processor time of processes so far, all their threads, to the nanosecond where Linux tells it. */
export function cpuMicros(pids: readonly number[]): number {
  let nanos = 0
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      nanos += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
    }
  }
  return nanos / 1000
}
