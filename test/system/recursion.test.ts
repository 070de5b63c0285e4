import t from 'tap'
import { upstreamFindings } from '../../src/cli/doctor-upstreams.ts'
import { ask } from '../../src/net/dns-client.ts'
import { AgentProcess, runSvcd } from '../helpers/agent-process.ts'
import { FakeUpstream, reply } from '../helpers/fake-upstream.ts'

t.test('an agent with -recursor answers for other names, and says how it fares', async (t) => {
  const upstream = await FakeUpstream.start(t, (asked) =>
    reply(asked, { answer: ['@ 60 A 192.0.2.1'] }),
  )
  const args = ['-dev', `-recursor=${upstream.address}`, '-recursor-timeout=1s']
  const agent = await AgentProcess.start({ args })
  t.teardown(() => agent.stop())
  const server = { address: '127.0.0.1', port: agent.dnsPort }
  for (const tcp of [false, true, false]) {
    const answer = await ask(server, 'example.com', 'A', { tcp })
    t.match(answer.answer, [{ data: '192.0.2.1' }])
    t.ok(answer.flags.includes('ra'))
  }
  t.equal(upstream.asked.length, 1)
  const metrics = async (): Promise<string> =>
    (await fetch(`${agent.httpUrl}/v1/agent/metrics?format=prometheus`)).text()
  const text = await metrics()
  t.match(text, `svcd_recursion_upstream_answered_total{server="${upstream.address}"} 1`)
  t.match(text, 'svcd_recursion_cache_entries 1')
  t.match(text, /svcd_dns_outside_hits_total\{transport="tcp",thread="main"\} 1/)
  await upstream.close()
  for (const name of ['a.test', 'b.test']) {
    t.equal((await ask(server, name, 'A', { timeoutMs: 10_000 })).rcode, 'SERVFAIL')
  }
  const doctor = await runSvcd(agent.httpUrl, 'doctor', '-dns-addr', `127.0.0.1:${agent.dnsPort}`)
  t.match(doctor.out, `${upstream.address}, a server for names outside svcd (-recursor)`)
  t.equal(await agent.stop(), 0)
})

t.test('a recursor that is no address is refused with an example', async (t) => {
  const { code, err } = await runSvcd('', 'agent', '-dev', '-recursor=dns.example.com')
  t.equal(code, 1)
  t.match(err, /-recursor: "dns.example.com" is not a DNS server; write an IP address such as/)
})

t.test('doctor tells one server that is down from all of them', async (t) => {
  const metrics = (...down: readonly number[]): string =>
    down
      .map((each, at) => `svcd_recursion_upstream_down{server="192.0.2.${at}:53"} ${each}\n`)
      .join('')
  const levels = (text: string): string[] => upstreamFindings(text).map(({ level }) => level)
  t.strictSame(levels(''), [])
  t.strictSame(levels(metrics(0, 0)), ['ok'])
  t.strictSame(levels(metrics(0, 1)), ['warning'])
  t.strictSame(levels(metrics(1, 1)), ['problem', 'problem'])
})
