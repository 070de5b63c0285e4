import { execFileSync } from 'node:child_process'
import t from 'tap'
import { columns } from '../../src/cli/columns.ts'
import { displayWidth } from '../../src/cli/display-width.ts'
import { run } from '../../src/cli/run.ts'
import { ago, sinceCell } from '../../src/cli/since.ts'
import { terminalOf } from '../../src/cli/terminal.ts'
import { toYaml } from '../../src/cli/yaml.ts'
import type { Terminal } from '../../src/cli/io.ts'
import { TestApi } from '../api/support.ts'
import { missing } from '../helpers/tools.ts'

const escape = '\u001b'

t.test(
  '1,000 services with one name of 120 characters fit a terminal of 100 columns',
  async (t) => {
    const rows = Array.from({ length: 1000 }, (_, n) => [
      n === 500 ? 'x'.repeat(120) : `service-${n}`,
      '1',
      '0',
      'v1,v2',
    ])
    const headers = ['Service', 'Passing', 'Critical', 'Tags']
    const shown = columns(headers, rows, { columns: 100, hasColour: false }).split('\n')
    t.equal(Math.max(...shown.map(({ length }) => length)), 100)
    t.match(shown[501], /^x+… {2}1 {8}0 {9}v1,v2$/, 'only the long name is cut')
    t.match(shown[1], /^service-0 +1 {8}0 {9}v1,v2$/)
    const piped = columns(headers, rows)
    t.match(piped, 'x'.repeat(120), 'nothing is cut in a pipe')
  },
)

t.test('a table is as wide as the terminal at most, whatever is in it', async (t) => {
  const long = 'a long output of a check that says very much, and then some more of it, and more'
  const rows = [
    ['node-with-a-long-name-of-40-characters-000', 'service:web-1', long],
    ['n2', '名前が長いサービスの名前', 'e\u0301'.repeat(90)],
  ]
  for (const width of [40, 60, 80, 120, 200]) {
    const lines = columns(['Node', 'Check', 'Output'], rows, { columns: width, hasColour: false })
    for (const line of lines.split('\n')) t.ok(displayWidth(line) <= width, `${width}: ${line}`)
  }
})

t.test('colours are for terminals, and what others wrote cannot bring its own', async (t) => {
  const terminal = { columns: 80, hasColour: true }
  const cells = [[{ text: 'critical', tone: 'bad' as const }, `${escape}[32mfake`]]
  const coloured = columns(['Status', 'ID'], cells, terminal)
  t.match(coloured, `${escape}[31mcritical${escape}[39m  \\u{1b}[32mfake`)
  t.notMatch(columns(['Status', 'ID'], cells), escape)
  t.notMatch(columns(['Status', 'ID'], cells, { ...terminal, hasColour: false }), escape)
})

t.test('a terminal has colours unless NO_COLOR or TERM=dumb says otherwise', async (t) => {
  const tty = { isTTY: true, columns: 132 }
  t.strictSame(terminalOf(tty, {}), { columns: 132, hasColour: true })
  t.strictSame(terminalOf(tty, { NO_COLOR: '1' }), { columns: 132, hasColour: false })
  t.strictSame(terminalOf(tty, { NO_COLOR: '' }), { columns: 132, hasColour: true })
  t.strictSame(terminalOf({ isTTY: true }, { TERM: 'dumb' }), { columns: 80, hasColour: false })
  t.equal(terminalOf({}, {}), undefined)
})

const yamlCases: readonly (readonly [value: unknown, yaml: string])[] = [
  [[], '[]\n'],
  [{}, '{}\n'],
  ['a', 'a\n'],
  [null, 'null\n'],
  [{ a: 1, b: [], c: {}, d: null, e: true }, 'a: 1\nb: []\nc: {}\nd: null\ne: true\n'],
  [[{ a: 'x', b: ['w', ['z']] }], '- a: x\n  b:\n    - w\n    - - z\n'],
  [['yes', 'No', 'null', '1', '1.5', '0x1f', '', '~', '-', 'a: b', 'a #b', '*a', '2026-01-01'], ''],
  [{ 'a: b': 'line\nline', '1': ' padded ', on: 'web.service.consul' }, ''],
  [{ name: 'x\u202ey', tag: '\u{e0041}', quote: '"\\' }, ''],
]

t.test('YAML is plain where nobody can misread it, and quoted elsewhere', async (t) => {
  for (const [value, yaml] of yamlCases) if (yaml !== '') t.equal(toYaml(value), yaml)
  t.equal(toYaml(['yes', '1', 'a: b']), '- "yes"\n- "1"\n- "a: b"\n')
  t.equal(toYaml('x\u202ey\u{e0041}'), '"x\\u202ey\\U000e0041"\n')
})

const noYaml = (): string | false => {
  try {
    execFileSync('python3', ['-c', 'import yaml'], { stdio: 'ignore' })
    return false
  } catch {
    return 'needs python3 with PyYAML, which is not there'
  }
}

t.test('PyYAML reads the same data back', { skip: missing('python3') || noYaml() }, async (t) => {
  const code = 'import yaml,json,sys; print(json.dumps(yaml.safe_load(sys.stdin)))'
  for (const [value] of yamlCases) {
    const read = execFileSync('python3', ['-c', code], { input: toYaml(value), encoding: 'utf8' })
    t.strictSame(JSON.parse(read), value)
  }
})

t.test('an age has its two largest units', async (t) => {
  const now = Date.parse('2026-11-27T10:00:00Z')
  const cases: readonly (readonly [string, string])[] = [
    ['2026-11-27T09:59:57Z', '3s'],
    ['2026-11-27T09:56:40Z', '3m20s'],
    ['2026-11-27T07:56:40Z', '2h3m'],
    ['before 2026-11-20T09:00:00Z', '7d1h'],
    ['2026-11-27T10:00:09Z', '0s'],
    ['', ''],
  ]
  for (const [since, age] of cases) t.equal(ago(since, now), age, since)
  t.equal(sinceCell('before 2026-11-20T09:00:00Z', now, true), 'over 7d1h ago')
  t.equal(sinceCell('2026-11-27T09:59:57Z', now, false), '2026-11-27T09:59:57Z')
})

async function svcd(line: string, env: Record<string, string>, terminal?: Terminal) {
  let [out, err] = ['', '']
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    readText: async () => '',
    env,
    terminal,
  }
  const code = await run(line.split(' '), io)
  return { code, out, err }
}

t.test('every list has every format', async (t) => {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  const check = { TTL: '10m', Status: 'passing' }
  await api.put('agent/service/register', { Name: 'web', ID: 'web-1', Port: 80, Check: check })
  const lists: readonly (readonly [line: string, names: string])[] = [
    ['services', 'consul\nweb\n'],
    ['ls web', 'web-1\n'],
    ['nodes', 'n1\n'],
    ['checks', 'serfHealth\nservice:web-1\n'],
    ['members', 'n1\n'],
    ['catalog services', 'consul\nweb\n'],
    ['catalog nodes', 'n1\n'],
    ['catalog datacenters', 'dc1\n'],
    ['operator raft list-peers', 'n1\n'],
    ['maint', ''],
    ['status', 'n1\n'],
  ]
  for (const [line, names] of lists) {
    const ask = async (more: string): Promise<string> => (await svcd(`${line} ${more}`, env)).out
    t.equal(await ask('-o name'), names, line)
    const json = await ask('-o json')
    t.equal(json, await ask('--json'), `${line}: -o json is --json`)
    t.equal(await ask('-oyaml'), toYaml(JSON.parse(json)), `${line} -oyaml`)
    t.equal(await ask('-o=wide'), await ask('--wide'), `${line} --wide`)
  }
  t.match(await svcd('services -o xml', env), {
    code: 1,
    err: /"xml" is not a valid format; use table, wide/,
  })
  t.match(await svcd('services -o yaml --json', env), {
    code: 1,
    err: /Choose one output format: yaml or json/,
  })
})

t.test('services and status say why and since when; a wide table is never cut', async (t) => {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  const ttl = { TTL: '10m' }
  for (const id of ['web-1', 'web-2', 'web-3']) {
    await api.put('agent/service/register', { Name: 'web', ID: id, Port: 80, Check: ttl })
  }
  await api.put('agent/check/pass/service:web-1')
  await api.put('agent/check/pass/service:web-2')
  await api.put('agent/check/fail/service:web-3?note=out%20of%20memory')
  await api.put('agent/service/maintenance/web-2?enable=true&reason=new%20kernel')
  // The clock of this catalog counts its entries: they are milliseconds after 1970.
  const time = '1970-01-01T00:00:00Z'
  const { out } = await svcd('services web', env)
  t.match(out, /^web-1 +n1 +127\.0\.0\.1 +80 +passing$/m)
  t.match(out, new RegExp(`^web-2 .* maintenance +${time} +new kernel$`, 'm'))
  t.match(out, new RegExp(`^web-3 .* critical +${time} +service:web-3: out of memory$`, 'm'))
  t.match((await svcd('services', env)).out, /^web +1 +0 +1 +1$/m)
  const status = await svcd('status', env)
  t.match(
    status.out,
    /^Leader: +n1 \(reported by n1\)\nServices: +2, instances: 2 passing, 1 critical, 1 maintenance\nTLS: +HTTPS off, between servers off\n/,
  )
  t.match(
    status.out,
    new RegExp(`^critical +n1 +web-3 +service:web-3 +${time} +out of memory$`, 'm'),
  )
  t.match(status.out, /^maintenance +n1 +web-2 .* new kernel$/m)
  t.match(JSON.parse((await svcd('status -o json', env)).out), {
    leader: 'n1',
    tls: { https: 'off', servers: 'off' },
    instances: { passing: 2, warning: 0, critical: 1, maintenance: 1 },
    notPassing: [{ status: 'maintenance' }, { status: 'critical', reason: 'out of memory' }],
  })
  const narrow = { columns: 60, hasColour: true }
  const shown = (await svcd('status', env, narrow)).out
  const plain = shown.replaceAll(new RegExp(`${escape}\\[\\d+m`, 'g'), '')
  const table = plain.slice(plain.indexOf('Not passing:')).split('\n')
  for (const line of table) t.ok(line.length <= 60, line)
  t.match(shown, `${escape}[31mcritical`)
  t.match((await svcd('status --wide', env, narrow)).out, '_service_maintenance:web-2')
  api.backend.leaderAddress = ''
  const lost = await svcd('status', env)
  t.match(lost, {
    code: 0,
    out: /^Leader: +none \(reported by n1\)\. Writes fail until more than half of the cluster's servers/,
  })
})

t.test(
  'catalog services fits a terminal, is whole elsewhere, and takes any number of names',
  async (t) => {
    const api = new TestApi(t)
    const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
    const long = 'l'.repeat(120)
    await api.put('agent/service/register', { Name: long, Tags: ['a'] })
    await api.put('agent/service/register', { Name: 'web', Tags: ['v1', 'v2'] })
    const whole = `consul\n${long}      a\nweb${' '.repeat(123)}v1,v2\n`
    t.equal((await svcd('catalog services -tags', env)).out, whole, 'as Consul prints it')
    const terminal = { columns: 40, hasColour: false }
    t.equal(
      (await svcd('catalog services -tags', env, terminal)).out,
      `consul\n${'l'.repeat(28)}…      a\nweb${' '.repeat(32)}v1,v2\n`,
    )
    t.equal((await svcd('catalog services -tags -wide', env, terminal)).out, whole)

    const count = 200_000
    const many = Object.fromEntries(Array.from({ length: count }, (_, at) => [`s${at}`, []]))
    api.app.server.removeAllListeners('request')
    api.app.server.on('request', (_request, response) => {
      response.writeHead(200, { 'X-Consul-Index': '1' }).end(JSON.stringify(many))
    })
    const { code, out } = await svcd('catalog services -tags', env)
    t.equal(code, 0)
    t.equal(out.split('\n').length - 1, count)
  },
)
