import t from 'tap'
import { createHttpApi } from '../../src/api/http-api.ts'
import { silentLogger } from '../../src/base/log.ts'
import { LimitedLines } from '../../src/process/limited-lines.ts'
import { SaidWarnings } from '../../src/http/said-warnings.ts'
import { serviceWarnings } from '../../src/definition/registration-warnings.ts'
import { serviceDefinition } from '../helpers/catalog.ts'
import { TestBackend } from '../helpers/test-backend.ts'
import { TestApi } from './support.ts'

// A registration that is accepted although it is seldom meant says so, in a header and in the log.

const odd =
  'is not a host name label (letters, digits and hyphens). DNS answers for it, but many clients reject such names.'

t.test('a warning is there only where it is true', async (t) => {
  const api = new TestApi(t)
  const fine = { Port: 80, Address: '10.0.0.1' }
  const cases: readonly (readonly [object, string | undefined])[] = [
    [{ ...fine, Name: 'web' }, undefined],
    [{ ...fine, Name: 'Web-2' }, undefined],
    [{ ...fine, Name: 'a'.repeat(63) }, undefined],
    [{ ...fine, Name: 'web', Tags: ['v1', 'v1.2', 'A-b'] }, undefined],
    // What is configuration, nobody asks DNS for.
    [
      { ...fine, Name: 'web', Tags: ['traefik.enable=true', 'urlprefix-/x', 'c d', 'f(x)'] },
      undefined,
    ],
    [{ ...fine, Name: 'web', Tags: [`a=${'x'.repeat(99)}`, 'müsli'] }, undefined],
    [{ Name: 'sock', SocketPath: '/run/x' }, undefined],
    [
      { ...fine, Name: 'a.b' },
      'The service name "a.b" has a dot, so DNS cannot find it: DNS reads the part before the dot as a tag. Use hyphens instead.',
    ],
    [
      { ...fine, Name: 'n'.repeat(64) },
      'The service name has 64 bytes, so DNS cannot find it: a DNS label has at most 63 bytes. Use a shorter name.',
    ],
    [
      { ...fine, Name: 'ü'.repeat(32) },
      'The service name has 64 bytes, so DNS cannot find it: a DNS label has at most 63 bytes. Use a shorter name.',
    ],
    [{ ...fine, Name: 'my_svc' }, `The service name "my_svc" ${odd}`],
    [{ ...fine, Name: 'a@b' }, `The service name "a@b" ${odd}`],
    [{ ...fine, Name: '-a' }, `The service name "-a" ${odd}`],
    [{ ...fine, Name: 'müsli' }, `The service name "m\\u00fcsli" ${odd}`],
    [
      { Name: 'web', ID: 'p' },
      'The service has no port, so its SRV records have port 0. Set the port that it listens on (--port, or "port" in a file).',
    ],
    [
      { Name: 'web', ID: 'l', Port: 1, Address: 'localhost' },
      'With the address localhost, each client connects to its own machine. Use an address that other machines can reach.',
    ],
    [
      { ...fine, Name: 'web', ID: 't', Tags: ['a_b', 'ok', '-x', 'c_d', 'e_f'] },
      'DNS finds the service by the tags "a_b", "-x", "c_d" and 1 more, but many clients reject such names. Host names have only letters, digits and hyphens.',
    ],
    [
      { ...fine, Name: 'web', ID: 't', Tags: ['a..b', 'x'.repeat(64)] },
      `DNS cannot find the service by the tags "a..b", "${'x'.repeat(64)}": a DNS label has 1 to 63 bytes.`,
    ],
    [
      { ...fine, Name: 'other', ID: 't' },
      'The ID "t" belonged to the service "web". The service "other" has replaced it. To keep both, register each with its own ID (--id, or "id" in a file).',
    ],
    // This node itself has a loopback address, as with -dev.
    [{ Name: 'web', ID: 'i', Port: 1, Address: '127.0.0.1' }, undefined],
  ]
  for (const [body, warning] of cases) {
    const { status, body: text, headers } = await api.put('agent/service/register', body)
    t.strictSame([status, text], [200, ''], "the answer is Consul's")
    t.equal(headers['x-svcd-warning'], warning, JSON.stringify(body))
  }
})

t.test('a loopback address is warned of where the node has another', async (t) => {
  const api = new TestApi(t)
  Object.assign(api.backend.identity, { address: '10.0.0.7' })
  const body = { Name: 'web', Port: 1, Address: '127.0.0.1' }
  const { headers } = await api.put('agent/service/register', body)
  t.match(
    headers['x-svcd-warning'],
    /^With the address 127\.0\.0\.1, each client connects to its own machine/,
  )
})

t.test('several warnings are one header that stays short', async (t) => {
  const api = new TestApi(t)
  const tags = Array.from({ length: 200 }, (_, at) => `${at}_${'x'.repeat(4000)}`)
  const Checks = tags.map((CheckID) => ({
    CheckID: CheckID.slice(0, 9),
    TCP: 'h:1',
    Interval: '5ms',
  }))
  const reply = await api.put('agent/service/register', { Name: 'a_b', Tags: tags, Checks })
  t.equal(reply.status, 200)
  const warnings = String(reply.headers['x-svcd-warning']).split('; ')
  t.match(warnings, [/"a_b"/, /^DNS cannot find the service by/, /no port/, /^Interval is below/])
  t.equal(warnings.length, 4)
  t.ok(String(reply.headers['x-svcd-warning']).length < 2000)
})

t.test('the log has a warning once, however often the same is registered', async (t) => {
  const backend = new TestBackend(t.testdir())
  const logged: string[] = []
  const warn = (fields: object, message: string): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`)
  }
  const app = createHttpApi(backend, { ...silentLogger, warn }, { leaderWaitMs: 0 })
  t.teardown(async () => {
    await app.close()
    await backend.close()
  })
  const put = async (url: string, payload: object): Promise<unknown> =>
    (await app.inject({ method: 'PUT', url, payload })).headers['x-svcd-warning']
  const register = '/v1/agent/service/register'
  for (let times = 0; times < 3; times++) {
    t.match(await put(register, { Name: 'a_b', Port: 1 }), /"a_b"/, 'its sender hears it each time')
  }
  t.equal(logged.length, 1)
  t.match(
    logged[0],
    /^a service was registered with a warning .*"service":"a_b","id":"a_b","warnings":\[/,
  )
  await put(register, { Name: 'a_b' })
  t.equal(logged.length, 2, 'and again when there is something else to say')

  // What writes to the catalog looks after itself.
  const body = { Node: 'x', Address: '10.0.0.1', Service: { Service: 'c_d' } }
  t.equal(await put('/v1/catalog/register', body), undefined)
  t.equal(logged.length, 2)
})

t.test('reload answers with what became of the files', async (t) => {
  const api = new TestApi(t)
  t.strictSame(JSON.parse((await api.put('agent/reload')).body), {
    Taken: [],
    LeftOut: [],
    HeldBack: [],
    RestartNeeded: [],
  })
  const taken = ['service web: added by web.json']
  api.backend.reloaded = { taken, leftOut: ['a'], heldBack: ['b'], restartNeeded: ['log_level'] }
  const { status, body } = await api.put('agent/reload')
  t.equal(status, 200)
  t.strictSame(JSON.parse(body), {
    Taken: taken,
    LeftOut: ['a'],
    HeldBack: ['b'],
    RestartNeeded: ['log_level'],
  })
})

t.test('many odd tags are looked at in one pass', async (t) => {
  const tags = Array.from({ length: 250_000 }, (_, at) => `_${at.toString(36)}`)
  const startedMs = performance.now()
  const [warning] = serviceWarnings(serviceDefinition('web', { port: 80, tags }))
  t.match(warning, /"_0", "_1", "_2" and 249997 more/)
  const lost = tags.map((tag) => `.${tag}`)
  t.match(serviceWarnings(serviceDefinition('web', { port: 80, tags: lost })), [/^DNS cannot find/])
  t.ok(performance.now() - startedMs < 5000)
})

t.test(
  'the lines of warnings are bounded, and nothing is made for a level that is off',
  async (t) => {
    const logged: string[] = []
    const warn = (_fields: object, message: string): void => void logged.push(message)
    const lines = new LimitedLines({ ...silentLogger, warn }, { monotonicMs: () => 0 })
    const said = new SaidWarnings(lines)
    for (let id = 0; id < 500; id++) said.say({ id: `w${id}`, name: 'w' }, ['odd'])
    t.equal(logged.length, 20)
    lines.flush()
    t.match(logged.at(-1), /^480 more services were registered with a warning/)
    const off = new LimitedLines(
      { ...silentLogger, isLevelEnabled: () => false },
      { monotonicMs: () => 0 },
    )
    const kind = { level: 'info', rest: () => '' } as const
    off.write(kind, () => t.fail('nobody reads it') as never)
    t.equal(off.isOpen(kind), false)
  },
)
