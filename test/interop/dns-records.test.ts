import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'

// SVCB, HTTPS and the names for browsing, as dig and kdig print them.

const services = [
  {
    Name: 'web',
    ID: 'web-1',
    Address: '10.9.0.1',
    Port: 8443,
    Meta: { 'svcb-alpn': 'h2,http/1.1', rev: '7' },
  },
  {
    Name: 'web',
    ID: 'web-2',
    Address: '2001:db8::2',
    Port: 8444,
    Meta: { 'svcb-alpn': 'h3', 'svcb-no-default-alpn': 'true', 'svcb-priority': '2' },
    Weights: { Passing: 3, Warning: 1 },
  },
  { Name: 'dns', Address: '10.9.0.3', Port: 853, Meta: { 'svcb-dohpath': '/q{?dns}' } },
]

async function started(): Promise<AgentProcess> {
  const agent = await AgentProcess.start({ args: ['-dev', '-node=n1', '-log-level=warn'] })
  for (const service of services) {
    const response = await agent.put('agent/service/register', service)
    if (!response.ok) throw new Error(await response.text())
  }
  return agent
}

/** The answers without what the tools write differently: quotes, `\:`, and the name of a parameter. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  'web.service.consul HTTPS': [
    '1 0a090001.addr.dc1.consul. alpn=h2,http/1.1 port=8443 ipv4hint=10.9.0.1',
    '2 20010db8000000000000000000000002.addr.dc1.consul. alpn=h3 no-default-alpn port=8444 ipv6hint=2001:db8::2',
  ],
  'dns.service.consul SVCB': [
    '1 0a090003.addr.dc1.consul. port=853 ipv4hint=10.9.0.3 {dohpath}=/q{?dns}',
  ],
  'dns.service.consul HTTPS': [],
  '_services._dns-sd._udp.consul PTR': [
    '_consul._tcp.consul.',
    '_dns._tcp.consul.',
    '_web._tcp.consul.',
  ],
  'b._dns-sd._udp.consul PTR': ['consul.'],
  '_web._tcp.consul PTR': ['n1:web-1._web._tcp.consul.', 'n1:web-2._web._tcp.consul.'],
  'n1:web-1._web._tcp.consul SRV': ['1 1 8443 0a090001.addr.dc1.consul.'],
  'n1:web-1._web._tcp.consul TXT': ['rev=7 svcb-alpn=h2,http/1.1'],
}

t.test('an agent with services for SVCB, HTTPS and browsing', async (t) => {
  const agent = await started()
  t.teardown(() => agent.stop())
  for (const tool of ['dig', 'kdig']) {
    for (const transport of ['+notcp', '+tcp']) {
      t.test(`${tool} ${transport} prints the records`, { skip: missing(tool) }, async (t) => {
        for (const [asked, answers] of Object.entries(wanted)) {
          const args = ['@127.0.0.1', '-p', String(agent.dnsPort), transport, '+short']
          const { stdout } = await promisify(execFile)(tool, [...args, ...asked.split(' ')])
          const lines = stdout
            .replaceAll('\\:', ':')
            .split('\n')
            .filter((line) => line !== '')
          t.strictSame(
            lines
              .map((line) => line.replaceAll('"', '').replace(/\b(?:dohpath|key7)=/, '{dohpath}='))
              .toSorted(),
            [...answers].toSorted(),
            asked,
          )
        }
      })
    }
  }

  t.test(
    'dig +short prints first the address whose turn it is by weight',
    { skip: missing('dig') },
    async (t) => {
      for (const [at, Passing] of [5, 3].entries()) {
        const service = { Name: 'w', ID: `w${at}`, Address: `10.9.1.${at}`, Port: 80 }
        const response = await agent.put('agent/service/register', {
          ...service,
          Weights: { Passing, Warning: 1 },
        })
        t.ok(response.ok)
      }
      const { dnsPort } = agent
      const names = Array.from({ length: 80 }, () => 'w.service.consul')
      // One process asks all questions, from one port: one thread answers them.
      const args = ['@127.0.0.1', '-p', String(dnsPort), '+noall', '+answer']
      const { stdout } = await promisify(execFile)('dig', [...args, '+tcp', '+keepopen', ...names])
      const addresses = stdout.split('\n').flatMap((line) => line.split(/\s+/)[4] ?? [])
      t.equal(addresses.length, 160)
      const first = addresses.filter((address, at) => at % 2 === 0 && address === '10.9.1.0')
      t.ok(Math.abs(first.length - 50) < 4, `${first.length} of 80`)
    },
  )
})
