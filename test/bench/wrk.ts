import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { must } from '../../src/base/assert.ts'
import { cpuMicros } from './dnsperf.ts'

/** One request of a load, as it is sent. */
export interface WrkRequest {
  readonly method: string
  readonly path: string
  readonly body: string
}

export interface WrkLoad {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Sent in turn, from the first one again after the last. */
  readonly requests: readonly WrkRequest[]
  /** An empty directory for the load's files. */
  readonly directory: string
  /** Processes whose CPU time is counted. */
  readonly pids: readonly number[]
}

export interface WrkResult {
  readonly perSecond: number
  readonly completed: number
  readonly failed: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of all the processes, for each request. */
  readonly cpuMicros: number
}

/** The requests are made before the load begins, so that the load costs the same for every server. */
const script = `
local requests, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    local method, path, body = line:match("^(%S+) (%S+) (.*)$")
    requests[#requests + 1] = wrk.format(method, path, nil, body)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local failed = summary.errors.status + summary.errors.read + summary.errors.write
  failed = failed + summary.errors.timeout + summary.errors.connect
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    failed, latency:percentile(50), latency:percentile(99)))
end
`

/** A closed loop by wrk, which costs less than a load in Node. */
export async function wrkLoad(load: WrkLoad): Promise<WrkResult> {
  const [program, lines] = ['wrk.lua', 'requests'].map((name) => join(load.directory, name))
  writeFileSync(must(program), script)
  const text = load.requests.map(({ method, path, body }) => `${method} ${path} ${body}\n`)
  writeFileSync(must(lines), text.join(''))
  const before = cpuMicros(load.pids)
  const words = ['-t', 1, '-c', load.connections, '-d', load.seconds, '-s', program]
  const { stdout } = await promisify(execFile)(
    'wrk',
    [...words, `http://127.0.0.1:${load.port}`, '--', lines].map(String),
  )
  const used = cpuMicros(load.pids) - before
  const line = must(/RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(stdout), `wrk's result`)
  const [completed = 0, micros = 0, failed = 0, p50 = 0, p99 = 0] = line.slice(1).map(Number)
  return {
    perSecond: (completed * 1e6) / micros,
    completed,
    failed,
    p50Ms: p50 / 1000,
    p99Ms: p99 / 1000,
    cpuMicros: used / completed,
  }
}
