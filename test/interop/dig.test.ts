import { execFile } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { promisify } from 'node:util'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'

// Every kind of question, asked by dig over UDP and TCP, and by Node's resolver (c-ares).

const nodeId = '5d3a1d0e-8f2b-4c1c-9a56-0d6c0c7f9b11'

async function startWithServices(): Promise<AgentProcess> {
  const agent = await AgentProcess.start({
    args: ['-dev', '-node=n1', `-node-id=${nodeId}`, '-alt-domain=alt.test', '-log-level=warn'],
  })
  const services = [
    { Name: 'web', ID: 'web-1', Address: '10.9.0.1', Port: 8080, Tags: ['v1', 'blue'] },
    {
      Name: 'web',
      ID: 'web-2',
      Address: '10.9.0.2',
      Port: 8081,
      Weights: { Passing: 7, Warning: 1 },
    },
    { Name: 'six', Address: '2001:db8::6', Port: 80 },
    { Name: 'plain', Port: 9000 },
    { Name: 'named', Address: 'db.example.org', Port: 5432 },
    { Name: 'sick', Address: '10.9.0.9', Check: { TTL: '1h', Status: 'critical' } },
  ]
  for (const service of services) {
    const response = await agent.put('agent/service/register', service)
    if (!response.ok) throw new Error(await response.text())
  }
  for (const [at, Node] of ['node with space', 'nöde'].entries()) {
    const Address = `10.9.1.${at}`
    const Service = { Service: 'afar', Port: 7000 + at }
    const response = await agent.put('catalog/register', { Node, Address, Service })
    if (!response.ok) throw new Error(await response.text())
  }
  return agent
}

const soa = 'consul. SOA ns.consul. hostmaster.consul.'

interface Case {
  readonly ask: string
  readonly status?: string
  /** Name, type and data of each answer record, in any order. */
  readonly answer?: readonly string[]
  readonly authority?: readonly string[]
  readonly additional?: readonly string[]
}

const cases: readonly Case[] = [
  {
    ask: 'web.service.consul A',
    answer: ['web.service.consul. A 10.9.0.1', 'web.service.consul. A 10.9.0.2'],
  },
  {
    ask: 'web.service.dc1.consul A',
    answer: ['web.service.dc1.consul. A 10.9.0.1', 'web.service.dc1.consul. A 10.9.0.2'],
  },
  {
    ask: 'WEB.service.Consul A',
    answer: ['WEB.service.Consul. A 10.9.0.1', 'WEB.service.Consul. A 10.9.0.2'],
  },
  { ask: 'v1.web.service.consul A', answer: ['v1.web.service.consul. A 10.9.0.1'] },
  { ask: 'web.service.consul AAAA', authority: [soa] },
  { ask: 'six.service.consul AAAA', answer: ['six.service.consul. AAAA 2001:db8::6'] },
  {
    ask: 'web.service.consul SRV',
    answer: [
      'web.service.consul. SRV 1 1 8080 0a090001.addr.dc1.consul.',
      'web.service.consul. SRV 1 7 8081 0a090002.addr.dc1.consul.',
    ],
    additional: ['0a090001.addr.dc1.consul. A 10.9.0.1', '0a090002.addr.dc1.consul. A 10.9.0.2'],
  },
  {
    ask: 'plain.service.consul SRV',
    answer: ['plain.service.consul. SRV 1 1 9000 n1.node.dc1.consul.'],
    additional: ['n1.node.dc1.consul. A 127.0.0.1'],
  },
  {
    ask: '_web._tcp.service.consul SRV',
    answer: [
      '_web._tcp.service.consul. SRV 1 1 8080 0a090001.addr.dc1.consul.',
      '_web._tcp.service.consul. SRV 1 7 8081 0a090002.addr.dc1.consul.',
    ],
  },
  {
    ask: '_web._blue.service.consul SRV',
    answer: ['_web._blue.service.consul. SRV 1 1 8080 0a090001.addr.dc1.consul.'],
  },
  {
    ask: 'named.service.consul SRV',
    answer: ['named.service.consul. SRV 1 1 5432 db.example.org.'],
  },
  { ask: 'named.service.consul A', answer: ['named.service.consul. CNAME db.example.org.'] },
  { ask: '0a090001.addr.dc1.consul A', answer: ['0a090001.addr.dc1.consul. A 10.9.0.1'] },
  { ask: 'n1.node.consul A', answer: ['n1.node.consul. A 127.0.0.1'] },
  { ask: 'n1.node.consul AAAA', authority: [soa] },
  { ask: 'consul SOA', answer: [soa] },
  {
    ask: 'consul NS',
    answer: ['consul. NS n1.node.dc1.consul.'],
    additional: ['n1.node.dc1.consul. A 127.0.0.1'],
  },
  {
    ask: 'consul.service.consul SRV',
    answer: ['consul.service.consul. SRV 1 1 {server port} n1.node.dc1.consul.'],
  },
  { ask: 'ns.consul A', answer: ['ns.consul. A 127.0.0.1'] },
  {
    ask: '1.0.9.10.in-addr.arpa PTR',
    answer: ['1.0.9.10.in-addr.arpa. PTR web.service.dc1.consul.'],
  },
  {
    ask: '1.0.0.127.in-addr.arpa PTR',
    answer: ['1.0.0.127.in-addr.arpa. PTR n1.node.dc1.consul.'],
  },
  { ask: '1.9.9.10.in-addr.arpa PTR', status: 'REFUSED' },
  { ask: '{node id}.node.consul A', answer: ['{node id}.node.consul. A 127.0.0.1'] },
  {
    ask: 'web.service.alt.test SRV',
    answer: [
      'web.service.alt.test. SRV 1 1 8080 0a090001.addr.dc1.alt.test.',
      'web.service.alt.test. SRV 1 7 8081 0a090002.addr.dc1.alt.test.',
    ],
  },
  { ask: 'service.consul A', authority: [soa] },
  { ask: 'none.service.consul A', status: 'NXDOMAIN', authority: [soa] },
  { ask: 'sick.service.consul A', status: 'NXDOMAIN', authority: [soa] },
  { ask: 'none.node.consul A', status: 'NXDOMAIN', authority: [soa] },
  { ask: 'web.service.dc9.consul A', status: 'NXDOMAIN', authority: [soa] },
  { ask: 'web.service.consul TYPE1000', authority: [soa] },
  { ask: 'example.org A', status: 'REFUSED' },
]

/** dig's records without the TTL and class, and without the SOA's numbers. */
function records(output: string, section: string): string[] {
  const text = new RegExp(`;; ${section} SECTION:\n((?:[^;\n].*\n)*)`).exec(output)?.[1] ?? ''
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name, , , type, ...data] = line.split(/\s+/)
      return `${name} ${type} ${(type === 'SOA' ? data.slice(0, 2) : data).join(' ')}`
    })
    .toSorted()
}

t.test('an agent with services of every kind', async (t) => {
  const agent = await startWithServices()
  t.teardown(() => agent.stop())
  const serverPort = (await agent.get<string>('status/leader')).split(':').at(-1) ?? ''
  for (const transport of ['+notcp', '+tcp']) {
    t.test(`dig ${transport} gets every kind of answer`, { skip: missing('dig') }, async (t) => {
      for (const { ask, status = 'NOERROR', answer = [], authority, additional } of cases) {
        const args = [
          '@127.0.0.1',
          '-p',
          String(agent.dnsPort),
          transport,
          '+norecurse',
          ...ask.replace('{node id}', nodeId).split(' '),
        ]
        const { stdout } = await promisify(execFile)('dig', args)
        t.match(stdout, `status: ${status}`, `${ask}: ${status}`)
        t.strictSame(
          records(stdout, 'ANSWER'),
          answer
            .map((text) => text.replace('{server port}', serverPort).replace('{node id}', nodeId))
            .toSorted(),
          `${ask}: answer`,
        )
        if (authority !== undefined)
          t.strictSame(records(stdout, 'AUTHORITY'), authority, `${ask}: authority`)
        if (additional !== undefined) {
          t.strictSame(records(stdout, 'ADDITIONAL'), additional.toSorted(), `${ask}: additional`)
        }
      }
    })
  }

  t.test('dig -y is told that its key is not known', { skip: missing('dig') }, async (t) => {
    const key = 'hmac-sha256:key.example:c2VjcmV0c2VjcmV0'
    const args = ['-y', key, '@127.0.0.1', '-p', String(agent.dnsPort), 'web.service.consul']
    const { stdout } = await promisify(execFile)('dig', args)
    t.match(stdout, /status: NOTAUTH/)
    t.match(stdout, /^key\.example\..*TSIG.* BADKEY 0/m)
    t.notMatch(stdout, /ANSWER SECTION|malformed/)
  })

  t.test("Node's resolver gets A, AAAA, SRV and the two kinds of no", async (t) => {
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${agent.dnsPort}`])
    t.strictSame((await resolver.resolve4('web.service.consul')).toSorted(), [
      '10.9.0.1',
      '10.9.0.2',
    ])
    t.strictSame(await resolver.resolve6('six.service.consul'), ['2001:db8::6'])
    const srv = await resolver.resolveSrv('_web._tcp.service.consul')
    t.strictSame(srv.map(({ name, port }) => `${name}:${port}`).toSorted(), [
      '0a090001.addr.dc1.consul:8080',
      '0a090002.addr.dc1.consul:8081',
    ])
    const afar = await resolver.resolveSrv('afar.service.consul')
    t.strictSame(afar.map(({ name, port }) => `${name}:${port}`).toSorted(), [
      '0a090100.addr.dc1.consul:7000',
      '0a090101.addr.dc1.consul:7001',
    ])
    await t.rejects(resolver.resolve6('web.service.consul'), { code: 'ENODATA' })
    await t.rejects(resolver.resolve4('none.service.consul'), { code: 'ENOTFOUND' })
  })
})
