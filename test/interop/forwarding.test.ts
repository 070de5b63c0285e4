import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import { must } from '../../src/base/assert.ts'
import { AgentProcess, svcdBin } from '../helpers/agent-process.ts'
import { missing, notRoot } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

// docs/dns-forwarding.md: the lines that it gives for each resolver, unchanged, on a host of its own, where
// svcd is on port 8600 and the resolver on port 53. No other name server can be reached from there.

const run = promisify(execFile)
const namespace = `svcd-forward-${process.pid}`
const inside = ['ip', 'netns', 'exec', namespace]
const noHost = missing('ip', 'dig') || notRoot()
const page = readFileSync(
  fileURLToPath(new URL('../../docs/dns-forwarding.md', import.meta.url)),
  'utf8',
)

/** The code blocks of a section of the page. */
function blocksOf(heading: string): readonly string[] {
  const section = must(page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)))
  const found = section.matchAll(/^ *```(?!sh\n).*\n([^]*?)^ *```$/gm)
  return [...found].map(([, text = '']) => text)
}

/** The first block of a section that holds `text`. */
function blockOf(heading: string, text = ''): string {
  return must(blocksOf(heading).find((block) => block.includes(text)))
}

async function dig(...words: readonly string[]): Promise<string> {
  const [command = '', ...args] = [...inside, 'dig', '+time=2', '+tries=1', ...words]
  return (await run(command, args)).stdout
}

/** Starts a resolver on the host; resolves when it answers. */
async function startResolver(t: Test, ...words: readonly string[]): Promise<void> {
  const [command = '', ...args] = [...inside, ...words]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (log += chunk.toString()))
  }
  t.teardown(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  await until(`${words[0]} answers`, 20_000, async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${log}`)
    return (await dig('@127.0.0.1', 'version.bind', 'CH', 'TXT')).includes('status:')
  })
}

async function answersOf(name: string, type = 'A', ...words: readonly string[]): Promise<string[]> {
  return (await dig('@127.0.0.1', '+short', name, type, ...words)).trim().split('\n').toSorted()
}

/** Runs a command of the program on the host. */
async function svcd(...words: readonly string[]): Promise<void> {
  const [command = '', ...args] = [...inside, process.execPath, svcdBin, ...words]
  await run(command, args)
}

/** What every resolver that forwards the domain makes of svcd's names. */
async function findsServices(t: Test): Promise<void> {
  await svcd('register', 'web', '--id', 'web-1', '--address', '10.9.0.1', '--port', '8081')
  t.strictSame(await answersOf('web.service.consul'), ['10.9.0.1', '10.9.0.2'])
  t.strictSame(await answersOf('web.service.consul', 'SRV', '+tcp'), [
    '1 1 8081 0a090001.addr.dc1.consul.',
    '1 1 8082 0a090002.addr.dc1.consul.',
  ])
  t.match(await dig('@127.0.0.1', 'web.service.consul', 'AAAA'), /NOERROR[^]*ANSWER: 0/)
  t.match(await dig('@127.0.0.1', 'none.service.consul'), /status: NXDOMAIN/)
  t.strictSame(await answersOf('consul.service.consul'), ['127.0.0.1'], 'as the page tests it')
  await svcd('deregister', 'web-1')
  t.strictSame(await answersOf('web.service.consul'), ['10.9.0.2'], 'nothing is cached')
}

t.test('the lines of the page forward .consul to svcd', { skip: noHost }, async (t) => {
  await run('ip', ['netns', 'add', namespace])
  t.teardown(() => run('ip', ['netns', 'delete', namespace]))
  await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up'])
  await run('ip', ['-n', namespace, 'address', 'add', '172.17.0.1/16', 'dev', 'lo'])
  const agent = await AgentProcess.start({
    wrapper: inside,
    args: ['-dev', '-http-port=8500', '-dns-port=8600', '-log-level=warn'],
  })
  t.teardown(() => agent.stop())
  await svcd('register', 'web', '--id', 'web-2', '--address', '10.9.0.2', '--port', '8082')

  await t.test('dnsmasq', { skip: missing('dnsmasq') }, async (t) => {
    const directory = t.testdir({
      'svcd.conf': blockOf('dnsmasq') + blockOf('Docker', 'listen-address'),
    })
    const fixed = ['--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts']
    await startResolver(
      t,
      'dnsmasq',
      ...fixed,
      '--user=root',
      '--pid-file=',
      `--conf-dir=${directory}`,
    )
    await findsServices(t)
    t.match(await dig('@127.0.0.1', 'example.org'), /REFUSED/, 'no other name goes to svcd')
    const ofContainers = await dig('@172.17.0.1', 'consul.service.consul', '+short')
    t.equal(ofContainers, '127.0.0.1\n', 'it answers on the address of the bridge')
  })

  const unbound = async (t: Test, lines: string): Promise<void> => {
    const directory = t.testdir({
      'unbound.conf': `server:
  directory: "."
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  interface: 127.0.0.1
  trust-anchor: ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
  private-address: 10.0.0.0/8
${lines}`,
    })
    await startResolver(t, 'unbound', '-d', '-c', join(directory, 'unbound.conf'))
  }

  await t.test('Unbound', { skip: missing('unbound') }, async (t) => {
    await unbound(t, blockOf('Unbound'))
    await findsServices(t)
  })

  await t.test('Unbound needs each of its lines', { skip: missing('unbound') }, async (t) => {
    for (const line of ['do-not-query-localhost', 'domain-insecure']) {
      await t.test(line, async (t) => {
        await unbound(t, blockOf('Unbound').replace(new RegExp(`.*${line}.*\n`), ''))
        t.match(await dig('@127.0.0.1', 'consul.service.consul'), /status: SERVFAIL/)
      })
    }
  })

  const bind = async (t: Test, option: string): Promise<void> => {
    const directory = t.testdir({})
    const file = join(directory, 'named.conf')
    const options = `directory "${directory}"; pid-file none; listen-on { 127.0.0.1; };
    listen-on-v6 { none; }; recursion yes; dnssec-validation auto;`
    writeFileSync(file, `options {\n${options}\n${option}};\n${blockOf('BIND 9', 'zone')}`)
    await startResolver(t, 'named', '-g', '-c', file)
  }

  await t.test('BIND', { skip: missing('named') }, async (t) => {
    await bind(t, blockOf('BIND 9', 'validate-except'))
    await findsServices(t)
  })

  await t.test(
    'BIND needs the exception from validation',
    { skip: missing('named') },
    async (t) => {
      await bind(t, '')
      t.match(await dig('@127.0.0.1', 'consul.service.consul'), /status: SERVFAIL/)
    },
  )

  await t.test(
    'PowerDNS Recursor',
    { skip: noRecursor() || (await isNewRecursor()) },
    async (t) => {
      const section = 'PowerDNS Recursor'
      // The path of its socket must be short.
      const directory = mkdtempSync(join(tmpdir(), 'svcd-forward-'))
      t.teardown(() => rmSync(directory, { recursive: true, force: true }))
      const lines = join(directory, 'recursor.d')
      mkdirSync(lines)
      writeFileSync(join(directory, 'recursor.conf'), '')
      writeFileSync(join(directory, 'lua.conf'), blockOf(section, 'addNTA'))
      writeFileSync(join(lines, 'svcd.conf'), blockOf(section, 'forward-zones='))
      const flags = [
        `--config-dir=${directory}`,
        `--socket-dir=${directory}`,
        `--lua-config-file=${join(directory, 'lua.conf')}`,
      ]
      const fixed = ['--daemon=no', '--local-address=127.0.0.1', '--minimum-ttl-override=0']
      await startResolver(t, 'pdns_recursor', ...flags, `--include-dir=${lines}`, ...fixed)
      await findsServices(t)
    },
  )

  await t.test('a redirect of port 53', { skip: missing('iptables') }, async (t) => {
    const rules = must(/iptables .*OUTPUT[^]*?```/.exec(page))[0]
      .split('\n')
      .slice(0, 2)
    for (const rule of rules) {
      const [command = '', ...args] = [...inside, ...rule.split(' ')]
      await run(command, args)
    }
    await findsServices(t)
  })
})

function noRecursor(): string | false {
  return missing('pdns_recursor')
}

async function isNewRecursor(): Promise<string | false> {
  if (noRecursor() !== false) return false
  const { stdout, stderr } = await run('pdns_recursor', ['--version']).catch(() => {
    return { stdout: '', stderr: '' }
  })
  return /Recursor 4\./.test(stdout + stderr) ? false : 'its configuration is another one'
}
