import t from 'tap'
import { silentLogger } from '../../../src/base/log.ts'
import { LimitedLines } from '../../../src/process/limited-lines.ts'
import { TestTokens } from '../../helpers/test-tokens.ts'
import { seeded } from './seeded.ts'
import { TestApi } from '../support.ts'

const lacks = (permission: string, name: string): string =>
  `the token accessor-of-none lacks ${permission} on "${name}"`

t.test('a denied registration or report is one line with the missing rule', async (t) => {
  const { api, ask } = await seeded(t, new TestTokens().set('none', ''))
  const rows: readonly (readonly [path: string, body: unknown, line: string])[] = [
    [
      'agent/service/register',
      { Name: 'web', ID: 'web-1' },
      `cannot register service web of node n1: ${lacks('service:write', 'web')}`,
    ],
    [
      'agent/service/deregister/web',
      undefined,
      `cannot deregister service web of node n1: ${lacks('service:write', 'web')}`,
    ],
    [
      'agent/service/maintenance/web?enable=true',
      undefined,
      `cannot change the maintenance of service web: ${lacks('service:write', 'web')}`,
    ],
    [
      'agent/check/register',
      { Name: 'load', TTL: '60s' },
      `cannot register check load of node n1: ${lacks('node:write', 'n1')}`,
    ],
    [
      'agent/check/pass/service:web',
      undefined,
      `cannot report the status of check service:web of node n1: ${lacks('service:write', 'web')}`,
    ],
    [
      'agent/check/update/disk',
      { Status: 'passing' },
      `cannot report the status of check disk of node n1: ${lacks('node:write', 'n1')}`,
    ],
    [
      'agent/check/deregister/disk',
      undefined,
      `cannot deregister check disk of node n1: ${lacks('node:write', 'n1')}`,
    ],
    [
      'catalog/register',
      { Node: 'db1', Address: '10.0.0.1', Service: { Service: 'cache' } },
      `cannot register service cache of node db1: ${lacks('service:write', 'cache')}`,
    ],
    [
      'catalog/register',
      { Node: 'db2', Address: '10.0.0.2' },
      `cannot register node db2: ${lacks('node:write', 'db2')}`,
    ],
    [
      'catalog/deregister',
      { Node: 'db1', ServiceID: 'secret' },
      `cannot deregister service secret of node db1: ${lacks('service:write', 'secret')}`,
    ],
    [
      'txn',
      [
        {
          Service: { Verb: 'set', Node: 'db1', Service: { Service: 'cache' } },
        },
      ],
      `cannot register service cache of node db1: ${lacks('service:write', 'cache')}`,
    ],
  ]
  for (const [path, body, line] of rows) {
    api.warnings.length = 0
    const { status } = await ask('none', 'PUT', `/v1/${path}`, body)
    t.equal(status, path === 'txn' ? 409 : 403, path)
    t.strictSame(api.warnings, [line], path)
  }
})

t.test('what is allowed, and denied reads and keys, are not logged', async (t) => {
  const { api, ask } = await seeded(t, new TestTokens().set('none', ''))
  api.warnings.length = 0
  await ask('root', 'PUT', '/v1/agent/service/register', { Name: 'web', Port: 80 })
  await ask('none', 'GET', '/v1/agent/self')
  await ask('none', 'PUT', '/v1/kv/a', 'x')
  t.strictSame(api.warnings, [])
})

t.test('a registration with an unknown token is a line that does not show it', async (t) => {
  const { api, ask } = await seeded(t, new TestTokens())
  api.warnings.length = 0
  await ask('lost-token', 'PUT', '/v1/agent/service/register?token=lost-token', { Name: 'web' })
  await ask('lost-token', 'GET', '/v1/catalog/services')
  t.strictSame(api.warnings, [
    'cannot do PUT /v1/agent/service/register: its token does not exist or has expired',
  ])
})

t.test('many denied registrations fill no log: those beyond twenty are counted', async (t) => {
  const written: string[] = []
  const warn = (_fields: object, message: string): void => void written.push(message)
  const clock = { now: 0, monotonicMs: () => clock.now }
  const warningLines = new LimitedLines({ ...silentLogger, warn }, clock)
  const api = new TestApi(t, { tokens: new TestTokens(), warningLines })
  for (let number = 0; number < 100; number++) {
    const { status } = await api.put('agent/service/register', { Name: `web-${number}` })
    t.equal(status, 403)
  }
  t.equal(written.length, 20)
  clock.now += 10_000
  warningLines.flush()
  t.equal(written.at(-1), '80 more registrations were denied in the last 10 s')
})
