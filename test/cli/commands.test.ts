import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { version } from '../../src/base/version.ts'
import { commandGroups } from '../../src/cli/command-groups.ts'
import { commands } from '../../src/cli/commands.ts'
import { run } from '../../src/cli/run.ts'
import { TestApi } from '../api/support.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs one command line in this process, as bin/svcd.js would. */
async function svcd(line: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  let [out, err] = ['', '']
  const code = await run(line, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env,
    readText: async (path) => readFile(path, 'utf8'),
  })
  return { code, out, err }
}

/** An agent's API on a socket, and the commands asked of it. */
async function startApi(
  t: Test,
): Promise<{ api: TestApi; env: Record<string, string>; ask: (line: string) => Promise<Ran> }> {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  return { api, env, ask: async (line) => svcd(line.split(' '), env) }
}

t.test('a service is registered, listed and removed', async (t) => {
  const { ask } = await startApi(t)
  const registered = await ask(
    'register web --id web-1 --address 10.9.0.1 --port 8080 --tag v1 --tag a --meta k=v=w --weight 10,2',
  )
  t.strictSame(registered, { code: 0, out: 'Registered service: web (id web-1)\n', err: '' })
  t.equal((await ask('register api')).out, 'Registered service: api\n')

  t.equal(
    (await ask('services')).out,
    'Service  Passing  Warning  Critical  Maintenance  Tags\n' +
      'api      1        0        0         0\n' +
      'consul   1        0        0         0\n' +
      'web      1        0        0         0            a,v1\n',
  )
  t.equal(
    (await ask('services web')).out,
    'ID     Node  Address   Port  Status   Tags\nweb-1  n1    10.9.0.1  8080  passing  a,v1\n',
  )
  const [instance] = JSON.parse((await ask('services web --json')).out) as [unknown]
  t.match(instance, { Service: { Meta: { k: 'v=w' }, Weights: { Passing: 10, Warning: 2 } } })
  t.equal(
    (await ask('nodes')).out,
    'Node  ID        Address    DC\nn1    11111111  127.0.0.1  dc1\n',
  )
  t.match((await ask('nodes -detailed')).out, '11111111-2222-3333-4444-555555555555')
  t.match(JSON.parse((await ask('nodes --json')).out), [{ Node: 'n1', Datacenter: 'dc1' }])

  t.equal((await ask('deregister web-1')).out, 'Deregistered service: web-1\n')
  const gone = await ask('services web')
  t.match(gone, { code: 1, out: '', err: /^svcd: There is no service "web"\. `svcd services`/ })
})

t.test('checks are registered, and critical instances are told from healthy ones', async (t) => {
  const { api, ask } = await startApi(t)
  const line =
    'register web -check-http http://127.0.0.1:1/h -interval 2s -timeout 1s -check-ttl 30s -deregister-after 1h'
  t.equal((await ask(line)).code, 0)
  t.match(
    [...api.backend.agent.checks()],
    [
      { type: 'http', interval: '2s', timeout: '1s', status: 'critical' },
      { type: 'ttl', status: 'critical' },
    ],
  )
  t.match((await ask('services web')).out, /web  n1 .* critical/)
  const passing = await ask('services web --passing')
  t.match(passing, { code: 1, err: /No instance of service "web" matches\./ })
})

t.test('a check of every kind can be registered by flags', async (t) => {
  const { api, ask } = await startApi(t)
  const target = '127.0.0.1:1'
  const flags = `-check-tcp ${target} -check-udp ${target} -check-grpc ${target}/web -check-h2ping ${target}`
  t.equal((await ask(`register web ${flags} -check-script true -check-alias db`)).code, 0)
  t.match(
    [...api.backend.agent.checks()].map(({ type, interval }) => [type, interval]),
    [
      ['tcp', '10s'],
      ['udp', '10s'],
      ['grpc', '10s'],
      ['h2ping', '10s'],
      ['script', '10s'],
      ['alias', '0s'],
    ],
  )
})

t.test('a file of definitions is registered whole', async (t) => {
  const { env, ask } = await startApi(t)
  const directory = t.testdir({
    'one.json': '{"service": {"name": "web", "id": "web-1", "tags": ["v1"], "port": 80}}',
    'many.json': '{"services": [{"Name": "a"}, {"name": "b"}]}',
    'bare.json': '{"Name": "c"}',
    'bad.json': '{"Name": ',
    'none.json': '{"services": [{"Name": "a"}, {"id": "b"}]}',
    'typo.json': '{"name": "d", "prot": 1}',
  })
  const register = async (name: string, ...more: string[]): Promise<Ran> =>
    svcd(['register', '-f', join(directory, name), ...more], env)
  t.equal((await register('one.json')).out, 'Registered service: web (id web-1)\n')
  t.strictSame(JSON.parse((await register('many.json', '--json')).out), [
    { name: 'a', id: 'a' },
    { name: 'b', id: 'b' },
  ])
  t.equal((await register('bare.json')).code, 0)
  t.equal((await ask('services -o name')).out, 'a\nb\nc\nconsul\nweb\n')
  t.match(await register('bad.json'), {
    code: 1,
    err: /^svcd: Config file .*bad\.json:1:10: expected a value/,
  })
  t.match(await register('none.json'), { code: 1, err: /none\.json:1:30: Missing service name/ })
  t.match(await register('missing.json'), { code: 1, err: /missing\.json: ENOENT/ })
  t.match(await register('typo.json'), { code: 1, err: /unknown field "prot"/ })
  t.match(await register('one.json', '--port', '1'), {
    code: 1,
    err: /remove the other options/,
  })
})

t.test('a node of the catalog is removed', async (t) => {
  const { api, ask } = await startApi(t)
  await api.put('catalog/register', {
    Node: 'old',
    Address: '10.0.0.9',
    Service: { Service: 'db', ID: 'db-1' },
  })
  t.match((await ask('nodes')).out, /^old /m)
  t.equal((await ask('deregister -node old db-1')).out, 'Deregistered service: db-1\n')
  t.equal((await ask('deregister -node old')).out, 'Deregistered node: old\n')
  t.notMatch((await ask('nodes')).out, /^old /m)
})

t.test('every mistake is one line that says what to do, and exits with 1', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['servcies', /^svcd: Unknown command "servcies"\. Did you mean "services"\? `svcd --help`/],
    ['frobnicate', /^svcd: Unknown command "frobnicate"\. `svcd --help`/],
    ['-frob', /^svcd: Unknown option "-frob"\./],
    ['constructor', /^svcd: Unknown command "constructor"/],
    [
      'register web --prot 1',
      /^svcd: Unknown option "--prot"\. Did you mean "--port"\? See `svcd register/,
    ],
    ['register web --port', /^svcd: Option "--port <port>" argument missing\. See/],
    ['register', /^svcd: Give a service name, or a file with -f\. See/],
    ['register web extra', /^svcd: Give one service name, or files that end in \.json\./],
    ['register web --port 65536', /^svcd: Option --port: "65536" is not a whole number from 0/],
    ['register web --port -1', /^svcd: Option --port: "-1"/],
    ['register web --meta k', /^svcd: Option --meta: "k" is not KEY=VALUE/],
    ['register web --weight 1,2,3', /^svcd: Option --weight: /],
    [
      'register web --interval 2s',
      /^svcd: --interval and --timeout need a check that the agent runs/,
    ],
    ['register web --deregister-after 2m', /^svcd: --deregister-after needs a check/],
    ['register web --check-ttl 10', /^svcd: Option --check-ttl: "10" is not a duration/],
    ['register web -check-http x -interval -2s', /^svcd: Option --interval: "-2s" is not/],
    [
      'deregister',
      /^svcd: Give the ID of a service, a file with services, or a node with --node\./,
    ],
    ['services --passing', /^svcd: --passing selects instances of one service/],
    [
      'maint -enable -disable',
      /^svcd: Use either --enable or --disable, not both\. See `svcd maint/,
    ],
    ['maint -service web', /^svcd: Use --service with --enable or --disable\./],
    ['maint -reason x', /^svcd: Use --reason only with --enable\./],
    ['checks -state bad', /^svcd: Option --state: "bad" is not a valid state; use any, passing/],
    ['completion tcsh', /^svcd: Unknown shell "tcsh"\. Use bash, zsh or fish\./],
    ['watch', /^svcd: Use one of --service NAME, --services, .* --event NAME and --events\./],
    ['watch -service a -nodes', /^svcd: Use one of --service NAME/],
    ['watch -nodes -passing', /^svcd: --passing and --tag select instances/],
    ['watch -nodes -state critical', /^svcd: Use --state only with --checks\./],
    ['watch -checks -service a -node b', /^svcd: With --checks use only one of/],
    [
      'services -token-file /nonexistent',
      /^svcd: Option -token-file: cannot read "\/nonexistent": ENO/,
    ],
    [
      'services -http-addr unix:///x',
      /^svcd: Option -http-addr: "unix:\/\/\/x" is not a valid address/,
    ],
    ['resolve', /^svcd: Missing required argument "name"\. See `svcd resolve --help`/],
    ['resolve a..b', /^svcd: Invalid name: "a\.\.b\.service\.consul" is not a DNS name/],
    [`resolve ${'a'.repeat(64)}`, /^svcd: Invalid name: .* use labels of 1 to 63 bytes/],
    [`resolve ${'a.'.repeat(126)}a`, /^svcd: Invalid name: .* at most 253/],
    ['resolve web -dns-addr x:y', /^svcd: Option -dns-addr: "x:y"/],
    ['agent -dev -dns-prot 1', /^svcd: Unknown option "--dns-prot"\. Did you mean "--dns-port"\?/],
    ['agent', /^svcd: Option -server: svcd does not support client agents yet/],
    ['agent -server', /^svcd: Option -data-dir: /],
    ['agent -dev -http-port -2', /^svcd: Option -http-port: -2 is not/],
    ['agent -dev -config-file /nonexistent.json', /^svcd: Config file \/nonexistent\.json: ENOENT/],
    ['agent -dev=maybe', /^svcd: /],
  ]
  for (const [line, message] of cases) {
    const { code, out, err } = await svcd(line.split(' '))
    t.match(err, message, line)
    t.equal(err.indexOf('\n'), err.length - 1, `${line}: one line`)
    t.strictSame({ code, out }, { code: 1, out: '' }, line)
  }
})

t.test('what the agent refuses is said in its words and exits with 1', async (t) => {
  const { ask } = await startApi(t)
  const refused = await ask('deregister nope')
  t.match(refused, { code: 1, out: '', err: /Unknown service ID "nope"/ })
})

t.test('when nobody answers, the next step is named and the exit code is 2', async (t) => {
  // An address of the loopback network that nothing listens on.
  for (const line of ['services', 'nodes', 'register web', 'deregister web']) {
    const { code, out, err } = await svcd([...line.split(' '), '-http-addr', '127.9.9.9:8500'])
    t.match(
      err,
      /^svcd: No agent answers at http:\/\/127\.9\.9\.9:8500 .*`svcd agent -dev`.*SVCD_HTTP_ADDR/,
    )
    t.strictSame({ code, out }, { code: 2, out: '' }, line)
  }
  const dns = await svcd(['resolve', 'web', '-dns-addr', '127.9.9.9:8500'])
  t.match(dns, { code: 2, out: '', err: /^svcd: No DNS server answers at 127\.9\.9\.9:8500 / })
})

const inGroups = new Set(Object.values(commandGroups).flat())

t.test('help is complete and exits with 0; no command at all is a mistake', async (t) => {
  for (const line of [['--help'], ['help'], ['-h'], ['-help']]) {
    const { code, out } = await svcd(line)
    t.equal(code, 0)
    t.match(out, /Usage: svcd COMMAND[^]*Run an agent:\n {2}agent[^]*register[^]*resolve/)
    t.strictSame(
      out.split('\n').filter((text) => text.length > 80 && !text.startsWith('  man ')),
      [],
      'it fits a terminal of 80 columns',
    )
    const [, page = ''] = /^ {2}man (.*)$/m.exec(out) ?? []
    t.match(readFileSync(page, 'utf8'), /^\.TH/m, 'the manual page is where the help says')
  }
  for (const name of Object.keys(commands)) {
    const words = [name, name.split(' ')[0] ?? '']
    t.ok(
      words.some((word) => inGroups.has(word)),
      `${name} is in a group of the help`,
    )
  }
  t.match(await svcd([]), { code: 1, out: '', err: /Usage: svcd COMMAND/ })
  for (const name of Object.keys(commands)) {
    const words = name.split(' ')
    const { code, out } = await svcd([...words, '-help'])
    t.equal(code, 0)
    t.match(
      out,
      /^Usage: svcd [^]*Show this help\.[^]*Examples:\n {2}\$ (?:source <\()?svcd /,
      name,
    )
    const long = out.split('\n').filter((line) => line.length > 80)
    t.strictSame(long, [], `${name}: no line is longer than a terminal`)
    t.equal((await svcd(['help', ...words])).out, out)
  }
})

t.test("the version is package.json's", async (t) => {
  const path = new URL('../../package.json', import.meta.url)
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { version: string }
  t.equal(version, manifest.version)
  t.match((await svcd(['version'])).out, `svcd ${version}\n`)
  t.match((await svcd(['-version'])).out, `svcd ${version}\n`)
  t.match(JSON.parse((await svcd(['version', '--json'])).out), { version })
})
