import fc from 'fast-check'
import t from 'tap'
import { visibleJson } from '../../src/base/invisible.ts'
import { agentServiceBodies, catalogBodies, checkBodies } from './bodies.ts'
import { TestApi } from './support.ts'

type Row = readonly [body: unknown, status: number, text: string | RegExp]

const service = (rest: object): object => ({ Name: 'web', ...rest })
const check = (rest: object): object => service({ Check: rest })
const longMeta = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, 'v']))
let deep: unknown = 1
for (let level = 0; level < 40; level++) deep = { a: deep }

/** Go's words, which Consul begins with, and then our own. */
const undecodable = (found: string, at: string, goType: string, rest: string): string =>
  `Request decode failed: json: cannot unmarshal ${found} into Go struct field .${at} of type ${goType}. ${rest}`

const registrations: readonly Row[] = [
  ['', 400, 'Request decode failed: EOF. The body is empty; send a JSON object.'],
  ['{"Name":', 400, /^Request decode failed: /],
  ['{"Name":"x"} x', 400, /^Request decode failed: /],
  ['[]', 400, 'Request decode failed: expected an object, got a list'],
  ['null', 400, 'Request decode failed: expected an object, got null'],
  ['7', 400, 'Request decode failed: expected an object, got a number'],
  [{}, 400, 'Missing service name'],
  [service({ Foo: 1 }), 400, 'Request decode failed: json: unknown field "Foo"'],
  [check({ TTL: '1s', ID: 'x' }), 400, 'Request decode failed: json: unknown field "ID"'],
  [
    { Name: 5 },
    400,
    undecodable('number', 'Name', 'string', 'Invalid Name: expected a string, got a number'),
  ],
  [
    service({ Tags: 'a' }),
    400,
    undecodable('string', 'Tags', '[]string', 'Invalid Tags: expected a list, got a string'),
  ],
  [
    service({ Tags: [1] }),
    400,
    undecodable('number', 'Tags[0]', 'string', 'Invalid Tags[0]: expected a string, got a number'),
  ],
  [
    service({ Tags: ['a\u0000'] }),
    400,
    'Invalid Tags[0]: contains U+0000, a control or invisible character',
  ],
  [
    service({ Meta: [] }),
    400,
    undecodable('array', 'Meta', 'struct', 'Invalid Meta: expected an object, got a list'),
  ],
  [
    service({ Meta: { a: 1 } }),
    400,
    undecodable('number', 'Meta.a', 'string', 'Invalid Meta.a: expected a string, got a number'),
  ],
  [service({ Meta: longMeta }), 400, /^Invalid Service Meta: cannot contain more than 64/],
  [service({ Meta: { 'a b': '' } }), 400, /\('a b', ''\): Key contains invalid characters$/],
  [service({ Meta: { '': '' } }), 400, /Key cannot be blank$/],
  [service({ Meta: { ['k'.repeat(129)]: '' } }), 400, /Key is too long/],
  [service({ Meta: { k: 'v'.repeat(513) } }), 400, /Value is too long/],
  [service({ Meta: { 'consul-x': '' } }), 400, /Key prefix 'consul-' is reserved/],
  [
    service({ Port: '80' }),
    400,
    undecodable('string', 'Port', 'int', 'Invalid Port: expected a whole number, got a string'),
  ],
  [
    service({ Port: 80.5 }),
    400,
    undecodable('number', 'Port', 'int', 'Invalid Port: expected a whole number, got a number'),
  ],
  [service({ Port: -1 }), 400, 'Invalid Port: -1 is not between 0 and 65535'],
  [service({ Port: 65_536 }), 400, 'Invalid Port: 65536 is not between 0 and 65535'],
  [
    service({ Address: '0.0.0.0' }),
    400,
    /^Invalid service address: clients cannot connect to 0\.0\.0\.0/,
  ],
  [service({ Address: '::' }), 400, /^Invalid service address: clients cannot connect to ::/],
  [service({ Address: 'foo bar' }), 400, /^Invalid service address: "foo bar" is not an IPv4/],
  [service({ Address: '1.2.3.400' }), 400, /^Invalid service address/],
  [service({ Address: '10.0.0' }), 400, /^Invalid service address/],
  [service({ Address: 'a..b' }), 400, /^Invalid service address/],
  [service({ Address: `${'a'.repeat(64)}.example` }), 400, /^Invalid service address/],
  [service({ Address: 'fe80::1%eth0' }), 400, /^Invalid service address/],
  [
    service({ TaggedAddresses: { lan: { Address: '' } } }),
    400,
    'Invalid TaggedAddresses.lan.Address: is empty',
  ],
  [service({ TaggedAddresses: { lan_ipv4: { Address: '::1' } } }), 400, /is not an IPv4 address$/],
  [service({ TaggedAddresses: { wan_ipv6: { Address: '1.2.3.4' } } }), 400, /not an IPv6 address$/],
  [
    service({ TaggedAddresses: { lan: { Address: '1.2.3.4', Port: 70_000 } } }),
    400,
    'Invalid TaggedAddresses.lan.Port: 70000 is not between 0 and 65535',
  ],
  [service({ Weights: { Passing: 0 } }), 400, /^Invalid Weights: Passing must be greater than 0/],
  [service({ Weights: { Passing: 1, Warning: -1 } }), 400, /^Invalid Weights: Warning must be/],
  [service({ Weights: { Passing: 65_536 } }), 400, /^Invalid Weights: DNS Weight must be between/],
  ['{"Name":"a\\ud800"}', 400, 'Invalid Name: contains half of a surrogate pair'],
  [{ Name: 'a\nb' }, 400, 'Invalid Name: contains U+000A, a control or invisible character'],
  [{ Name: 'a\u009b' }, 400, /^Invalid Name: contains U\+009B, a control or/],
  [{ Name: 'a\u202eb' }, 400, /^Invalid Name: contains U\+202E, a control or/],
  [service({ ID: 'a\u200b' }), 400, /^Invalid ID: contains U\+200B, a control or/],
  [service({ Tags: ['a\u2028'] }), 400, /^Invalid Tags\[0\]: contains U\+2028, a control or/],
  [check({ TTL: '1s', Name: 'a\ufeff' }), 400, /contains U\+FEFF, a control or/],
  [check({ TTL: '1s', CheckID: 'a\u2066' }), 400, /contains U\+2066, a control or/],
  [{ Name: 'n'.repeat(256) }, 400, 'Invalid Name: is longer than 255 bytes'],
  [service({ ID: 'i'.repeat(513) }), 400, 'Invalid ID: is longer than 512 bytes'],
  [
    service({ ID: 'a\u007f' }),
    400,
    'Invalid ID: contains U+007F, a control or invisible character',
  ],
  [service({ Namespace: 'team' }), 400, /^Invalid Namespace: "team" does not exist/],
  [service({ Proxy: deep }), 400, 'Invalid Proxy: is nested more than 32 levels deep'],
  [
    service({ Proxy: 'x' }),
    400,
    undecodable('string', 'Proxy', 'struct', 'Invalid Proxy: expected an object, got a string'),
  ],
  [
    service({ EnableTagOverride: 'yes' }),
    400,
    /^Request decode failed: json: cannot unmarshal string into .* Invalid EnableTagOverride: expected true or/,
  ],
  [
    check({ TTL: 'zz' }),
    400,
    /^Request decode failed: time: invalid duration .* Invalid Check\.TTL: "zz" is not a duration/,
  ],
  [
    check({ TTL: '15' }),
    400,
    /^Request decode failed: time: invalid duration .* Invalid Check\.TTL: "15" is not a duration/,
  ],
  [
    check({ TTL: '99999999999h' }),
    400,
    /^Request decode failed: time: invalid duration .* Invalid Check\.TTL: "99999999999h" is not a duration/,
  ],
  [
    check({ TTL: 1e300 }),
    400,
    /^Request decode failed: time: invalid duration .* Invalid Check\.TTL: 1e\+300 is not a duration/,
  ],
  [
    check({ TTL: true }),
    400,
    /^Request decode failed: json: cannot unmarshal bool .* Invalid Check\.TTL: expected a duration/,
  ],
  [check({ TTL: '-5s' }), 400, 'Invalid check: TTL must be > 0 for TTL checks'],
  [check({ Status: 'passing' }), 400, 'Invalid check: TTL must be > 0 for TTL checks'],
  [
    check({ TTL: '5s', Status: 'fine' }),
    400,
    /^Status for checks must 'passing', 'warning', 'critical'\. "fine" is not valid/,
  ],
  [check({ TTL: '5s', Interval: '5s' }), 400, /Interval and TTL cannot both be specified$/],
  [check({ HTTP: 'http://a/' }), 400, 'Invalid check: Interval must be > 0 for HTTP checks'],
  [check({ HTTP: 'http://a/', TTL: '5s' }), 400, /HTTP and TTL cannot both be specified$/],
  [check({ HTTP: 'a/b', Interval: '5s' }), 400, /"a\/b" is not an http:\/\/ or https:\/\/ URL$/],
  [check({ HTTP: 'file:///x', Interval: '5s' }), 400, /is not an http:/],
  [check({ HTTP: 'http://a/', Interval: '5s', Method: 'G T' }), 400, /is not an HTTP method$/],
  [check({ HTTP: 'http://a/', Interval: '5s', Method: 'GET\r\n' }), 400, /is not an HTTP method$/],
  [
    check({ HTTP: 'http://a/', Interval: '5s', Method: 'CONNECT' }),
    400,
    /CONNECT cannot check health/,
  ],
  ...[
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'proxy-authorization',
    'TE',
    'Trailer',
    'transfer-encoding',
    'Upgrade',
  ].map((name): Row => [
    check({ HTTP: 'http://a/', Interval: '5s', Header: { [name]: ['x'] } }),
    400,
    `Invalid check: Header: ${name} belongs to the connection, so the agent sets it itself; leave it out`,
  ]),
  [
    check({ HTTP: 'http://a/', Interval: '5s', Body: 'abc', Header: { 'Content-Length': ['4'] } }),
    400,
    'Invalid check: Header: Content-Length differs from the length of Body (3); leave it out',
  ],
  [
    check({ HTTP: 'http://a/', Interval: '5s', Header: { host: ['a', 'b'] } }),
    400,
    /Host has several values/,
  ],
  [
    check({ HTTP: 'http://a/', Interval: '5s', Header: { 'a\r\nb': ['x'] } }),
    400,
    /valid header name/,
  ],
  [
    check({ HTTP: 'http://a/', Interval: '5s', Header: { a: ['x\r\nb: c'] } }),
    400,
    /character that headers cannot have/,
  ],
  [
    check({ HTTP: 'http://a/', Interval: '5s', Header: { a: 'b' } }),
    400,
    undecodable(
      'string',
      'Check.Header.a',
      '[]string',
      'Invalid Check.Header.a: expected a list, got a string',
    ),
  ],
  [
    check({ HTTP: 'http://a/', Interval: '5s', Header: { 'a b': ['c'] } }),
    400,
    'Invalid check: Header: "a b" is not a valid header name',
  ],
  [
    check({ HTTP: 'http://a/', Interval: '5s', Header: { a: ['b\r\nc'] } }),
    400,
    'Invalid check: Header: a value of "a" has a character that headers cannot have',
  ],
  [check({ TTL: '5s', SuccessBeforePassing: -1 }), 400, /^Invalid SuccessBeforePassing/],
  ...['DockerContainerID', 'OSService'].map((kind): Row => [
    check({ [kind]: 'a:1', Interval: '5s' }),
    400,
    `Invalid check: svcd does not support ${kind}. Use a script (Args), HTTP, TCP, UDP, GRPC, H2PING or TTL.`,
  ]),
  ...['TCP', 'UDP', 'GRPC', 'H2PING'].flatMap((kind): Row[] => [
    [check({ [kind]: 'a:1' }), 400, `Invalid check: Interval must be > 0 for ${kind} checks`],
    [check({ [kind]: 'a:1', Interval: '-5s' }), 400, /Interval must be > 0/],
    [check({ [kind]: 'a:1', Interval: '5s', Timeout: '-1s' }), 400, /Timeout must not be negative/],
    [
      check({ [kind]: 'a:1', TTL: '5s' }),
      400,
      `Invalid check: ${kind} and TTL cannot both be specified`,
    ],
    [check({ [kind]: 'a', Interval: '5s' }), 400, /"a" is not a valid address; write host:port/],
    [check({ [kind]: '::1:80', Interval: '5s' }), 400, /is not a valid address/],
    [check({ [kind]: 'a:65536', Interval: '5s' }), 400, /is not a valid address/],
    [check({ [kind]: 'a:1', Args: ['x'], Interval: '5s' }), 400, /and Args cannot both be/],
  ]),
  [check({ Args: [''], Interval: '5s' }), 400, 'Invalid check: Args: the command is empty'],
  [check({ Args: ['a\0b'], Interval: '5s' }), 400, /contains a null character$/],
  [
    service({
      Checks: [
        { TTL: '5s', CheckID: 'a' },
        { TTL: '5s', CheckID: 'a' },
      ],
    }),
    400,
    'Invalid Checks: two checks have the ID "a"',
  ],
  [service({ Checks: [{ TTL: 'x' }] }), 400, /^Request decode failed: .* Invalid Checks\[0\]\.TTL/],
]

t.test(
  'a registration that is wrong gets a 400 that names what, and registers nothing',
  async (t) => {
    const api = new TestApi(t)
    for (const [body, status, text] of registrations) {
      const reply = await api.put('agent/service/register', body)
      const what = visibleJson(JSON.stringify(body)).slice(0, 80)
      t.equal(reply.status, status, what)
      t.match(reply.body, text, what)
      if (typeof text === 'string') t.equal(reply.body, text, what)
      t.equal(reply.headers['content-type'], 'text/plain; charset=utf-8', what)
    }
    t.strictSame(await api.json('agent/services'), {})
    t.equal(api.backend.proposed.length, 0)
  },
)

const node = (rest: object): object => ({ Node: 'ext', Address: '10.0.0.9', ...rest })

const bodies: readonly (readonly [path: string, body: unknown, status: number, text: RegExp])[] = [
  ['agent/check/register', {}, 400, /^Missing check name/],
  ['agent/check/register', { Name: 'a' }, 400, /^Invalid check: TTL must be/],
  ['agent/check/register', { Name: 'a', TTL: '1s', CheckID: 'b' }, 400, /unknown field "CheckID"$/],
  [
    'agent/check/register',
    { Name: 'a', TTL: '1s', ServiceID: 'zz' },
    404,
    /^ServiceID "zz" does n/,
  ],
  ['agent/check/update/x', { Status: 'fine' }, 400, /^Invalid check status: 'fine'/],
  ['agent/check/update/x', {}, 400, /^Invalid check status: ''/],
  ['agent/check/update/x', { Status: 'passing', Foo: 1 }, 400, /unknown field "Foo"$/],
  ['agent/check/update/x', { Status: 'passing' }, 404, /^Unknown check ID "x"/],
  ['agent/check/pass/x', undefined, 404, /^Unknown check ID "x"/],
  ['agent/check/deregister/x', undefined, 404, /^Unknown check ID "x"/],
  ['agent/service/deregister/x', undefined, 404, /^Unknown service ID "x"/],
  ['agent/service/deregister/%zz', undefined, 400, /^(?:Invalid URL path|Bad request)/],
  ['catalog/register', {}, 400, /^Must provide node\. /],
  [
    'catalog/register',
    { Node: 'ext' },
    400,
    /^Must provide address if SkipNodeUpdate is not set\. Set the address of node "ext"/,
  ],
  ['catalog/register', node({ Foo: 1 }), 400, /unknown field "Foo"$/],
  [
    'catalog/register',
    node({ Address: '::' }),
    400,
    /^Invalid Address: clients cannot connect to ::/,
  ],
  ['catalog/register', node({ ID: 'zzz' }), 400, /^Bad node ID: "zzz" is not a UUID/],
  ['catalog/register', node({ Datacenter: 'dc9' }), 500, /^No path to datacenter$/],
  ['catalog/register?dc=dc9', node({}), 500, /^No path to datacenter$/],
  [
    'catalog/register',
    node({ Service: { ID: 'a' } }),
    400,
    /^Must provide service name with ID\. /,
  ],
  [
    'catalog/register',
    node({ Service: { Service: 'a', Name: 'b' } }),
    400,
    /unknown field "Name"$/,
  ],
  [
    'catalog/register',
    node({ Service: { Service: 'a', Port: 1e6 } }),
    400,
    /^Invalid Service.Port/,
  ],
  ['catalog/register', node({ TaggedAddresses: { lan: '' } }), 400, /^Invalid TaggedAddresses.lan/],
  ['catalog/register', node({ NodeMeta: { 'a b': '' } }), 400, /^Invalid Node Meta/],
  ['catalog/register', node({ Check: {} }), 400, /^Missing check name/],
  ['catalog/register', node({ Check: { Name: 'c', Status: 'ok' } }), 400, /^Bad check status "ok"/],
  [
    'catalog/register',
    node({ Check: { Name: 'c', Node: 'other' } }),
    400,
    /^check node "other" does not match node "ext"/,
  ],
  [
    'catalog/register',
    node({ Check: { Name: 'c', ServiceID: 'zz' } }),
    404,
    /^failed inserting check: Missing service registration on node "ext"/,
  ],
  ['catalog/deregister', {}, 400, /^Must provide node\. /],
  ['catalog/deregister', { Node: 'a', Foo: 1 }, 400, /unknown field "Foo"$/],
  ['catalog/deregister', { Node: 'a', Datacenter: 'x' }, 500, /^No path to datacenter$/],
]

t.test('the other bodies are judged as closely', async (t) => {
  const api = new TestApi(t)
  for (const [path, body, status, text] of bodies) {
    const reply = await api.put(path, body)
    const what = `${path} ${JSON.stringify(body)}`
    t.equal(reply.status, status, what)
    t.match(reply.body, text, what)
  }
  t.strictSame((await api.json<unknown[]>('catalog/nodes')).length, 1)
})

const queries: readonly (readonly [path: string, status: number, text: RegExp])[] = [
  ['health/service/web?wait=foo', 400, /^Invalid wait time/],
  ['health/service/web?wait=10', 400, /^Invalid wait time/],
  ['health/service/web?wait=-1s', 400, /^Invalid wait time/],
  ['health/service/web?index=abc', 400, /^Invalid index/],
  ['health/service/web?index=-1', 400, /^Invalid index/],
  [
    'health/service/web?stale&consistent',
    400,
    /^Cannot specify \?stale with \?consistent, conflicting semantics\.$/,
  ],
  ['health/service/web?cached&consistent', 400, /^Cannot specify \?cached with \?consistent/],
  ['health/service/web?max_stale=x', 400, /^Invalid max_stale value "x"/],
  ['health/service/web?passing=maybe', 400, /^Invalid value for \?passing/],
  [
    'health/service/web?filter=Node==x',
    400,
    /evaluator: 1:1 \(0\): Invalid match operator "Equal"/,
  ],
  ['catalog/nodes?filter=x', 400, /evaluator: 1:2 \(1\): expected "=="/],
  ['catalog/services?filter=x', 400, /evaluator: 1:2 \(1\)/],
  ['catalog/service/web?filter=Service.ID==x', 400, /Selector "Service" is not valid/],
  ['catalog/node/n1?filter=x', 400, /evaluator: 1:2 \(1\)/],
  ['catalog/node-services/n1?filter=x', 400, /evaluator: 1:2 \(1\)/],
  ['health/checks/web?filter=ID==x', 400, /Selector "ID" is not valid; the fields are CheckID,/],
  ['health/node/n1?filter=x', 400, /evaluator: 1:2 \(1\)/],
  ['health/state/any?filter=x', 400, /evaluator: 1:2 \(1\)/],
  ['agent/services?filter=x', 400, /evaluator: 1:2 \(1\)/],
  ['agent/checks?filter=x', 400, /evaluator: 1:2 \(1\)/],
  ['agent/members?filter=x', 400, /evaluator: 1:2 \(1\)/],
  [`agent/checks?filter=${'('.repeat(1000)}`, 400, /parentheses are nested over 100 levels/],
  [`agent/checks?filter=${'x'.repeat(100_000)}`, 400, /has 100000 bytes; the limit is 65536$/],
  ['catalog/services?ns=team', 400, /^The parameter \?ns is not supported/],
  ['health/service/web?peer=east', 400, /^The parameter \?peer is not supported/],
  ['health/service/web?dc=dc9', 500, /^No path to datacenter$/],
  ['status/leader?dc=dc9', 500, /^No path to datacenter$/],
  ['health/service/', 400, /^Missing service name$/],
  ['health/checks/', 400, /^Missing service name$/],
  ['catalog/service/', 400, /^Missing service name$/],
  ['health/state/', 400, /^Missing check state$/],
  ['health/node/', 400, /^Missing node name$/],
  ['catalog/node/', 400, /^Missing node name$/],
  ['agent/service/zz', 404, /^unknown service ID: zz\. /],
  ['nope', 404, /^Invalid URL path: not a recognized HTTP API endpoint$/],
]

t.test(
  'a query that cannot be answered as asked is refused, never answered otherwise',
  async (t) => {
    const api = new TestApi(t)
    for (const [path, status, text] of queries) {
      const reply = await api.get(path)
      t.equal(reply.status, status, path)
      t.match(reply.body, text, path)
      t.equal(reply.headers['content-type'], 'text/plain; charset=utf-8', path)
    }
  },
)

t.test('a body of 10 MB is a 413 that its sender gets to read', async (t) => {
  const api = new TestApi(t)
  const address = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const body = JSON.stringify({ Name: 'x', Tags: ['y'.repeat(10_000_000)] })
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(body))
      controller.close()
    },
  })
  for (const sent of [body, chunked]) {
    const init = { method: 'PUT', body: sent, duplex: 'half' } as RequestInit
    const response = await fetch(`${address}/v1/agent/service/register`, init)
    t.equal(response.status, 413)
    t.equal(
      await response.text(),
      `Request body(${body.length} bytes) too large, max size: 1048576 bytes. Send less data, or split the request.`,
    )
  }
  const reply = await api.put('agent/service/register', { Name: 'after' })
  t.equal(reply.status, 200, 'the server goes on')
})

t.test('no JSON whatever makes the server fail (property)', async (t) => {
  const api = new TestApi(t)
  const statuses = new Map<number, number>()
  const bodies = fc.oneof(
    fc.record({ path: fc.constant('agent/service/register'), body: agentServiceBodies }),
    fc.record({ path: fc.constant('agent/check/register'), body: checkBodies }),
    fc.record({ path: fc.constant('catalog/register'), body: catalogBodies }),
  )
  const property = fc.asyncProperty(bodies, async ({ path, body }) => {
    const reply = await api.put(path, JSON.stringify(body))
    statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1)
    if (reply.status === 200) return
    if (![400, 404].includes(reply.status) || reply.body === '') {
      throw new Error(`${path}: ${reply.status} ${reply.body}`)
    }
  })
  await fc.assert(property, { numRuns: 800 })
  t.ok((statuses.get(200) ?? 0) > 50, `some are accepted: ${JSON.stringify([...statuses])}`)
  t.ok((statuses.get(400) ?? 0) > 50, 'and some refused')
  for (const path of ['catalog/services', 'catalog/nodes', 'agent/services', 'health/state/any']) {
    t.equal((await api.get(path)).status, 200, path)
  }
})
