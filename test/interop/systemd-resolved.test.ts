import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { authority, leaf, writeCredentials } from '../helpers/certificates.ts'
import { Namespaces } from '../helpers/namespaces.ts'
import { blocksOf } from '../helpers/page-blocks.ts'
import { missing, notRoot } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// docs/dns-forwarding.md: systemd-resolved with the lines of the page, on a machine of its own. It runs without
// systemd, with a /run of its own, so that it does not meet the one of the test's own machine.

const run = promisify(execFile)
const program = '/lib/systemd/systemd-resolved'
const noProgram = existsSync(program) ? false : `needs ${program}`
const skip = missing('ip', 'dig', 'getent', 'unshare', 'curl') || notRoot() || noProgram
const page = readFileSync(new URL('../../docs/dns-forwarding.md', import.meta.url), 'utf8')
const ca = authority()
const user = 'systemd-resolve:x:65533:'

interface Machine {
  readonly wrapper: readonly string[]
  readonly address: string
  /** Its own /etc, as far as it differs. */
  readonly etc: string
  readonly agent: AgentProcess
  readonly caFile: string
}

/** A machine with an agent, over UDP on port 8600 and over TLS on 853. */
async function startMachine(t: Test): Promise<Machine> {
  const network = await Namespaces.create(1)
  t.teardown(() => network.remove())
  const { namespace, wrapper, address } = must(network.hosts[0])
  // `ip netns exec` shows the files of this directory as /etc inside the namespace.
  const etc = `/etc/netns/${namespace}`
  mkdirSync(join(etc, 'systemd/resolved.conf.d'), { recursive: true })
  t.teardown(() => rmSync(etc, { recursive: true, force: true }))
  writeFileSync(join(etc, 'resolv.conf'), 'nameserver 127.0.0.53\n')
  writeFileSync(join(etc, 'passwd'), `root:x:0:0::/:/bin/sh\n${user}65533::/:/bin/false\n`)
  writeFileSync(join(etc, 'group'), `root:x:0:\n${user}\n`)
  const services = [{ name: 'web', address: '10.9.0.1', port: 80 }]
  const directory = t.testdir({ 'services.json': JSON.stringify({ services }) })
  const { cert: caFile } = writeCredentials(directory, 'ca', ca)
  const files = writeCredentials(directory, 'server', leaf(ca))
  const agent = await AgentProcess.start({
    wrapper,
    args: [
      '-dev',
      '-log-level=warn',
      '-http-port=8500',
      '-dns-port=8600',
      '-dns-tls-port=853',
      `-dns-addresses=127.0.0.1 ${address}`,
      `-dns-cert-file=${files.cert}`,
      `-dns-key-file=${files.key}`,
      `-config-file=${join(directory, 'services.json')}`,
    ],
  })
  t.teardown(() => agent.stop())
  return { wrapper, address, etc, agent, caFile }
}

async function inside({ wrapper }: Machine, ...words: readonly string[]): Promise<string> {
  const [command = '', ...args] = [...wrapper, ...words]
  return (await run(command, args)).stdout
}

/** Starts systemd-resolved with a file for resolved.conf.d; resolves when it listens. */
async function startResolved(t: Test, machine: Machine, lines: string): Promise<void> {
  writeFileSync(join(machine.etc, 'systemd/resolved.conf.d/svcd.conf'), lines)
  const prepare = 'mount -t tmpfs tmpfs /run && mkdir /run/systemd'
  const script = `${prepare} && SSL_CERT_FILE=${machine.caFile} exec ${program}`
  const [command, ...args] = [...machine.wrapper, 'unshare', '-m', 'sh', '-c', script]
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  t.teardown(async () => {
    child.kill('SIGTERM')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  await until('systemd-resolved listens', 20_000, async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${log}`)
    return (await status(machine, 'localhost')) === 'NOERROR'
  })
}

async function status(machine: Machine, name: string): Promise<string | undefined> {
  const words = ['dig', '@127.0.0.53', '+time=5', '+tries=1', name]
  const printed = await inside(machine, ...words).catch(() => '')
  return /status: (\w+)/.exec(printed)?.[1]
}

function lineOf(text: string): string {
  return must(blocksOf(page).find((block) => block.text.includes(text))).text
}

/** Queries that came to the agent over a transport. */
async function queriesOver(machine: Machine, transport: string): Promise<number> {
  const url = 'http://127.0.0.1:8500/v1/agent/metrics?format=prometheus'
  const text = await inside(machine, 'curl', '-s', url)
  const lines = text.matchAll(
    new RegExp(`^svcd_dns_queries_total\\{transport="${transport}".*\\} (\\d+)$`, 'gm'),
  )
  return [...lines].reduce((sum, [, count]) => sum + Number(count), 0)
}

async function findsServices(t: Test, machine: Machine): Promise<void> {
  t.match(await inside(machine, 'getent', 'hosts', 'web.service.consul'), /^10\.9\.0\.1\s/)
  t.equal(await status(machine, 'none.service.consul'), 'NXDOMAIN')
}

t.test('systemd-resolved forwards .consul to svcd', { skip }, async (t) => {
  const machine = await startMachine(t)

  await t.test('over UDP', async (t) => {
    await startResolved(t, machine, lineOf('DNS=127.0.0.1:8600\nDomains=~consul'))
    await findsServices(t, machine)
    t.ok((await queriesOver(machine, 'udp')) > 0)
    t.equal(await queriesOver(machine, 'tls'), 0)
  })

  const overTls = lineOf('DNSOverTLS=yes').replace('10.0.0.1', machine.address)

  await t.test('over TLS', async (t) => {
    await startResolved(t, machine, overTls)
    const before = await queriesOver(machine, 'udp')
    await findsServices(t, machine)
    t.ok((await queriesOver(machine, 'tls')) > 0)
    t.equal(await queriesOver(machine, 'udp'), before)
  })

  await t.test('not over TLS, if the certificate has another name', async (t) => {
    await startResolved(t, machine, overTls.replace('#server.dc1.consul', '#other.example'))
    t.not(await status(machine, 'web.service.consul'), 'NOERROR')
  })
})
