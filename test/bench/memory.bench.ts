import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentProcess } from '../helpers/agent-process.ts'
import { must } from '../../src/base/assert.ts'
import { residentMb } from './peers.ts'
import { table } from './report.ts'

const instances = 100_000
const writers = 64

/** Resident memory: idle, with 100,000 instances registered over HTTP, and after a restart with them. */
export async function benchMemory(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-memory-'))
  const args = [
    '-server',
    `-data-dir=${directory}`,
    '-node=bench',
    '-bind=127.0.0.1',
    '-log-level=warn',
  ]
  const rows: string[][] = []
  try {
    const agent = await AgentProcess.start({ args })
    rows.push(['idle, one dns thread', await settled(agent)])
    await sleep(30_000)
    rows.push(['idle, 30 s later', await settled(agent)])
    await fill(agent)
    rows.push([`${instances.toLocaleString('en')} instances`, await settled(agent)])
    await agent.stop()
    const startedAt = performance.now()
    const again = await AgentProcess.start({ args })
    const readyMs = performance.now() - startedAt
    rows.push([`restarted with them (ready after ${readyMs.toFixed(0)} ms)`, await settled(again)])
    await again.stop()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return table('Resident memory (VmRSS)', ['state', 'MB'], rows)
}

async function settled(agent: AgentProcess): Promise<string> {
  await sleep(5000)
  return residentMb(must(agent.child.pid, 'the agent runs')).toFixed(0)
}

/** A thousand services of a hundred instances, each on its own node as in a fleet. */
async function fill(agent: AgentProcess): Promise<void> {
  let next = 0
  const writer = async (): Promise<void> => {
    for (let n = next++; n < instances; n = next++) {
      const address = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
      const response = await agent.put('catalog/register', {
        Node: `node-${n % 1000}`,
        Address: `10.0.${(n >> 8) & 3}.${n % 250}`,
        Service: {
          ID: `web-${n}`,
          Service: `web${n % 1000}`,
          Address: address,
          Port: 8080,
          Tags: ['v1'],
        },
      })
      if (!response.ok) throw new Error(`register: ${response.status} ${await response.text()}`)
      await response.arrayBuffer()
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
}
