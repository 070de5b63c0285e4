import { svcdCluster } from './cluster-peers.ts'
import { httpLoad } from './http-load.ts'
import type { HttpLoadResult } from './http-load.ts'
import { median, table } from './report.ts'

// What it costs that a majority confirms the leader before a default read is answered.

const seconds = 4
const rounds = Number(process.env['SVCD_ROUNDS'] ?? 3)
const path = '/v1/health/service/web?passing'

/** GET /v1/health/service of ten instances on three servers: default and stale reads, in turns. */
export async function benchClusterReads(): Promise<string> {
  const cluster = await svcdCluster()
  const results = new Map<string, HttpLoadResult[]>()
  try {
    await fill(await cluster.leaderPort())
    for (let round = 0; round < rounds; round++) {
      for (const connections of [1, 64]) {
        for (const mode of ['default', 'stale'] as const) {
          for (const through of ['leader', 'follower'] as const) {
            const port = await (through === 'leader'
              ? cluster.leaderPort()
              : cluster.followerPort())
            const query = mode === 'stale' ? '&stale' : ''
            const request = () => ({ method: 'GET', path: `${path}${query}`, body: '' })
            const result = await httpLoad({ port, connections, seconds, request })
            const name = `${mode}, ${through}, ${connections}`
            results.set(name, [...(results.get(name) ?? []), result])
          }
        }
      }
    }
  } finally {
    await cluster.stop()
  }
  return table(
    `Three servers: GET /v1/health/service of 10 instances, ${rounds} × ${seconds} s, medians`,
    ['mode, through, connections', 'reads/s', 'p50 ms', 'p99 ms', 'failed'],
    [...results].map(([name, of]) => [
      name,
      median(of.map((r) => r.perSecond)).toFixed(0),
      median(of.map((r) => r.p50Ms)).toFixed(2),
      median(of.map((r) => r.p99Ms)).toFixed(1),
      String(of.reduce((sum, r) => sum + r.failed, 0)),
    ]),
  )
}

async function fill(port: number): Promise<void> {
  for (let n = 0; n < 10; n++) {
    const body = JSON.stringify({
      Node: 'outside',
      Address: '10.9.0.1',
      Service: { ID: `web-${n}`, Service: 'web', Port: 8000 + n, Tags: ['v1'] },
      SkipNodeUpdate: true,
    })
    const url = `http://127.0.0.1:${port}/v1/catalog/register`
    const response = await fetch(url, { method: 'PUT', body })
    if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`)
  }
}
