import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Resolver } from 'node:dns/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'

// A real HTTP service in a process of its own, killed and started again under its HTTP check.

const intervalMs = 1000
const timeoutMs = 500
/** Scheduling of a busy machine, on top of what the check itself may take. */
const slackMs = 1000

async function startService(
  script: string,
  port: number,
): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(script, [String(port)])
  const [message] = (await once(child, 'message')) as [{ port: number }]
  return { child, port: message.port }
}

t.test(
  'a killed service leaves DNS within interval + timeout and comes back after a restart',
  async (t) => {
    const directory = t.testdir({
      'service.cjs': `
      const server = require('node:http').createServer((_, response) => response.end('ok'))
      server.listen(Number(process.argv[2]), '127.0.0.1', () => process.send({ port: server.address().port }))`,
    })
    const script = join(directory, 'service.cjs')
    const first = await startService(script, 0)
    const agent = await AgentProcess.start({ args: ['-dev', '-log-level=warn'] })
    t.teardown(() => agent.stop())
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${agent.dnsPort}`])
    const isListed = async (): Promise<boolean> =>
      resolver.resolve4('web.service.consul').then(
        () => true,
        () => false,
      )
    /** Asks again and again, as a client would, until the answer is the wanted one. */
    const elapsedUntil = async (wanted: boolean): Promise<number> => {
      const startedAt = performance.now()
      while ((await isListed()) !== wanted) {
        if (performance.now() - startedAt > 15_000)
          throw new Error(`not ${wanted ? 'listed' : 'gone'} after 15 s`)
        await sleep(10)
      }
      return performance.now() - startedAt
    }

    const check = {
      HTTP: `http://127.0.0.1:${first.port}/health`,
      Interval: '1s',
      Timeout: '500ms',
    }
    const registered = await agent.put('agent/service/register', {
      Name: 'web',
      Address: '10.9.0.1',
      Check: check,
    })
    t.equal(registered.status, 200)
    const listedMs = await elapsedUntil(true)
    t.ok(
      listedMs < timeoutMs + slackMs,
      `a new registration is checked at once (${listedMs.toFixed(0)} ms)`,
    )

    first.child.kill('SIGKILL')
    const goneMs = await elapsedUntil(false)
    t.ok(goneMs < intervalMs + timeoutMs + slackMs, `gone after ${goneMs.toFixed(0)} ms`)

    const second = await startService(script, first.port)
    t.teardown(() => second.child.kill('SIGKILL'))
    const backMs = await elapsedUntil(true)
    t.ok(backMs < intervalMs + timeoutMs + slackMs, `back after ${backMs.toFixed(0)} ms`)
  },
)
