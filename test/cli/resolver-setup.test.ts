import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { resolverSystems } from '../../src/cli/resolver-snippets.ts'
import type { Forwarding } from '../../src/cli/resolver-snippets.ts'
import { must } from '../../src/base/assert.ts'
import { run } from '../../src/cli/run.ts'
import { TestApi } from '../api/support.ts'
import { missing } from '../helpers/tools.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function setup(line: string, env: Record<string, string> = {}): Promise<Ran> {
  let [out, err] = ['', '']
  const code = await run(['resolver-setup', ...line.split(' ').filter((word) => word !== '')], {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env,
    readText: async (path) => readFile(path, 'utf8'),
  })
  return { code, out, err }
}

const page = readFileSync(
  fileURLToPath(new URL('../../docs/dns-forwarding.md', import.meta.url)),
  'utf8',
)
const ofPage: Forwarding = { domain: 'consul', address: '127.0.0.1', port: 8600 }

t.test('the page of DNS forwarding shows what the command prints', async (t) => {
  for (const [name, { snippet, needs }] of Object.entries(resolverSystems)) {
    const address = name === 'docker' ? '172.17.0.1' : '127.0.0.1'
    const server = needs === undefined ? ofPage : { ...ofPage, address, port: 53 }
    for (const { text, path } of snippet(server).files) {
      t.ok(
        page.includes(`\n${text}\`\`\`\n`),
        `${name}: a block of the page is the content of ${path}`,
      )
    }
  }
})

t.test('the page names each system that the command knows', async (t) => {
  const { out } = await setup('')
  const names = [...out.matchAll(/^(\S+) {2}/gm)].map(([, name = '']) => name).slice(1)
  t.strictSame(names, Object.keys(resolverSystems))
  for (const name of names) t.ok(page.includes(`svcd resolver-setup ${name}`), name)
})

t.test('address, port and domain are those of the agent', async (t) => {
  const api = new TestApi(t)
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' })
  const { code, out, err } = await setup('dnsmasq', { SVCD_HTTP_ADDR: address })
  t.equal(code, 0)
  t.equal(out, 'server=/consul/127.0.0.1#8600\n')
  t.match(err, /^# \/etc\/dnsmasq\.d\/svcd\.conf:\n\n# Then:\n# {3}systemctl restart dnsmasq\n$/)
})

t.test('options count more than the agent, and then it is not asked', async (t) => {
  const env = { SVCD_HTTP_ADDR: '127.0.0.1:1' }
  const given = '--dns-addr [2001:db8::1]:53 --domain SVC.example.com.'
  t.equal((await setup(`dnsmasq ${given}`, env)).out, 'server=/svc.example.com/2001:db8::1#53\n')
  t.match((await setup(`systemd-resolved ${given}`, env)).out, 'DNS=[2001:db8::1]:53\n')
  const unbound = (await setup('unbound --dns-addr 10.0.0.1', env)).out
  t.match(unbound, 'stub-addr: 10.0.0.1@8600\n')
  t.notMatch(unbound, 'do-not-query-localhost', 'that is only for a server on this machine')
  const json = JSON.parse((await setup('bind --dns-addr 10.0.0.1 --json', env)).out) as object
  t.match(json, { files: [{ path: '/etc/bind/named.conf.local' }, {}], steps: ['named-checkconf'] })
})

t.test('a mistake is an error that says what to do', async (t) => {
  const cases = [
    ['resolved', /"resolved" is not a resolver that svcd knows; use systemd-resolved, dnsmasq/],
    ['docker --dns-addr 127.0.0.1:53', /docker can only query port 53 of an address/],
    ['docker --dns-addr 172.17.0.1:8600', /svcd answers at 172\.17\.0\.1:8600\. Start the agent/],
    ['resolv.conf --dns-addr 127.0.0.1:8600', /resolv\.conf can only query port 53, and/],
    ['dnsmasq --dns-addr ns.example.org:53', /"ns\.example\.org" is not an IP address/],
    ['dnsmasq --dns-addr 10.0.0.1 --domain a/b', /"a\/b" is not a domain/],
  ] as const
  for (const [line, expected] of cases) {
    const { code, out, err } = await setup(line)
    t.equal(code, 1, line)
    t.equal(out, '', 'nothing that could be written to a file')
    t.match(err, expected, line)
  }
  t.equal((await setup('docker --dns-addr 172.17.0.1:53')).out, '{ "dns": ["172.17.0.1"] }\n')
})

const execute = promisify(execFile)
const servers = [ofPage, { domain: 'svc.example.com', address: '2001:db8::1', port: 53 }]

function textOf(name: string, server: Forwarding, file = 0): string {
  return must(must(resolverSystems[name]).snippet(server).files[file]).text
}

t.test('Unbound accepts its lines', { skip: missing('unbound-checkconf') }, async (t) => {
  for (const [n, server] of servers.entries()) {
    const directory = t.testdir({ [`${n}.conf`]: textOf('unbound', server) })
    const { stdout } = await execute('unbound-checkconf', [join(directory, `${n}.conf`)])
    t.match(stdout, /no errors/)
  }
})

t.test('BIND accepts its lines', { skip: missing('named-checkconf') }, async (t) => {
  for (const server of servers) {
    const options = `options {\n${textOf('bind', server, 1)}};\n`
    const directory = t.testdir({ 'named.conf': options + textOf('bind', server) })
    await t.resolves(execute('named-checkconf', [join(directory, 'named.conf')]))
  }
})

t.test('dnsmasq accepts its line', { skip: missing('dnsmasq') }, async (t) => {
  for (const server of servers) {
    const directory = t.testdir({ 'svcd.conf': textOf('dnsmasq', server) })
    const { stderr } = await execute('dnsmasq', ['--test', `-C`, join(directory, 'svcd.conf')])
    t.match(stderr, /syntax check OK/)
  }
})
