import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { httpLoad } from '../bench/http-load.ts'
import { AgentProcess, runSvcd } from '../helpers/agent-process.ts'

// What a process holds of memory that it does not use. `npm run bench -- churn` shows all of it.

/** In MB (10^6): what V8 has taken for new objects of the main thread. */
async function youngMb(agent: AgentProcess): Promise<number> {
  const answer = await fetch(`${agent.httpUrl}/v1/agent/metrics?format=prometheus`)
  const line = /^nodejs_heap_space_size_total_bytes\{space="new"\} (\S+)$/m.exec(
    await answer.text(),
  )
  return Number(must(line?.[1])) / 1e6
}

const registrations = (agent: AgentProcess, run: number): Promise<unknown> =>
  httpLoad({
    port: agent.httpPort,
    connections: 16,
    seconds: 60,
    total: 1500,
    request: (n) => ({
      method: 'PUT',
      path: '/v1/agent/service/register',
      body: JSON.stringify({ Name: `web-${run}-${n}`, Port: 80, Tags: ['blue', 'v1'] }),
    }),
  })

t.test(
  'the young generation of the main thread stays small, although threads begin while it is busy',
  async (t) => {
    const directory = t.testdir()
    const agent = AgentProcess.spawn({
      args: ['-server', '-bootstrap-expect=1', '-data-dir', join(directory, 'data')],
    })
    t.teardown(() => agent.stop())
    await agent.running
    for (let run = 0; run < 4; run++) {
      const busy = registrations(agent, run)
      // A snapshot is made by a thread of its own.
      const file = join(directory, `run-${run}.snap`)
      const saved = await runSvcd(agent.httpUrl, 'snapshot', 'save', file)
      t.equal(saved.code, 0, saved.err)
      await busy
      const mb = await youngMb(agent)
      t.ok(mb >= 1 && mb < 17, `${mb.toFixed(1)} MB`)
    }
  },
)
