import { execFile } from 'node:child_process'
import { chmodSync, createReadStream, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createGunzip } from 'node:zlib'
import t, { type Test } from 'tap'
import { commands } from '../../src/cli/commands.ts'
import { argumentKinds, optionKinds } from '../../src/cli/completion-candidates.ts'
import { run } from '../../src/cli/run.ts'
import { changeLines } from '../../src/cli/watch-changes.ts'
import { rowsOf } from '../../src/cli/watched-rows.ts'
import { TestApi } from '../api/support.ts'
import { readTar } from '../../src/archive/tar.ts'
import { svcdBin } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function svcd(
  line: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onInterrupt?: (stop: () => void) => void,
  onOut: (all: string) => void = () => {},
): Promise<Ran> {
  let [out, err] = ['', '']
  const code = await run(line, {
    out: (text) => onOut((out += text)),
    err: (text) => void (err += text),
    env,
    onInterrupt,
    readText: async (path) => readFile(path, 'utf8'),
  })
  return { code, out, err }
}

/** An agent's API on a socket with two nodes and three services, and the commands asked of it. */
async function startApi(t: Test) {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  const ask = (line: string): Promise<Ran> => svcd(line.split(' '), env)
  await api.put('agent/service/register', {
    Name: 'web',
    ID: 'web1',
    Port: 80,
    Tags: ['b', 'a'],
    Check: { TTL: '10m', Status: 'passing' },
  })
  await api.put('agent/service/register', { Name: 'api', Port: 8080, Tags: ['x'] })
  await api.put('catalog/register', {
    Node: 'n2',
    ID: '99999999-2222-3333-4444-555555555555',
    Address: '10.0.0.2',
    NodeMeta: { rack: '7', os: 'linux' },
    TaggedAddresses: { wan: '192.0.2.2', lan: '10.0.0.2' },
    Service: { Service: 'web', ID: 'web2', Port: 81, Tags: ['c'] },
    Check: { CheckID: 'disk', Status: 'critical', Output: 'full\nreally' },
  })
  return { api, env, ask }
}

// Consul 1.8.7 prints the same, but for spaces at the ends of lines.
const likeConsul: readonly (readonly [line: string, out: string])[] = [
  ['catalog services', 'api\nconsul\nweb\n'],
  ['catalog services -tags', 'api         x\nconsul\nweb         a,b,c\n'],
  ['catalog services -node n2', 'web\n'],
  ['catalog services -node-meta rack=7 -tags', 'web      c\n'],
  ['catalog datacenters', 'dc1\n'],
  [
    'catalog nodes',
    'Node  ID        Address    DC\nn1    11111111  127.0.0.1  dc1\nn2    99999999  10.0.0.2   dc1\n',
  ],
  [
    'catalog nodes -service web -node-meta os=linux -detailed',
    'Node  ID                                    Address   DC   TaggedAddresses               Meta\n' +
      'n2    99999999-2222-3333-4444-555555555555  10.0.0.2  dc1  lan=10.0.0.2, wan=192.0.2.2  os=linux, rack=7\n',
  ],
  [
    'members',
    'Node  Address         Status  Type    Build  Protocol  DC   Segment\nn1    127.0.0.1:8300  alive   server  0.1.0  2         dc1  <all>\n',
  ],
]

t.test("what Consul's command line lists is listed in its columns", async (t) => {
  const { ask } = await startApi(t)
  for (const [line, out] of likeConsul) {
    const shown = (text: string): string => text.replaceAll(/ {2,}(?=Meta|os=)/g, '  ')
    const ran = await ask(line)
    t.strictSame({ ...ran, out: shown(ran.out) }, { code: 0, out: shown(out), err: '' }, line)
  }
  const none = 'match the given query - try expanding your search.\n'
  t.strictSame(await ask('catalog nodes -service none'), {
    code: 0,
    out: '',
    err: `No nodes ${none}`,
  })
  t.strictSame(await ask('nodes -node-meta a=b'), { code: 0, out: '', err: `No nodes ${none}` })
  t.strictSame(await ask('catalog services -node no'), {
    code: 0,
    out: '',
    err: `No services ${none}`,
  })
  t.strictSame(await ask('checks -state warning'), { code: 0, out: '', err: `No checks ${none}` })
  t.equal((await ask('members -status nope')).code, 2)
})

t.test('lists are narrowed by tags, nodes, metadata and states', async (t) => {
  const { ask } = await startApi(t)
  const cases: readonly (readonly [line: string, shown: RegExp, hidden: RegExp])[] = [
    ['services -tag A', /^web {6}1 {8}0 {8}0 {9}0 {12}a,b$/m, /^api/m],
    ['services -tag a -tag x', /^Service  Passing .*Tags\n$/, /web|api/],
    ['services -node n2', /^web {6}0 {8}0 {8}1 {9}0 {12}c$/m, /^api/m],
    ['services -filter ServicePort==81', /^web {6}0 {8}0 {8}1 {9}0 {12}c$/m, /^api/m],
    ['ls', /^web {6}1 {8}0 {8}1 {9}0 {12}a,b,c$/m, /nothing/],
    ['services -node-meta rack=7', /^web/m, /^api/m],
    ['services web -node n1', /^web1/m, /^web2/m],
    ['services web -tag c', /^web2 /m, /^web1/m],
    ['services web -passing', /^web1 /m, /^web2/m],
    ['services web -node-meta rack=7', /^web2 .*critical/m, /^web1/m],
    ['nodes -service api', /^n1/m, /^n2/m],
    ['checks', /^n1 +service:web1 +web +passing$/m, /nothing/],
    ['checks -node n2', /^n2 +disk +- +critical +full$/m, /^n1/m],
    ['checks -state critical', /^n2 +disk/m, /^n1/m],
    ['checks web', /^n1 +service:web1/m, /^n2/m],
  ]
  for (const [line, shown, hidden] of cases) {
    const { code, out } = await ask(line)
    t.equal(code, 0, line)
    t.match(out, shown, line)
    t.notMatch(out, hidden, line)
  }
})

t.test('every list is JSON with --json, narrowed as the table is', async (t) => {
  const { ask } = await startApi(t)
  const json = async (line: string): Promise<unknown> =>
    JSON.parse((await ask(line)).out) as unknown
  t.strictSame(await json('services --json -tag x'), { api: ['x'] })
  t.strictSame(await json('catalog services --json -node n2'), { web: ['c'] })
  t.match(await json('nodes --json -service api'), [{ Node: 'n1' }])
  t.match(await json('checks --json -node n2'), [{ CheckID: 'disk' }])
  t.strictSame(await json('catalog datacenters --json'), ['dc1'])
  t.match(await json('info --json'), { raft: { state: 'Leader' }, agent: { services: '2' } })
  t.match(await json('maint --json'), [])
})

t.test(
  'maint takes a service and the node out and back, and lists them as Consul does',
  async (t) => {
    const { api, ask } = await startApi(t)
    t.strictSame(await ask('maint'), { code: 0, out: '', err: '' })
    t.equal(
      (await ask('maint -enable -service web1')).out,
      'Service maintenance is now enabled for "web1"\n',
    )
    t.equal((await ask('maint -enable -reason upgrade')).out, 'Node maintenance is now enabled\n')
    t.equal(
      (await ask('maint')).out,
      'Node:\n  Name:   n1\n  Reason: upgrade\n\n' +
        'Service:\n  ID:     web1\n  Reason: Maintenance mode is enabled for this service, but no reason was provided. This is a default message.\n\n',
    )
    t.strictSame(await api.json('health/service/web?passing'), [])
    t.equal((await ask('maint -disable')).out, 'Node maintenance is now disabled\n')
    t.equal(
      (await ask('maint -disable -service web1')).out,
      'Service maintenance is now disabled for "web1"\n',
    )
    t.match(await api.json('health/service/web?passing'), [{ Service: { ID: 'web1' } }])
    t.match(await ask('maint -disable -service nope'), {
      code: 1,
      err: /Unknown service ID "nope"/,
    })
  },
)

t.test('info prints sections and their facts, both sorted', async (t) => {
  const { ask } = await startApi(t)
  const { code, out } = await ask('info')
  t.equal(code, 0)
  t.match(
    out,
    /^agent:\n\tchecks = \d+\n\tservices = 2\nbuild:\n[^]*\nraft:\n\tstate = Leader\n\tterm = 2\nruntime:\n\tos = linux\n$/,
  )
})

t.test('files of services are arguments, also under the names that Consul has', async (t) => {
  const { api, ask } = await startApi(t)
  const directory = t.testdir({
    'a.json': '{"service": {"name": "cache", "id": "cache-1", "port": 1}}',
    'b.json': '{"services": [{"name": "db", "port": 2}, {"Name": "db", "ID": "db-2"}]}',
  })
  const [a, b] = [join(directory, 'a.json'), join(directory, 'b.json')]
  const registered = await ask(`services register ${a} ${b}`)
  t.equal(
    registered.out,
    'Registered service: cache (id cache-1)\nRegistered service: db\nRegistered service: db (id db-2)\n',
  )
  t.match(await api.json('agent/services'), { 'cache-1': { Port: 1 }, db: { Port: 2 }, 'db-2': {} })
  const removed = await ask(`deregister ${a} ${b} api`)
  t.equal(
    removed.out,
    'Deregistered service: api\nDeregistered service: cache-1\nDeregistered service: db\nDeregistered service: db-2\n',
  )
  t.strictSame(Object.keys(await api.json<object>('agent/services')), ['web1'])
  t.equal((await ask('services register -name=q -port=7 -tag=t')).out, 'Registered service: q\n')
  t.equal((await ask('services deregister -id=q')).out, 'Deregistered service: q\n')
  t.match(await ask(`register ${a} --port 1`), { code: 1, err: /remove the other options/ })
  t.match(await ask(`register ${join(directory, 'none.json')}`), {
    code: 1,
    err: /none\.json: ENOENT/,
  })
})

t.test('a token comes from a flag, a file or the environment, the nearest first', async (t) => {
  const { api, env } = await startApi(t)
  const sent: unknown[] = []
  api.app.server.on('request', ({ headers }: { headers: Record<string, unknown> }) => {
    sent.push(headers['x-consul-token'])
  })
  const file = join(t.testdir({ token: 'from-file\n' }), 'token')
  const both = { ...env, CONSUL_HTTP_TOKEN: 'consul', SVCD_HTTP_TOKEN: 'svcd' }
  await svcd(['services'], env)
  await svcd(['services'], { ...env, CONSUL_HTTP_TOKEN: 'consul' })
  await svcd(['services'], both)
  await svcd(['services', '-token-file', file], both)
  await svcd(['services', '-token-file', file, '-token', 'flag'], both)
  await svcd(['services'], { ...env, CONSUL_HTTP_TOKEN_FILE: file })
  t.strictSame(sent, [undefined, 'consul', 'svcd', 'from-file', 'flag', 'from-file'])
})

t.test(
  'watch prints what there is and then each change once, until it is interrupted',
  async (t) => {
    const { api, env } = await startApi(t)
    const start = (line: string) => {
      let stop = (): void => {}
      let out = ''
      const ended = svcd(
        line.split(' '),
        env,
        (f) => (stop = f),
        (all) => (out = all),
      )
      const holds = (text: string): Promise<boolean> =>
        until(text, 5000, () => out.includes(text), 5)
      return { ended, holds, stop: () => stop() }
    }
    const service = start('watch --service web')
    const json = start('watch --services --json')
    await Promise.all([service.holds('web2'), json.holds('"api"')])
    await api.put('agent/check/warn/service:web1', '')
    await service.holds('(status was passing)')
    await api.put('agent/check/warn/service:web1?note=same')
    await api.put('agent/service/register', { Name: 'new', Port: 1 })
    await json.holds('"new"')
    await api.put('agent/service/deregister/web1')
    await service.holds('- web1')
    for (const { stop } of [service, json]) stop()
    const [ran, ranJson] = await Promise.all([service.ended, json.ended])
    t.strictSame({ code: ran.code, err: ran.err }, { code: 0, err: '' })
    const lines = ran.out.replaceAll(/^\d{4}-\d\d-\d\dT[\d:.]+Z /gm, '')
    t.equal(
      lines,
      '+ web1  n1  127.0.0.1:80  passing  a,b\n' +
        '+ web2  n2  10.0.0.2:81  critical  c\n' +
        '~ web1  n1  127.0.0.1:80  warning  a,b  (status was passing)\n' +
        '- web1  n1  127.0.0.1:80  warning  a,b\n',
    )
    const states = ranJson.out
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { data: object })
    t.strictSame(states.map(({ data }) => Object.keys(data)).slice(0, 2), [
      ['api', 'consul', 'web'],
      ['api', 'consul', 'new', 'web'],
    ])
  },
)

t.test('every kind of state has rows, and every difference a line', async (t) => {
  const { api } = await startApi(t)
  const kinds = [
    ['service', 'health/service/web', 2],
    ['services', 'catalog/services', 3],
    ['nodes', 'catalog/nodes', 2],
    ['node', 'catalog/node/n1', 3],
    ['checks', 'health/state/any', 3],
  ] as const
  for (const [kind, path, count] of kinds) {
    const rows = rowsOf(kind, await api.json(path))
    t.equal(rows.size, count, kind)
    t.equal(changeLines(new Map(), rows).length, count)
    t.strictSame(changeLines(rows, rows), [])
  }
  t.equal(rowsOf('node', null).size, 0)
  const row = (tags: string) => new Map([['a', { id: 'a', tags }]])
  t.strictSame(changeLines(row('x y'), row('\u001b[2J')), [
    String.raw`~ a  \u{1b}[2J  (tags was "x y")`,
  ])
})

async function completed(
  env: Record<string, string>,
  ...words: string[]
): Promise<readonly string[]> {
  const { code, out } = await svcd(['completion', 'candidates', '--', ...words], env)
  if (code !== 0) throw new Error(`completion exits with ${code}`)
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0] ?? '')
}

t.test('completion knows commands, options, and what is registered', async (t) => {
  const { api, env } = await startApi(t)
  await api.put('agent/service/register', { Name: 'evil', ID: '$(touch x)' })
  const complete = (...words: string[]) => completed(env, ...words)
  t.strictSame(await complete('ser'), ['services'])
  t.strictSame(await complete('operator', 'raft', 't'), ['transfer-leader'])
  t.strictSame(await complete('snapshot', ''), ['save', 'restore', 'inspect'])
  t.strictSame(await complete('services', '--pass'), ['--passing'])
  t.strictSame(await complete('services', '-pass'), ['-passing'])
  t.strictSame(await complete('resolve', 'w'), ['web'])
  t.strictSame(await complete('watch', '--service', ''), ['api', 'consul', 'evil', 'web'])
  t.strictSame(await complete('watch', '--service', '=', 'w'), ['web'], 'as bash cuts words')
  t.strictSame(await complete('checks', '-node', ''), ['n1', 'n2'])
  t.strictSame(await complete('services', '-tag', ''), ['x', 'a', 'b', 'c'])
  t.strictSame(await complete('checks', '--state', 'c'), ['critical'])
  t.strictSame(await complete('maint', '-service', 'we'), ['web1'])
  t.strictSame(await complete('deregister', ''), ['api', 'web1'], 'nothing that a shell would run')
  t.strictSame(await complete('completion', ''), ['bash', 'zsh', 'fish'])
  t.strictSame(await complete('snapshot', 'save', ''), [], 'files are left to the shell')
  t.strictSame(await complete('nope', ''), [])
  t.strictSame(await completed({}, 'services', '-http-addr', env.SVCD_HTTP_ADDR, 'w'), ['web'])
  t.strictSame(await completed({ SVCD_HTTP_ADDR: '127.9.9.9:1' }, 'services', 'w'), [], 'no agent')
  const names = Object.keys(commands).map((name) => name.split(' ')[0] ?? '')
  t.strictSame(new Set(await complete('')), new Set(names))
})

t.test('completion knows values of options and arguments that the commands have', async (t) => {
  const io = { out: () => {}, err: () => {}, env: {}, readText: async () => '' }
  const all = await Promise.all(
    Object.values(commands).map(async ({ load }) => (await load())(io).options),
  )
  const longs = new Set(all.flat().map(({ long }) => long))
  for (const option of Object.keys(optionKinds)) t.ok(longs.has(option), option)
  for (const name of Object.keys(argumentKinds)) t.ok(Object.hasOwn(commands, name), name)
})

/** What a shell offers after a line, asked of the shell itself. */
const shells: Readonly<Record<string, (line: string) => readonly string[]>> = {
  bash: (line) => [
    '-c',
    `source <(svcd completion bash); COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _svcd; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (line) => [
    '-fc',
    `compdef() { :; }; _describe() { print -l -- "\${(@)\${(@P)2}%%:*}" }; source <(svcd completion zsh); words=(${line}); CURRENT=$#words; _svcd`,
  ],
  fish: (line) => [
    '--no-config',
    '-c',
    `svcd completion fish | source; complete -C ${JSON.stringify(line.replaceAll('"', ''))} | string replace -r '\\t.*' ''`,
  ],
}

for (const [shell, argumentsFor] of Object.entries(shells)) {
  t.test(`${shell} completes by the script`, { skip: missing(shell) }, async (t) => {
    const { env } = await startApi(t)
    const bin = t.testdir({ svcd: `#!/bin/sh\nexec "${process.execPath}" "${svcdBin}" "$@"\n` })
    chmodSync(join(bin, 'svcd'), 0o755)
    const path = `${bin}${delimiter}${process.env['PATH'] ?? ''}`
    const offers = (line: string): Promise<readonly string[]> =>
      new Promise((resolve, reject) => {
        const options = { env: { ...process.env, ...env, PATH: path }, timeout: 20_000 }
        execFile(shell, argumentsFor(line), options, (error, out) => {
          if (error === null) resolve(out.trim().split('\n'))
          else reject(error)
        })
      })
    t.strictSame(await offers('svcd cata'), ['catalog'])
    t.strictSame(await offers('svcd resolve w'), ['web'])
    t.strictSame(await offers('svcd checks --node ""'), ['n1', 'n2'])
  })
}

t.test('debug writes a bundle that holds no secret', async (t) => {
  const { api, env } = await startApi(t)
  await api.put('agent/service/register', {
    Name: 'vault',
    Meta: { key: 'hush-meta' },
    Tags: ['hush-tag'],
    Check: {
      HTTP: 'http://u:hush-url@127.0.0.1:1/',
      Interval: '1h',
      Header: { A: ['hush-header'] },
    },
  })
  await api.put('agent/service/register', { Name: 'ttl', Check: { TTL: '1h' } })
  await api.put('agent/check/fail/service:ttl?note=hush-output')
  t.intercept(api.backend, 'diagnosis', {
    value: () => ({
      config: { datacenter: 'dc1', encrypt: 'hush-key', tokens: { default: 'hush-token' } },
      raft: { role: 'leader' },
      log: ['one', 'GET http://u:hush-log@10.0.0.1/ failed'],
      resources: { threads: [] },
    }),
  })
  const path = join(t.testdir(), 'bundle.tar.gz')
  const line = ['debug', '-duration', '150ms', '-interval', '100ms', '-output', path]
  const { code, out, err } = await svcd([...line, '-token', 'hush-flag'], env)
  t.equal(code, 0)
  t.equal(out, `Saved debug archive: ${path}\n`)
  const files = new Map<string, string>()
  for await (const { name, body } of readTar(createReadStream(path).pipe(createGunzip()))) {
    files.set(name, await text(body))
  }
  const json = (name: string): unknown => JSON.parse(files.get(`svcd-debug/${name}`) ?? 'null')
  t.match(json('config.json'), { datacenter: 'dc1', encrypt: '<hidden>', tokens: '<hidden>' })
  t.match(json('agent.json'), { Config: { NodeName: 'n1' } })
  t.match(json('catalog.json'), { nodes: 2, services: 5, checks: { critical: 3, passing: 2 } })
  t.match(json('checks.json'), [{ CheckID: 'service:ttl', Status: 'critical' }])
  t.ok((json('samples.json') as unknown[]).length >= 2)
  t.equal(files.get('svcd-debug/log.txt'), 'one\nGET http://<hidden>@10.0.0.1/ failed\n')
  for (const [name, content] of files) t.notMatch(content, /hush/, name)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.notMatch(err, /hush/)

  const refused = await svcd([...line, '-output', '/nonexistent/x.tar.gz'], env)
  t.match(refused, {
    code: 1,
    err: /^(?:svcd: metrics.*\n)?svcd: Cannot write the file \/nonexistent/,
  })
  t.match(await svcd(['debug', '-duration', '2'], env), { code: 1, err: /"2" is not a duration/ })
  t.equal((await svcd(line, { SVCD_HTTP_ADDR: '127.9.9.9:1' })).code, 2)
})

t.test('validate tells what is wrong by file and line, and what an agent would do', async (t) => {
  const directory = t.testdir({
    good: {
      'web.json': '{"service": {"name": "web", "port": 80, "check": {"ttl": "10s"}}}',
      'agent.json':
        '{"log_level": "warn", "services": [{"name": "a", "port": 1}], "check": {"name": "c", "ttl": "5s"}}',
    },
    bad: {
      'one.json': '{"service": {\n  "name": "web",\n  "prot": 80\n}}',
      'two.json': '{"service": {"name": ',
      'ok.json': '{"service": {"name": "fine", "port": 1}}',
    },
    'option.json': '{"log_level": "loud"}',
  })
  const validate = (...words: string[]): Promise<Ran> => svcd(['validate', ...words])
  const good = await validate(join(directory, 'good'))
  t.strictSame(good, { code: 0, out: 'Configuration is valid!\n', err: '' })
  t.equal((await validate('-quiet', join(directory, 'good'))).out, '')
  const bad = await validate(join(directory, 'bad'))
  t.match(bad, { code: 1, out: '' })
  t.match(bad.err, /^\S+\/one\.json:3:\d+: .*"prot"/m)
  t.match(bad.err, /^\S+\/two\.json:1:\d+: /m)
  t.match(bad.err, /svcd: Invalid configuration: 2 error\(s\)\./)
  t.match(await validate(join(directory, 'option.json')), { code: 1, err: /loud/ })
  t.match(await validate(join(directory, 'none')), { code: 1, err: /none:1:1: cannot be read/ })
  const json = await validate('--json', join(directory, 'bad'))
  t.equal(json.code, 1)
  t.match(JSON.parse(json.out), { valid: false, services: 1, findings: [{ line: 3 }, { line: 1 }] })
  t.match(await validate(), { code: 1, err: /Missing required argument "path"/ })
})
