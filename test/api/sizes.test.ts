import t from 'tap'
import { TestApi } from './support.ts'

interface Row {
  readonly field: string
  readonly max: number
  /** A request whose field has this size. */
  readonly request: (size: number) => readonly [method: 'PUT' | 'POST', url: string, body: unknown]
}

const x = (size: number): string => 'x'.repeat(size)
const list = (size: number): string[] => Array.from({ length: size }, (_, at) => `i${at}`)
const record = (size: number): Record<string, string> =>
  Object.fromEntries(list(size).map((name) => [name, 'v']))

const node = (more: object) =>
  ['PUT', '/v1/catalog/register', { Node: 'n', Address: '10.0.0.1', ...more }] as const
const service = (more: object) => node({ Service: { ID: 's', Service: 's', ...more } })
const check = (more: object) => node({ Check: { CheckID: 'c', Name: 'c', ...more } })
const agentService = (more: object) =>
  ['PUT', '/v1/agent/service/register', { Name: 's', ...more }] as const
const session = (more: object) =>
  ['PUT', '/v1/session/create', { Node: 'n', Checks: [], ...more }] as const
const query = (more: object) =>
  ['POST', '/v1/query', { Service: { Service: 's' }, ...more }] as const
const addresses = (size: number) => Object.fromEntries(list(size).map((name) => [name, '10.0.0.2']))
const serviceAddresses = (size: number) =>
  Object.fromEntries(list(size).map((name) => [name, { Address: '10.0.0.2', Port: 1 }]))

/** Each field that is stored. Output and notes of a check are cut to 4 KiB instead of refused. */
const rows: readonly Row[] = [
  { field: 'node name', max: 255, request: (n) => node({ Node: x(n) }) },
  { field: 'node meta, pairs', max: 64, request: (n) => node({ NodeMeta: record(n) }) },
  { field: 'node meta, key', max: 128, request: (n) => node({ NodeMeta: { [x(n)]: 'v' } }) },
  { field: 'node meta, value', max: 512, request: (n) => node({ NodeMeta: { k: x(n) } }) },
  {
    field: 'node tagged addresses',
    max: 64,
    request: (n) => node({ TaggedAddresses: addresses(n) }),
  },
  {
    field: 'tag of a node address',
    max: 255,
    request: (n) => node({ TaggedAddresses: { [x(n)]: '10.0.0.2' } }),
  },
  { field: 'service name', max: 255, request: (n) => service({ Service: x(n) }) },
  { field: 'service ID', max: 512, request: (n) => service({ ID: x(n) }) },
  { field: 'tags', max: 1024, request: (n) => service({ Tags: list(n) }) },
  { field: 'tag', max: 4096, request: (n) => service({ Tags: [x(n)] }) },
  { field: 'service meta, pairs', max: 64, request: (n) => service({ Meta: record(n) }) },
  { field: 'service meta, key', max: 128, request: (n) => service({ Meta: { [x(n)]: 'v' } }) },
  { field: 'service meta, value', max: 512, request: (n) => service({ Meta: { k: x(n) } }) },
  {
    field: 'service tagged addresses',
    max: 64,
    request: (n) => service({ TaggedAddresses: serviceAddresses(n) }),
  },
  {
    field: 'tag of a service address',
    max: 255,
    request: (n) => service({ TaggedAddresses: { [x(n)]: { Address: '10.0.0.2', Port: 1 } } }),
  },
  { field: 'check ID', max: 512, request: (n) => check({ CheckID: x(n) }) },
  { field: 'check name', max: 255, request: (n) => check({ Name: x(n) }) },
  {
    field: 'checks',
    max: 1024,
    request: (n) => node({ Checks: list(n).map((id) => ({ CheckID: id, Name: id })) }),
  },
  {
    field: 'definition of a check in the catalog',
    max: 65_536,
    request: (n) => check({ Definition: { Body: x(n - '{"Body":""}'.length) } }),
  },
  {
    field: 'fields for the mesh',
    max: 65_536,
    request: (n) => service({ Proxy: { Config: x(n - '{"Proxy":{"Config":""}}'.length) } }),
  },
  {
    field: 'socket path of a service of the agent',
    max: 65_536,
    request: (n) => agentService({ SocketPath: x(n - '{"SocketPath":""}'.length) }),
  },
  { field: 'key', max: 16_384, request: (n) => ['PUT', `/v1/kv/${x(n)}`, 'v'] },
  {
    field: 'key of a transaction',
    max: 16_384,
    request: (n) => ['PUT', '/v1/txn', [{ KV: { Verb: 'set', Key: x(n), Value: '' } }]],
  },
  { field: 'value', max: 512 * 1024, request: (n) => ['PUT', '/v1/kv/k', x(n)] },
  { field: 'session name', max: 1024, request: (n) => session({ Name: x(n) }) },
  { field: 'query name', max: 1000, request: (n) => query({ Name: x(n) }) },
  { field: 'event payload', max: 4096, request: (n) => ['PUT', '/v1/event/fire/e', x(n)] },
  { field: 'event name', max: 256, request: (n) => ['PUT', `/v1/event/fire/${x(n)}`, ''] },
]

t.test(
  'each stored field is taken at its limit, and refused with a clear error above it',
  async (t) => {
    const api = new TestApi(t)
    await api.ask(...service({}))
    for (const { field, max, request } of rows) {
      const taken = await api.ask(...request(max))
      t.equal(taken.status, 200, `${field} at ${max}: ${taken.body.slice(0, 200)}`)
      const refused = await api.ask(...request(max + 1))
      // A transaction answers 409, as Consul's.
      t.ok([400, 409, 413].includes(refused.status), `${field} above: ${refused.status}`)
      t.match(refused.body, /\d/, `${field}: ${refused.body.slice(0, 200)}`)
    }
  },
)

t.test('lists of a session and the whole of a prepared query have a limit', async (t) => {
  const api = new TestApi(t)
  await api.ask(...service({}))
  const many = await api.ask(...session({ ServiceChecks: list(1025).map((ID) => ({ ID })) }))
  t.equal(many.status, 400)
  t.match(many.body, 'Invalid Checks: it has 1025 elements, and at most 1024 are allowed.')
  const long = await api.ask(...query({ Service: { Service: 's', Tags: [x(65_536)] } }))
  t.equal(long.status, 400)
  t.match(long.body, /^Invalid query: it has 65\d\d\d bytes, and at most 65536 are allowed\./)
})

t.test('the definition of a check of the agent has a limit, whatever its kind', async (t) => {
  const api = new TestApi(t)
  for (const probe of [{ HTTP: `http://127.0.0.1/${x(65_536)}` }, { Args: ['sh', x(65_536)] }]) {
    const check = { Name: 'c', Interval: '10s', ...probe }
    for (const [path, body] of [
      ['agent/check/register', check],
      ['agent/service/register', { Name: 's', Check: check }],
    ] as const) {
      const refused = await api.put(path, body)
      t.equal(refused.status, 400)
      t.match(refused.body, /^Invalid check definition: it has 65\d\d\d bytes, and at most 65536/)
    }
  }
})

t.test('output and notes of a check are cut to 4 KiB', async (t) => {
  const api = new TestApi(t)
  await api.put('catalog/register', {
    Node: 'n',
    Address: '10.0.0.1',
    Check: { Name: 'c', Notes: x(5000), Output: x(5000) },
  })
  const [found] = await api.json<readonly { Notes: string; Output: string }[]>('health/node/n')
  t.strictSame([found?.Notes.length, found?.Output.length], [4096, 4096])
})
