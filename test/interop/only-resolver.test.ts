import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { startKnot } from '../bench/name-servers.ts'
import { AgentProcess } from '../helpers/agent-process.ts'
import { Namespaces } from '../helpers/namespaces.ts'
import { missing, notRoot } from '../helpers/tools.ts'

// A machine whose only name server is svcd, with a search list and the `ndots` of a Kubernetes pod. Programs in
// several languages find names of the registry and names outside. A Knot on another host has the names outside.

const run = promisify(execFile)
const skip = missing('ip', 'knotd', 'getent') || notRoot()
const sources = fileURLToPath(new URL('look-up/', import.meta.url))

const zone = `$ORIGIN example.
$TTL 300
@ SOA ns root 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.1
www.shop CNAME front.cdn
front.cdn A 192.0.2.80
front.cdn AAAA 2001:db8::80
six.shop AAAA 2001:db8::6
${Array.from({ length: 100 }, (_, n) => `many.shop A 192.0.2.${100 + n}`).join('\n')}
`

const resolvConf = `nameserver 127.0.0.1
search service.consul shop.example
options ndots:5
`

const services = [
  { name: 'web', id: 'web-1', address: '10.9.0.1', port: 80 },
  { name: 'web', id: 'web-2', address: '10.9.0.2', port: 80 },
  { name: 'web6', address: '2001:db8::9', port: 80 },
  { name: 'portal', address: 'www.shop.example', port: 443 },
]

/** What each name leads to. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  'web.service.consul': ['10.9.0.1', '10.9.0.2'],
  'WEB.service.dc1.consul.': ['10.9.0.1', '10.9.0.2'],
  'web6.service.consul': ['2001:db8::9'],
  'host.node.consul': ['127.0.0.1'],
  'portal.service.consul': ['192.0.2.80', '2001:db8::80'],
  'www.shop.example': ['192.0.2.80', '2001:db8::80'],
  'six.shop.example.': ['2001:db8::6'],
  'none.service.consul': ['none'],
  'none.shop.example': ['none'],
}

/** What the search list adds. The outside knows only `example`, so it has no answer for other names of one label. */
const short: typeof wanted = {
  web: ['10.9.0.1', '10.9.0.2'],
  www: ['192.0.2.80', '2001:db8::80'],
  portal: ['192.0.2.80', '2001:db8::80'],
}

/** Runs a command on the machine; resolves with what it prints, also if it fails. */
type OnMachine = (...words: readonly string[]) => Promise<string>

async function startMachine(t: Test): Promise<OnMachine> {
  const network = await Namespaces.create(1)
  t.teardown(() => network.remove())
  const { namespace, wrapper, address } = must(network.hosts[0])
  // `ip netns exec` shows the files of this directory as /etc inside the namespace.
  const etc = `/etc/netns/${namespace}`
  mkdirSync(etc, { recursive: true })
  t.teardown(() => rmSync(etc, { recursive: true, force: true }))
  writeFileSync(join(etc, 'resolv.conf'), resolvConf)
  await network.inside(0, 'ip', 'address', 'add', '192.0.2.80/32', 'dev', 'lo')
  const outside = address.replace(/\d+$/, '254')
  const knot = must(await startKnot(zone, 'example', undefined, '', outside))
  t.teardown(() => knot.stop())
  const directory = t.testdir({ 'services.json': JSON.stringify({ services }) })
  const agent = await AgentProcess.start({
    wrapper,
    args: [
      '-dev',
      '-node=host',
      '-http-port=8500',
      '-dns-port=53',
      '-log-level=warn',
      `-recursor=${outside}:${knot.dnsPort}`,
      `-config-file=${join(directory, 'services.json')}`,
    ],
  })
  t.teardown(() => agent.stop())
  return async (...words) => {
    const [command = '', ...args] = [...wrapper, ...words]
    const options = { timeout: 60_000, env: { ...process.env, NODE_OPTIONS: '' } }
    return run(command, args, options).then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => error.stdout,
    )
  }
}

/** Asks a program that prints the addresses of each name of its command line. */
async function finds(
  t: Test,
  machine: OnMachine,
  command: readonly string[],
  names: typeof wanted = { ...wanted, ...short },
): Promise<void> {
  const printed = await machine(...command, ...Object.keys(names))
  t.strictSame(addressesIn(printed), names)
}

function addressesIn(printed: string): Record<string, readonly string[]> {
  const lines = printed.trim().split('\n')
  return Object.fromEntries(
    lines.map((line) => {
      const [name = '', ...found] = line.split(' ')
      return [name, [...new Set(found.map(shortened))].toSorted()]
    }),
  )
}

/** Java writes all groups of an IPv6 address. */
function shortened(address: string): string {
  return address.replace(/(?::0)+:/, '::')
}

async function countOf(machine: OnMachine, ...command: readonly string[]): Promise<number> {
  const printed = await machine(...command, 'many.shop.example')
  return addressesIn(printed)['many.shop.example']?.length ?? 0
}

async function compiled(t: Test, compiler: readonly string[], source: string): Promise<string> {
  const program = join(t.testdir(), 'look-up')
  const [command = '', ...flags] = compiler
  await run(command, [...flags, '-o', program, join(sources, source)], { timeout: 300_000 })
  return program
}

t.test('programs find all names through svcd alone', { skip }, async (t) => {
  const machine = await startMachine(t)

  await t.test('glibc: getent', async (t) => {
    for (const [name, addresses] of Object.entries({ ...wanted, ...short })) {
      const printed = await machine('getent', 'ahosts', name)
      const found = printed.split('\n').flatMap((line) => line.split(' ')[0] || [])
      const unique = [...new Set(found)].toSorted()
      t.strictSame(unique.length > 0 ? unique : ['none'], addresses, name)
    }
  })

  await t.test('glibc: a C program', { skip: missing('gcc') }, async (t) => {
    const program = await compiled(t, ['gcc'], 'look-up.c')
    await finds(t, machine, [program])
    t.equal(await countOf(machine, program), 100, 'an answer that needs TCP')
  })

  await t.test('glibc: curl and ping', { skip: missing('curl', 'ping') }, async (t) => {
    const url = 'http://consul.service.consul:8500/v1/status/leader'
    const curl = await machine('curl', '-s', '-w', ' %{http_code} %{remote_ip}', url)
    t.match(curl, / 200 127\.0\.0\.1$/)
    const ping = ['ping', '-4', '-n', '-c', '1', '-W', '5']
    t.match(await machine(...ping, 'host.node.consul'), /\(127\.0\.0\.1\)[^]* 1 received/)
    t.match(await machine(...ping, 'www'), /front\.cdn\.example \(192\.0\.2\.80\)[^]* 1 received/)
  })

  await t.test('musl: a C program', { skip: missing('musl-gcc') }, async (t) => {
    const program = await compiled(t, ['musl-gcc', '-static'], 'look-up.c')
    await finds(t, machine, [program])
    // Before 1.2.4, musl used the part of the answer that fits into a packet.
    t.ok((await countOf(machine, program)) >= 20, 'an answer that does not fit into a packet')
  })

  await t.test('Go without the C library', { skip: missing('go') }, async (t) => {
    const build = ['env', 'CGO_ENABLED=0', 'GO111MODULE=off', 'go', 'build']
    const program = await compiled(t, build, 'look-up.go')
    await finds(t, machine, [program])
    t.equal(await countOf(machine, program), 100, 'an answer that needs TCP')
  })

  await t.test('Node.js', async (t) => {
    const program = [process.execPath, join(sources, 'look-up.mjs')]
    await finds(t, machine, [...program, 'system'])
    // The resolver that is part of Node does not use the search list.
    await finds(t, machine, [...program, 'own'], wanted)
    t.equal(await countOf(machine, ...program, 'own'), 100, 'an answer that needs TCP')
  })

  await t.test('Java', { skip: missing('javac') }, async (t) => {
    const directory = t.testdir()
    await run('javac', ['-d', directory, join(sources, 'LookUp.java')], { timeout: 300_000 })
    const program = ['java', '-cp', directory, 'LookUp']
    await finds(t, machine, program)
    t.equal(await countOf(machine, ...program), 100, 'an answer that needs TCP')
  })
})
