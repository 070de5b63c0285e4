import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { DnsAsker } from '../helpers/dns-asker.ts'
import { until } from '../helpers/until.ts'
import { noMmsg } from '../net/udp/paths.ts'

const faults = new URL('../helpers/break-sockets.mjs', import.meta.url)

/** What each dns thread was asked so far, by its name. */
async function queries(agent: AgentProcess): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${agent.httpUrl}/metrics`)).text()
  const lines = text.matchAll(
    /^svcd_dns_queries_total\{transport="udp",thread="([^"]+)"\} (\d+)$/gm,
  )
  return Object.fromEntries([...lines].map(([, name = '', count]) => [name, Number(count)]))
}

/** Each has a port of its own, so that some of them are answered by each thread. */
function askOnAndOn(askers: readonly DnsAsker[]): { answers: number[]; failures: unknown[] } {
  const seen = { answers: askers.map(() => 0), failures: [] as unknown[] }
  askers.forEach(async (asker, at) => {
    try {
      for (;;) {
        const { answer } = await asker.ask('web.service.consul', 'A', 20_000)
        if (answer.length !== 1) throw new Error(`${answer.length} records`)
        seen.answers[at] = (seen.answers[at] ?? 0) + 1
      }
    } catch (error) {
      seen.failures.push(error)
    }
  })
  return seen
}

t.test('the socket of a dns thread breaks under load', { skip: noMmsg }, async (t) => {
  const agent = await AgentProcess.start({
    args: ['-dev', '-log-level=warn', '-dns-udp=mmsg', '-dns-threads=2'],
    env: { NODE_OPTIONS: `--import=${faults.href}` },
  })
  t.teardown(() => agent.kill())
  await agent.put('agent/service/register', { Name: 'web', Address: '10.9.0.1', Port: 80 })
  const seen = askOnAndOn(await DnsAsker.all(t, agent.dnsPort, 16))
  const before = await until('both threads are asked', 10_000, async () => {
    const counts = await queries(agent)
    return Object.values(counts).every((count) => count > 100) && counts
  })
  t.strictSame(Object.keys(before), ['dns-0', 'dns-1'])

  await t.test('the log says so and why, and the thread is started again', async (t) => {
    await agent.signal('SIGUSR2', 'a DNS thread failed')
    t.match(agent.output, /\[ERROR\] a DNS thread failed: error="recvmmsg ENOTSOCK"/)
    agent.child.kill('SIGUSR2')
    const atDeath = [...seen.answers]
    const more = (): number[] => seen.answers.map((count, at) => count - (atDeath[at] ?? 0))
    await until('each asker has an answer', 10_000, () => more().every((count) => count > 0))
    t.ok(Math.max(...more()) > 20, `the other thread answered on: ${more().join(' ')}`)
    t.match(agent.output, 'a DNS thread ended; restarting it on the same sockets')
    t.strictSame(seen.failures, [], 'no question was lost')
    const counts = await queries(agent)
    for (const [name, count] of Object.entries(before)) {
      t.ok((counts[name] ?? 0) > count, `the counters of ${name} go on`)
    }
  })

  await t.test('sockets that stay broken end the process, with the reason', async (t) => {
    agent.child.kill('SIGWINCH')
    t.equal(await agent.exited, 1, `the output: ${agent.output}`)
    t.match(
      agent.output,
      /the agent cannot continue and exits: error="DNS threads failed 6 times within a minute, most recently: recvmmsg ENOTSOCK\. Start the agent again\. /,
    )
  })
})
