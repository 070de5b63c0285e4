import t from 'tap'
import { QueryApi } from './query-api.ts'
import type { Row } from '../answers.ts'

const invalid = (reason: string) => ({ status: 500, body: `Invalid prepared query: ${reason}` })
const notThere = "Cannot modify non-existent prepared query: '11111111-2222-3333-4444-555555555555'"
const unknown = '11111111-2222-3333-4444-555555555555'
const refusesId = {
  status: 500,
  body: "Cannot modify non-existent prepared query: 'foo'",
  because: 'foo is the ID of no query, and the length of IDs is nothing that clients need to know',
}
const created = (name: string) => ({ status: 200, body: `{"ID":"{${name}}"}`, creates: name })

function shown(id: string, name: string, service: string, ttl = '', template = ''): string {
  const type = template === '' ? '"Type":"","Regexp":"","RemoveEmptyTags":false' : template
  return (
    `{"ID":"{${id}}","Name":"${name}","Session":"","Token":"",` +
    `"Template":{${type}},"Service":${service},"DNS":{"TTL":"${ttl}"}}`
  )
}

const plain =
  '{"Service":"db","Failover":{"NearestN":0,"Datacenters":null},"OnlyPassing":false,' +
  '"IgnoreCheckIDs":null,"Near":"","Tags":null,"NodeMeta":null,"ServiceMeta":null,"Connect":false}'
const full =
  '{"Service":"db","Failover":{"NearestN":2,"Datacenters":["dc1","dc2"]},"OnlyPassing":true,' +
  '"IgnoreCheckIDs":["x"],"Near":"_agent","Tags":["a","!b"],"NodeMeta":{},' +
  '"ServiceMeta":{"v":"1"},"Connect":false}'

const rows: readonly Row[] = [
  { ask: 'GET query', status: 200, body: '[]' },
  // What is refused.
  { ask: 'POST query', send: '{}', ...invalid('Must be bound to a session') },
  { ask: 'POST query', send: '{"Name":"x"}', ...invalid('Must provide a Service name to query') },
  {
    ask: 'POST query',
    send: '{"Service":{"Service":"db"}}',
    ...invalid('Must be bound to a session'),
  },
  {
    ask: 'POST query',
    send: '{"ID":"x","Name":"q","Service":{"Service":"db"}}',
    status: 500,
    body: 'ID must be empty when creating a new prepared query',
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Service":{"Service":"db","Failover":{"NearestN":-1}}}',
    ...invalid("Bad NearestN '-1', must be >= 0"),
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Service":{"Service":"db"},"DNS":{"TTL":"abc"}}',
    ...invalid('Bad DNS TTL \'abc\': time: invalid duration "abc"'),
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Service":{"Service":"db"},"DNS":{"TTL":"-1s"}}',
    ...invalid("DNS TTL '-1000000000', must be >=0"),
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Service":{"Service":"db","NodeMeta":{"a b":"x"}}}',
    ...invalid("Couldn't load metadata pair ('a b', 'x'): Key contains invalid characters"),
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Service":{"Service":"db","NodeMeta":{"":"x"}}}',
    ...invalid("Couldn't load metadata pair ('', 'x'): Key cannot be blank"),
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Token":"<hidden>","Service":{"Service":"db"}}',
    ...invalid(
      "Bad Token '<hidden>', it looks like a query definition with a redacted token was submitted",
    ),
  },
  { ask: 'POST query', send: '', status: 400, body: 'Request decode failed: EOF…' },
  {
    ask: 'POST query',
    send: '{"Name":"q","Service":{"Service":"db"},"Foo":1}',
    status: 400,
    body: 'Request decode failed: json: unknown field "Foo"…',
  },
  {
    ask: 'POST query',
    send: '{"Name":1,"Service":{"Service":"db"}}',
    status: 400,
    body: 'Request decode failed: json: cannot unmarshal number into Go struct field …',
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Service":{"Service":"db","Tags":"a"}}',
    status: 400,
    body: 'Request decode failed: json: cannot unmarshal string into Go struct field …',
  },
  {
    ask: 'POST query',
    send: `{"Name":"q","Session":"${unknown}","Service":{"Service":"db"}}`,
    status: 500,
    body: `invalid session "${unknown}"`,
  },
  // Templates are compiled before they are stored.
  {
    ask: 'POST query',
    send: '{"Name":"q","Template":{"Type":"bad"},"Service":{"Service":"db"}}',
    status: 500,
    body: "failed compiling template: Bad Template.Type 'bad'",
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Template":{"Type":"name_prefix_match","Regexp":"("},"Service":{"Service":"db"}}',
    status: 500,
    body: 'failed compiling template: Bad Regexp: error parsing regexp: missing closing ): `(`',
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Template":{"Type":"name_prefix_match"},"Service":{"Service":"${x}"}}',
    status: 500,
    body: "failed compiling template: Bad evaluation for '${x}' in Service.Service: 1:3: unknown variable accessed: x",
  },
  {
    ask: 'POST query',
    send: '{"Name":"q","Template":{"Type":"name_prefix_match"},"Service":{"Service":"${"}}',
    status: 500,
    body: "failed compiling template: Bad format '${' in Service.Service: parse error: syntax error",
  },
  // What is stored comes back as it was sent.
  { ask: 'POST query', send: '{"Name":"Web","Service":{"Service":"db"}}', ...created('A') },
  { ask: 'GET query', status: 200, body: `[${shown('A', 'Web', plain)}]` },
  { ask: 'GET query/{A}', status: 200, body: `[${shown('A', 'Web', plain)}]` },
  {
    ask: 'PUT query/{A}',
    send:
      '{"id":"ignored","name":"web2","service":{"service":"db","onlypassing":true,' +
      '"failover":{"nearestn":2,"datacenters":["dc1","dc2"]},"tags":["a","!b"],"nodemeta":{},' +
      '"servicemeta":{"v":"1"},"ignorecheckids":["x"],"near":"_agent","connect":false},"dns":{"ttl":"10s"}}',
    status: 200,
    body: '',
  },
  { ask: 'GET query/{A}', status: 200, body: `[${shown('A', 'web2', full, '10s')}]` },
  // Names are unique in any case, and no IDs.
  { ask: 'POST query', send: '{"Name":"b","Service":{"Service":"db"}}', ...created('B') },
  {
    ask: 'POST query',
    send: '{"Name":"WEB2","Service":{"Service":"db"}}',
    status: 500,
    body: "name 'WEB2' aliases an existing query name",
  },
  {
    ask: 'PUT query/{B}',
    send: '{"Name":"Web2","Service":{"Service":"db"}}',
    status: 500,
    body: "name 'Web2' aliases an existing query name",
  },
  {
    ask: 'PUT query/{B}',
    send: '{"Name":"{A}","Service":{"Service":"db"}}',
    status: 500,
    body: "name '{A}' aliases an existing query ID",
  },
  {
    ask: 'PUT query/{B}',
    send: '{"Name":"{B}","Service":{"Service":"db"}}',
    status: 500,
    body: "name '{B}' aliases an existing query ID",
  },
  {
    ask: 'POST query',
    send: '{"Template":{"Type":"name_prefix_match"},"Service":{"Service":"db"}}',
    ...created('W'),
  },
  {
    ask: 'POST query',
    send: '{"Template":{"Type":"name_prefix_match"},"Service":{"Service":"db"}}',
    status: 500,
    body: 'a query template with an empty name already exists',
  },
  { ask: 'DELETE query/{W}', status: 200, body: '' },
  // What is not there.
  { ask: 'GET query/{W}', status: 404, body: 'Query not found…' },
  { ask: `GET query/${unknown}`, status: 404, body: 'Query not found…' },
  {
    ask: 'GET query/foo',
    status: 500,
    body: 'failed prepared query lookup: index error: UUID must be 36 characters',
    svcd: { status: 404, body: 'Query not found…', because: 'there is no such query' },
  },
  {
    ask: `PUT query/${unknown}`,
    send: '{"Name":"q","Service":{"Service":"db"}}',
    status: 500,
    body: notThere,
  },
  { ask: `DELETE query/${unknown}`, status: 500, body: notThere },
  {
    ask: 'DELETE query/foo',
    status: 500,
    body: 'Prepared Query lookup failed: failed prepared query lookup: index error: UUID must be 36 characters',
    svcd: refusesId,
  },
  { ask: 'PUT query', send: '{}', status: 405, body: 'method PUT not allowed' },
  { ask: 'POST query/foo', send: '{}', status: 405, body: 'method POST not allowed' },
  { ask: 'PUT query/foo/execute', send: '{}', status: 405, body: 'method PUT not allowed' },
  { ask: 'DELETE query/foo/explain', status: 405, body: 'method DELETE not allowed' },
  { ask: 'GET query?dc=dc9', status: 500, body: 'No path to datacenter' },
]

t.test('definitions are taken, shown and refused as by Consul', async (t) => {
  const api = await QueryApi.start(t)
  await api.check(t, rows)
})

t.test('a definition of any size or shape is refused with a reason', async (t) => {
  const api = await QueryApi.start(t)
  if (api.kv.api === undefined) return t.comment('of svcd alone')
  const post = async (body: object | string): Promise<string> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const reply = await api.kv.ask('POST', 'query', { body: text })
    return `${reply.status} ${reply.body.toString()}`
  }
  const Service = { Service: 'db' }
  t.match(await post('null'), /^400 /)
  t.match(
    await post({ Name: 'q', Service: { ...Service, Tags: ['x'.repeat(70_000)] } }),
    /^400 .*65536/,
  )
  t.match(await post({ Name: 'q'.repeat(1001), Service }), /^400 .*Name.*1000 bytes/)
  t.match(await post({ Name: 'a\u0007b', Service }), /^400 .*Name/)
  t.match(await post({ Name: 'q', Service: { ...Service, Peer: 'x' } }), /^400 .*Peer/)
  t.match(await post('x'.repeat(2 * 1024 * 1024)), /^413 /)
  const Template = { Type: 'name_prefix_match', Regexp: '((a{100}){100}){100}' }
  t.match(
    await post({ Name: 'q', Template, Service }),
    /^500 failed compiling template: Bad Regexp/,
  )
  t.equal(await api.text('GET', 'query'), '[]')
})
