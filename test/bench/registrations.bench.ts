import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentProcess } from '../helpers/agent-process.ts'
import { httpLoad } from './http-load.ts'
import type { HttpLoadResult } from './http-load.ts'
import { startConsul, versionOf } from './peers.ts'
import { median, table } from './report.ts'

const seconds = 5
const rounds = 3
const connections = 64

/** Durable registrations of new instances over HTTP, one node: svcd, and Consul when it is there. */
export async function benchRegistrations(): Promise<string> {
  const withConsul = versionOf('consul') !== undefined
  const svcd: HttpLoadResult[] = []
  const consul: HttpLoadResult[] = []
  for (let round = 0; round < rounds; round++) {
    svcd.push(await onSvcd())
    if (withConsul) consul.push(await onConsul())
  }
  const row = (name: string, results: readonly HttpLoadResult[]): string[] => [
    name,
    median(results.map((r) => r.perSecond)).toFixed(0),
    median(results.map((r) => r.p50Ms)).toFixed(1),
    median(results.map((r) => r.p99Ms)).toFixed(1),
    String(results.reduce((sum, r) => sum + r.failed, 0)),
  ]
  return table(
    `Durable registrations, PUT /v1/agent/service/register, ${connections} connections, ${rounds} × ${seconds} s, medians`,
    ['server', 'registrations/s', 'p50 ms', 'p99 ms', 'failed'],
    [row('svcd', svcd), ...(withConsul ? [row('consul', consul)] : [])],
  )
}

/** Ids never repeat within a run, so that each is a new instance; a hundred services share them. */
function registration(n: number): { method: string; path: string; body: string } {
  const body = {
    ID: `web-${n}`,
    Name: `web${n % 100}`,
    Address: '10.9.0.1',
    Port: 8080,
    Tags: ['v1'],
  }
  return { method: 'PUT', path: '/v1/agent/service/register', body: JSON.stringify(body) }
}

async function onSvcd(): Promise<HttpLoadResult> {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-'))
  const args = [
    '-server',
    `-data-dir=${directory}`,
    '-node=bench',
    '-bind=127.0.0.1',
    '-log-level=warn',
  ]
  const agent = await AgentProcess.start({ args })
  try {
    return await httpLoad({ port: agent.httpPort, connections, seconds, request: registration })
  } finally {
    await agent.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function onConsul(): Promise<HttpLoadResult> {
  const consul = await startConsul()
  try {
    return await httpLoad({ port: consul.httpPort, connections, seconds, request: registration })
  } finally {
    await consul.stop()
  }
}
