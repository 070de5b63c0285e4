import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { DnsAsker } from '../helpers/dns-asker.ts'

// Addresses as clients of Consul register them, and what DNS makes of them.

t.test(
  'DNS leaves a node out that has no address yet, and answers IPv4 for mapped ones',
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node=n1'] })
    t.teardown(() => agent.stop())
    const dns = await DnsAsker.open(t, agent.dnsPort)
    const register = async (body: object): Promise<void> => {
      const init = { method: 'PUT', body: JSON.stringify(body) }
      t.equal((await fetch(`${agent.httpUrl}/v1/catalog/register`, init)).status, 200)
    }
    const answer = async (name: string, type = 'A') => {
      const { rcode, answer: records } = await dns.ask(name, type)
      return [rcode, records.length]
    }
    const Service = { Service: 'web', Port: 80, Weights: { Passing: 0, Warning: 0 } }
    await register({ Node: 'later', SkipNodeUpdate: true, Service })
    for (const type of ['A', 'AAAA', 'SRV', 'ANY']) {
      t.strictSame(await answer('web.service.consul', type), ['NOERROR', 0], type)
    }
    t.strictSame(await answer('later.node.consul'), ['NOERROR', 0])
    await register({ Node: 'later', Address: '::ffff:10.70.0.1' })
    t.match(await dns.ask('web.service.consul'), { answer: [{ data: '10.70.0.1' }] })
    t.strictSame(await answer('web.service.consul', 'AAAA'), ['NOERROR', 0])
    t.match(await dns.ask('web.service.consul', 'SRV'), {
      answer: [{ data: '1 1 80 later.node.dc1.consul.' }],
    })
    t.strictSame(await answer('1.0.70.10.in-addr.arpa', 'PTR'), ['NOERROR', 1])
  },
)
