import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import {
  parseResolvConf,
  resolverFindings,
  verdictFrom,
  type ResolverFacts,
  type Verdict,
} from '../../src/cli/resolver-findings.ts'
import { AgentProcess, runSvcd } from '../helpers/agent-process.ts'

const base: ResolverFacts = {
  path: '/etc/resolv.conf',
  nameservers: [],
  hosts: 'files dns',
  name: 'consul.service.consul',
  domain: 'consul',
  expected: ['10.0.0.1'],
  found: undefined,
  dns: { address: '127.0.0.1', port: 8600 },
}

function asked(...pairs: readonly (readonly [string, Verdict])[]): Partial<ResolverFacts> {
  return { nameservers: pairs.map(([address, verdict]) => ({ address, verdict })) }
}

const cases: readonly (readonly [
  what: string,
  facts: Partial<ResolverFacts>,
  level: string,
  text: RegExp,
  next: RegExp | undefined,
])[] = [
  [
    'the system finds the name',
    { ...asked(['127.0.0.1', 'knows']), found: ['10.0.0.1'] },
    'ok',
    /resolves consul\.service\.consul to 10\.0\.0\.1/,
    undefined,
  ],
  [
    'the order of nameservers: one that denies the name stands first',
    asked(['192.0.2.53', 'denies'], ['127.0.0.1', 'knows']),
    'problem',
    /127\.0\.0\.1 answers for .*, but 192\.0\.2\.53 comes before it in \/etc\/resolv\.conf/,
    /Put "nameserver 127\.0\.0\.1" first/,
  ],
  [
    'the order: one that denies the name stands behind one that refuses, and both before svcd',
    asked(['192.0.2.52', 'refuses'], ['192.0.2.53', 'denies'], ['127.0.0.1', 'knows']),
    'problem',
    /127\.0\.0\.1 answers for .*, but 192\.0\.2\.53 comes before it/,
    /Put "nameserver 127\.0\.0\.1" first/,
  ],
  [
    'the order is not to blame: who refuses, fails or is silent is passed over',
    asked(['a', 'refuses'], ['b', 'silent'], ['127.0.0.1', 'knows']),
    'problem',
    /127\.0\.0\.1 answers for .*, but the system does not resolve it/,
    /getent hosts consul\.service\.consul/,
  ],
  [
    'the order is not to blame: svcd is first',
    asked(['127.0.0.1', 'knows'], ['192.0.2.53', 'denies']),
    'problem',
    /the system does not resolve it/,
    /getent hosts/,
  ],
  [
    'the fourth nameserver is never used',
    asked(['a', 'refuses'], ['b', 'refuses'], ['c', 'refuses'], ['127.0.0.1', 'knows']),
    'problem',
    /it is nameserver 4 .* uses only the first 3/,
    /Move "nameserver 127\.0\.0\.1" to the top/,
  ],
  [
    'systemd-resolved does not forward the domain',
    asked(['127.0.0.53', 'denies']),
    'problem',
    /No nameserver .*: 127\.0\.0\.53 answers that the name does not exist/,
    /"DNS=127\.0\.0\.1:8600", "Domains=~consul"/,
  ],
  [
    'a resolver on this machine does not forward the domain',
    asked(['127.0.0.1', 'denies']),
    'problem',
    /No nameserver/,
    /server=\/consul\/127\.0\.0\.1#8600/,
  ],
  [
    'nameservers elsewhere do not know the domain',
    asked(['192.0.2.53', 'denies'], ['192.0.2.54', 'silent']),
    'problem',
    /192\.0\.2\.54 does not answer/,
    /-dns-port 53 .*resolv\.conf cannot contain a port/,
  ],
  [
    'the system asks no DNS at all',
    { ...asked(['127.0.0.1', 'knows']), hosts: 'files mymachines' },
    'problem',
    /"hosts:" in \/etc\/nsswitch\.conf is "files mymachines"/,
    /Add "dns"/,
  ],
  [
    'somebody else answers for the domain',
    { ...asked(['192.0.2.53', 'knows']), found: ['198.51.100.1'] },
    'problem',
    / to 198\.51\.100\.1, but svcd answers 10\.0\.0\.1/,
    /-domain/,
  ],
]

t.test('the resolver of a machine is judged by what it says', async (t) => {
  for (const [what, facts, level, text, next] of cases) {
    const [finding] = resolverFindings({ ...base, ...facts })
    t.equal(finding?.level, level, what)
    t.match(finding?.text, text, what)
    if (next === undefined) t.equal(finding?.next, undefined, what)
    else t.match(finding?.next, next, what)
  }
  const silent = asked(['192.0.2.9', 'silent'], ['127.0.0.1', 'knows'])
  const slow = resolverFindings({ ...base, ...silent, found: ['10.0.0.1'] })
  t.strictSame(
    slow.map(({ level }) => level),
    ['ok', 'warning'],
  )
})

t.test('an answer is a verdict of its nameserver', async (t) => {
  const cases: readonly (readonly [a: string, aaaa: string, verdict: Verdict])[] = [
    ['NOERROR+', 'NOERROR', 'knows'],
    ['NOERROR', 'NOERROR+', 'knows'],
    ['NXDOMAIN', 'NXDOMAIN', 'denies'],
    // The name is there without an address: no other server is asked then, either.
    ['NOERROR', 'NOERROR', 'denies'],
    ['REFUSED', 'REFUSED', 'refuses'],
    ['SERVFAIL', 'SERVFAIL', 'fails'],
    ['NOTIMP', 'NOTIMP', 'fails'],
  ]
  for (const [a, aaaa, verdict] of cases) {
    const replies = [a, aaaa].map((text) => ({
      rcode: text.replace('+', ''),
      answer: text.endsWith('+') ? ['a record'] : [],
    }))
    t.equal(verdictFrom(replies), verdict, `${a} ${aaaa}`)
  }
})

t.test('resolv.conf is read as the C library reads it', async (t) => {
  const text = '# nameserver 1.1.1.1\nsearch a b\n nameserver 10.0.0.1 \nnameserver fe80::1%eth0\n'
  t.strictSame(parseResolvConf(text).nameservers, ['10.0.0.1', 'fe80::1%eth0'])
  t.strictSame(parseResolvConf('').nameservers, ['127.0.0.1'])
})

t.test(
  'doctor finds an agent healthy, names what this machine lacks, and exits by it',
  async (t) => {
    const agent = await AgentProcess.start({ args: ['-dev', '-node', 'n1'] })
    const directory = t.testdir({ 'resolv.conf': 'nameserver 192.0.2.77\n' })
    const flags = ['--resolv-conf', `${directory}/resolv.conf`]
    flags.push('-dns-addr', `127.0.0.1:${agent.dnsPort}`)
    const ran = await runSvcd(agent.httpUrl, 'doctor', ...flags, '-o', 'json')
    t.equal(ran.code, 1, 'a resolver that does not find the domain is a problem')
    const findings = JSON.parse(ran.out) as readonly {
      about: string
      level: string
      text: string
    }[]
    const levels = Object.fromEntries(findings.map(({ about, level }) => [about, level]))
    const healthy = { agent: 'ok', leader: 'ok', ports: 'ok', clock: 'ok', data: 'ok', dns: 'ok' }
    t.strictSame(levels, { ...healthy, resolver: 'problem' })
    t.match(findings.at(-1)?.text, /192\.0\.2\.77 does not answer/)
    const shown = await runSvcd(agent.httpUrl, 'doctor', ...flags)
    t.match(shown.out, /^ok +leader +n1 is the leader, 1 of 1 servers alive\.$/m)
    t.match(shown.out, /^problem +resolver .*\n +→ Run the agent with -dns-port 53/m)
    t.match(shown.err, /^svcd: 1 problem found/)
    await agent.stop()
    const down = await runSvcd(agent.httpUrl, 'doctor', ...flags)
    t.equal(down.code, 2)
    t.match(down.out, /^problem +agent +No agent answers at/m)
    t.match(down.out, /^problem +resolver/m, 'the resolver is looked at all the same')
  },
)

t.test('doctor tells an agent of Consul from one of svcd', async (t) => {
  const self = { Config: { NodeName: 'n1', Datacenter: 'dc1', Server: true, Version: '1.8.7' } }
  const consul = createServer((_request, response) => response.end(JSON.stringify(self)))
  t.teardown(() => consul.close())
  await once(consul.listen(0, '127.0.0.1'), 'listening')
  const { port } = consul.address() as AddressInfo
  const ran = await runSvcd(`http://127.0.0.1:${port}`, 'doctor')
  t.equal(ran.code, 2)
  t.match(ran.out, /^problem +agent +.* it is not an agent \(it is Consul 1\.8\.7\)/m)
  t.notMatch(ran.out, /^\w+ +leader/m, 'what an agent of svcd reports is not looked at')
})
