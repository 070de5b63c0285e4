import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { runChurn } from '../helpers/churn-run.ts'
import { issueChurn } from '../helpers/churn.ts'
import { ThreeServers } from '../helpers/cluster-process.ts'
import { temporary } from './cluster-peers.ts'

const minutes = Number(process.env['SVCD_CHURN_MINUTES'] ?? 5)

/** What three servers hold while services come and go, every 30 s. */
export async function benchChurn(): Promise<string> {
  const directory = temporary()
  const cluster = await ThreeServers.prepare(directory)
  try {
    await cluster.startAll()
    const pace = { seconds: minutes * 60, everySeconds: 30 }
    const file = process.env['SVCD_CHURN_TABLE'] ?? join(directory, 'table.md')
    return (await runChurn(cluster, { ...issueChurn, ...pace }, file)).table
  } finally {
    await cluster.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}
