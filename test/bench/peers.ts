import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The version line of a program, or undefined when it is not on PATH. */
export function versionOf(program: string, flag = '-v'): string | undefined {
  // Some tell it to stderr, and end with 1 (dnsperf, nsd).
  const { error, stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' })
  if ((error as { code?: unknown } | undefined)?.code === 'ENOENT') return undefined
  return `${stdout}${stderr}`.split('\n')[0]?.trim() || program
}

export interface Peer {
  readonly httpPort: number
  readonly dnsPort: number
  readonly child: ChildProcess
  stop(): Promise<void>
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return typeof address === 'object' && address !== null ? address.port : 0
}

/**
 * A Consul server of one with its data on disk, as durable as it comes; `wrapper` is a command
 * before it, `more` are flags.
 */
export async function startConsul(
  wrapper: readonly string[] = [],
  more: readonly string[] = [],
): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-consul-'))
  const [http, dns, server, lan, wan] = await Promise.all([1, 2, 3, 4, 5].map(freePort))
  const flags = {
    'data-dir': directory,
    node: 'bench',
    bind: '127.0.0.1',
    'bootstrap-expect': 1,
    'log-level': 'err',
    'http-port': http,
    'dns-port': dns,
    'server-port': server,
    'serf-lan-port': lan,
    'serf-wan-port': wan,
  }
  const [program = '', ...words] = [
    ...wrapper,
    'consul',
    'agent',
    '-server',
    ...more,
    ...Object.entries(flags).map(([name, value]) => `-${name}=${String(value)}`),
  ]
  const env = { ...process.env, CHECKPOINT_DISABLE: '1' }
  const child = spawn(program, words, { stdio: 'ignore', env })
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
  const peer: Peer = {
    httpPort: http ?? 0,
    dnsPort: dns ?? 0,
    child,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await leaderOf(peer)
  return peer
}

async function leaderOf(peer: Peer): Promise<void> {
  const deadline = performance.now() + 30_000
  while (performance.now() < deadline) {
    try {
      const response = await fetch(`http://127.0.0.1:${peer.httpPort}/v1/catalog/nodes`)
      if (response.ok && (await response.text()).includes('bench')) return
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 200)
    })
  }
  throw new Error('consul did not become ready within 30 s')
}

/** Resident memory of a process, in MB (10^6 bytes). */
export function residentMb(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kib) * 1024) / 1e6
}
