import { hashed } from '../helpers/replica-check.ts'
import { until } from '../helpers/until.ts'
import { fillCluster, instances } from './cluster.bench.ts'
import { svcdCluster } from './cluster-peers.ts'
import { table } from './report.ts'

/** A snapshot of 100,000 services, and how long three empty servers take to have them all. */
export async function benchRestore(): Promise<string> {
  const rows: string[][] = []
  const archive = await savedArchive(rows)
  const { cluster, stop } = await svcdCluster()
  try {
    const leader = await cluster.leader()
    const startMs = performance.now()
    const response = await leader.fetch('snapshot', { method: 'PUT', body: archive }, 600_000)
    if (!response.ok) throw new Error(`restore: ${response.status} ${await response.text()}`)
    rows.push(['restored on an empty cluster, ms', (performance.now() - startMs).toFixed(0)])
    await until('all answer and are equal', 60_000, async () => {
      const answers = await Promise.all(cluster.servers.map((s) => s.ask('web7.service.consul')))
      const states = cluster.servers.map((server) => hashed(server).hash)
      return answers.every(({ answer }) => answer.length > 0) && new Set(states).size === 1
    })
    rows.push([
      'until all three answer, with equal states, ms',
      (performance.now() - startMs).toFixed(0),
    ])
  } finally {
    await stop()
  }
  return table(`A snapshot of ${instances.toLocaleString('en')} services`, ['what', ''], rows)
}

async function savedArchive(rows: string[][]): Promise<Uint8Array<ArrayBuffer>> {
  const { cluster, stop } = await svcdCluster()
  try {
    const leader = await cluster.leader()
    await fillCluster(leader.httpPort)
    const startMs = performance.now()
    const response = await leader.fetch('snapshot', {}, 600_000)
    const archive = new Uint8Array(await response.arrayBuffer())
    rows.push(['saved, ms', (performance.now() - startMs).toFixed(0)])
    rows.push(['archive, MB', (archive.length / 1e6).toFixed(1)])
    return archive
  } finally {
    await stop()
  }
}
