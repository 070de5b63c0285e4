import { execFile, spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import { ask } from '../../src/net/dns-client.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { missing } from '../helpers/tools.ts'
import { tsigKey, tsigKeyText } from '../helpers/transfer-client.ts'
import { until } from '../helpers/until.ts'

// BIND, Knot DNS and NSD as secondaries of an agent, with TSIG: they have each change within 2 s, and answer as
// the agent does.

const zones = ['consul', 'example.org']
const convergedMs = 2000

interface Ports {
  readonly own: number
  readonly primary: number
}

interface Secondary {
  readonly program: string
  readonly args: (directory: string) => readonly string[]
  readonly config: (directory: string, ports: Ports) => string
}

const { name: key, secret } = tsigKey

const secondaries: readonly Secondary[] = [
  {
    program: 'named',
    args: (directory) => ['-g', '-c', join(directory, 'conf')],
    config: (directory, { own, primary }) => `
key "${key}" { algorithm hmac-sha256; secret "${secret}"; };
options {
  directory "${directory}";
  pid-file "${directory}/pid";
  session-keyfile "${directory}/session.key";
  managed-keys-directory "${directory}";
  listen-on port ${own} { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  allow-notify { 127.0.0.1; };
  notify no;
  min-refresh-time 1;
};
controls { };
${zones
  .map(
    (zone) => `zone "${zone}" {
  type secondary; file "${zone}.db"; masterfile-format text;
  primaries { 127.0.0.1 port ${primary} key "${key}"; };
};`,
  )
  .join('\n')}
`,
  },
  {
    program: 'knotd',
    args: (directory) => ['-c', join(directory, 'conf')],
    config: (directory, { own, primary }) => `
server:
  rundir: "${directory}"
  listen: 127.0.0.1@${own}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "${directory}"
log:
  - target: "${directory}/log"
    any: info
key:
  - id: ${key}
    algorithm: hmac-sha256
    secret: ${secret}
remote:
  - id: primary
    address: 127.0.0.1@${primary}
    key: ${key}
acl:
  - id: notify
    address: 127.0.0.1
    key: ${key}
    action: notify
template:
  - id: default
    storage: "${directory}"
    master: primary
    acl: notify
zone:
${zones.map((zone) => `  - domain: ${zone}`).join('\n')}
`,
  },
  {
    program: 'nsd',
    args: (directory) => ['-d', '-c', join(directory, 'conf')],
    config: (directory, { own, primary }) => `
server:
  ip-address: 127.0.0.1@${own}
  server-count: 1
  username: ""
  database: ""
  zonesdir: "${directory}"
  pidfile: "${directory}/pid"
  logfile: "${directory}/log"
  verbosity: 2
  xfrdfile: "${directory}/xfrd"
  xfrdir: "${directory}"
  zonelistfile: "${directory}/list"
  rrl-ratelimit: 0
  xfrd-reload-timeout: 0
remote-control:
  control-enable: no
key:
  name: ${key}
  algorithm: hmac-sha256
  secret: "${secret}"
${zones
  .map(
    (zone) => `zone:
  name: ${zone}
  zonefile: ${zone}.zone
  allow-notify: 127.0.0.1 ${key}
  request-xfr: 127.0.0.1@${primary} ${key}`,
  )
  .join('\n')}
`,
  },
]

const zoneText = (serial: number, address: string): string => `$ORIGIN example.org.
$TTL 60
@ SOA ns hostmaster ${serial} 3600 900 1209600 300
@ NS ns
ns A 192.0.2.53
www A ${address}
*.wild MX 10 www
`

async function addressesAt(port: number, name: string): Promise<string> {
  const { answer } = await ask({ address: '127.0.0.1', port }, name, 'A', { timeoutMs: 500 })
  return answer
    .map(({ data }) => data)
    .toSorted()
    .join(' ')
}

/** The agent that has the zones, and a secondary that is told of changes. */
async function startBoth(t: Test, server: Secondary) {
  const directory = t.testdir({ zones: { 'example.org.zone': zoneText(1, '192.0.2.1') } })
  chmodSync(directory, 0o777)
  const [own = 0, primary = 0] = await freePorts(2)
  writeFileSync(join(directory, 'conf'), server.config(directory, { own, primary }))
  const agent = await AgentProcess.start({
    args: [
      '-dev',
      '-node=n1',
      `-dns-port=${primary}`,
      '-zones',
      join(directory, 'zones'),
      '-tsig-key',
      tsigKeyText,
      `-dns-transfer-allow=127.0.0.1#${key}`,
      `-dns-notify=127.0.0.1:${own}#${key}`,
    ],
  })
  t.teardown(() => agent.stop())
  const child = spawn(server.program, server.args(directory), { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const exited = new Promise((resolve) => {
    child.once('exit', resolve)
  })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
    if (!t.passing()) t.comment(`${output}\n${agent.output}`)
  })
  return { agent, directory, own }
}

const register = (agent: AgentProcess, address: string): Promise<Response> =>
  agent.put('agent/service/register', { Name: 'web', Address: address, Port: 80, Tags: ['v1'] })

/** Resolves with the milliseconds until a secondary answers as wanted. */
async function converges(port: number, name: string, wanted: string): Promise<number> {
  const beganMs = performance.now()
  await until(`${name} is ${wanted}`, 20_000, async () => {
    return (await addressesAt(port, name).catch(() => '')) === wanted
  })
  return performance.now() - beganMs
}

for (const server of secondaries) {
  const { program } = server
  t.test(`${program} follows an agent`, { skip: missing(program) }, async (t) => {
    const { agent, directory, own } = await startBoth(t, server)
    await register(agent, '10.9.0.1')
    await converges(own, 'web.service.consul', '10.9.0.1')
    await converges(own, 'www.example.org', '192.0.2.1')
    for (const n of [2, 3, 4]) {
      await register(agent, `10.9.0.${n}`)
      const ms = await converges(own, 'v1.web.service.dc1.consul', `10.9.0.${n}`)
      t.ok(ms <= convergedMs, `a change of the registry arrived in ${Math.round(ms)} ms`)
    }
    writeFileSync(join(directory, 'zones/example.org.zone'), zoneText(2, '192.0.2.2'))
    await agent.signal('SIGHUP', 'reloaded definition and zone files')
    const ms = await converges(own, 'www.example.org', '192.0.2.2')
    t.ok(ms <= convergedMs, `a change of a zone file arrived in ${Math.round(ms)} ms`)
    await agent.put('agent/service/deregister/web')
    const gone = await converges(own, 'web.service.consul', '')
    t.ok(gone <= convergedMs, `a service was gone in ${Math.round(gone)} ms`)
    await register(agent, '10.9.0.9')
    await converges(own, 'web.service.consul', '10.9.0.9')
    const questions = [
      ['web.service.consul', 'SRV'],
      ['_web._tcp.service.consul', 'SRV'],
      ['v1.web.service.consul', 'A'],
      ['0a090009.addr.dc1.consul', 'A'],
      ['n1.node.consul', 'A'],
      ['n1.node.dc1.consul', 'TXT'],
      ['consul', 'NS'],
      ['none.service.consul', 'A'],
      ['x.wild.example.org', 'MX'],
    ] as const
    for (const [name, type] of questions) {
      const answers = await Promise.all(
        [agent.dnsPort, own].map(async (port) => {
          const { rcode, answer } = await ask({ address: '127.0.0.1', port }, name, type)
          return [
            rcode,
            ...answer
              .map(({ name, type, ttl, data }) => `${name} ${ttl} ${type} ${data}`.toLowerCase())
              .toSorted(),
          ]
        }),
      )
      t.strictSame(answers[1], answers[0], `${name} ${type}`)
    }
  })
}

t.test('kdig transfers a zone over TLS, with a key', { skip: missing('kdig') }, async (t) => {
  const directory = t.testdir({ zones: { 'example.org.zone': zoneText(1, '192.0.2.1') } })
  const ca = authority()
  const { cert: caFile } = writeCredentials(directory, 'ca', ca)
  const files = writeCredentials(directory, 'server', leaf(ca))
  const [tlsPort = 0] = await freePorts(1)
  const agent = await AgentProcess.start({
    args: [
      '-dev',
      `-dns-tls-port=${tlsPort}`,
      `-dns-cert-file=${files.cert}`,
      `-dns-key-file=${files.key}`,
      `-zones=${join(directory, 'zones')}`,
      `-tsig-key=${tsigKeyText}`,
      `-dns-transfer-allow=key:${key}`,
    ],
  })
  t.teardown(() => agent.stop())
  const kdig = async (...words: readonly string[]): Promise<string> => {
    const tls = [`+tls-ca=${caFile}`, '+tls-hostname=server.dc1.consul']
    const args = ['@127.0.0.1', '-p', String(tlsPort), ...tls, ...words, 'example.org', 'AXFR']
    const run = promisify(execFile)('kdig', args)
    const { stdout, stderr } = await run.catch((error: unknown) => error as Awaited<typeof run>)
    return stdout + stderr
  }
  t.match(await kdig('-y', tsigKeyText), /www\.example\.org\.\s+60\s+IN\s+A\s+192\.0\.2\.1/)
  t.match(await kdig(), /REFUSED/)
})
