import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { ask } from '../../src/net/dns-client.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { blocksOf } from '../helpers/page-blocks.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

const run = promisify(execFile)
const ca = authority()

/** An agent with a service, and where it answers over TLS and HTTPS. */
async function startAgent(t: Test) {
  const directory = t.testdir({})
  const { cert: caFile } = writeCredentials(directory, 'ca', ca)
  const files = writeCredentials(directory, 'server', leaf(ca))
  const [tlsPort = 0, httpsPort = 0, other = 0] = await freePorts(3)
  const agent = await AgentProcess.start({
    args: [
      '-dev',
      '-log-level=warn',
      `-dns-tls-port=${tlsPort}`,
      `-dns-https-port=${httpsPort}`,
      '-dns-cert-file',
      files.cert,
      '-dns-key-file',
      files.key,
    ],
  })
  t.teardown(async () => agent.stop())
  const service = { Name: 'web', ID: 'web-1', Address: '10.9.0.1', Port: 8081 }
  await agent.put('agent/service/register', service)
  return { agent, directory, caFile, tlsPort, httpsPort, other }
}

t.test(
  'an agent serves DNS over TLS and HTTPS, counts it, and reloads the certificate',
  async (t) => {
    const { agent, directory, tlsPort, httpsPort } = await startAgent(t)
    for (const [encrypted, port] of [
      ['tls', tlsPort],
      ['https', httpsPort],
    ] as const) {
      const asked = (trusted: string) =>
        ask({ address: '127.0.0.1', port }, 'web.service.consul', 'A', {
          encrypted,
          trust: { ca: trusted, serverName: 'server.dc1.consul' },
        })
      const { answer } = await asked(ca.cert)
      t.match(answer, [{ data: '10.9.0.1' }])
      const metrics = await fetch(
        `http://127.0.0.1:${agent.httpPort}/v1/agent/metrics?format=prometheus`,
      )
      const text = await metrics.text()
      const label = `transport="${encrypted}"`
      t.match(text, new RegExp(`svcd_dns_queries_total\\{${label},thread="main"\\} 1\n`))
      t.match(text, new RegExp(`svcd_dns_connections_total\\{${label}\\} 1\n`))
      if (encrypted === 'https') {
        const next = authority()
        writeCredentials(directory, 'server', leaf(next))
        must(agent.child).kill('SIGHUP')
        await until(
          'the new certificate is used',
          10_000,
          async () => (await asked(next.cert)).rcode,
        )
      }
    }
  },
)

t.test('kdig asks an agent over TLS and HTTPS', { skip: missing('kdig') }, async (t) => {
  const { caFile, tlsPort, httpsPort } = await startAgent(t)
  for (const [flag, port] of [
    ['+tls', tlsPort],
    ['+https', httpsPort],
  ] as const) {
    const server = ['@127.0.0.1', '-p', String(port), flag, `+tls-ca=${caFile}`]
    const words = [...server, '+tls-hostname=server.dc1.consul', '+short', 'web.service.consul']
    t.equal((await run('kdig', words)).stdout, '10.9.0.1\n', flag)
  }
})

t.test('curl finds a service by DNS over HTTPS', { skip: missing('curl') }, async (t) => {
  const { agent, caFile, httpsPort } = await startAgent(t)
  const resolver = ['--doh-url', `https://localhost:${httpsPort}/dns-query`, '--cacert', caFile]
  const url = `http://consul.service.consul:${agent.httpPort}/v1/status/leader`
  const { stdout } = await run('curl', ['-s', ...resolver, '-w', ' %{http_code} %{remote_ip}', url])
  t.match(stdout, / 200 127\.0\.0\.1$/)
})

t.test(
  'Unbound queries svcd over TLS, as the page shows',
  { skip: missing('unbound', 'dig') },
  async (t) => {
    const { directory, caFile, tlsPort, other: port } = await startAgent(t)
    const page = readFileSync(new URL('../../docs/dns-forwarding.md', import.meta.url), 'utf8')
    const block = must(blocksOf(page).find(({ text }) => text.includes('stub-tls-upstream')))
    const shown = block.text
      .replace('/etc/unbound/svcd-agent-ca.pem', caFile)
      .replace('10.0.0.1@853', `127.0.0.1@${tlsPort}`)
    const own = [
      'server:',
      `  interface: 127.0.0.1@${port}`,
      '  do-not-query-localhost: no',
      '  username: ""',
      '  chroot: ""',
      '  do-daemonize: no',
      '  use-syslog: no',
      `  pidfile: ${directory}/pid`,
      `  directory: ${directory}`,
    ]
    const file = join(directory, 'unbound.conf')
    writeFileSync(file, `${own.join('\n')}\n${shown}\n`)
    const unbound = spawn('unbound', ['-d', '-c', file], { stdio: 'ignore' })
    t.teardown(async () => {
      unbound.kill('SIGTERM')
      if (unbound.exitCode === null) await once(unbound, 'exit')
    })
    const answer = await until('Unbound answers', 20_000, async () => {
      const words = ['@127.0.0.1', '-p', String(port), '+short', '+time=2', 'web.service.consul']
      return (await run('dig', words)).stdout.trim() || undefined
    })
    t.equal(answer, '10.9.0.1')
  },
)
