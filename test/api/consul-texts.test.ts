import t from 'tap'
import { TestApi } from './support.ts'

// What Consul 1.8.7 answered to these requests; where a newer Consul has other words, those of 1.21.
const texts: readonly (readonly [
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  consul: string,
])[] = [
  ['PUT', 'agent/service/register', 'Request decode failed: EOF'],
  ['PUT', 'agent/service/register {"Name":', 'Request decode failed: unexpected EOF'],
  ['PUT', 'agent/service/register {"Name":"we', 'Request decode failed: unexpected EOF'],
  ['PUT', 'agent/service/register {}', 'Missing service name'],
  [
    'PUT',
    'agent/service/register {"Name":"web","Foo":1}',
    'Request decode failed: json: unknown field "Foo"',
  ],
  [
    'PUT',
    'agent/service/register {"Name":5}',
    'Request decode failed: json: cannot unmarshal number into Go struct field .Name of type string',
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Port":"80"}',
    'Request decode failed: json: cannot unmarshal string into Go struct field .Port of type int',
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Tags":"a"}',
    'Request decode failed: json: cannot unmarshal string into Go struct field .Tags of type []string',
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","EnableTagOverride":"yes"}',
    'Request decode failed: json: cannot unmarshal string into Go struct field .EnableTagOverride of type bool',
  ],
  ['PUT', 'agent/service/register {"Name":"web","Address":"0.0.0.0"}', 'Invalid service address'],
  ['PUT', 'agent/service/register {"Name":"web","Address":"[::]"}', 'Invalid service address'],
  [
    'PUT',
    'agent/service/register {"Name":"web","Meta":{"a b":"x"}}',
    "Invalid Service Meta: Couldn't load metadata pair ('a b', 'x'): Key contains invalid characters",
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Meta":{"":"x"}}',
    "Invalid Service Meta: Couldn't load metadata pair ('', 'x'): Key cannot be blank",
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Weights":{"Passing":0,"Warning":0}}',
    'Invalid Weights: Passing must be greater than 0',
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Weights":{"Passing":1,"Warning":-1}}',
    'Invalid Weights: Warning must be greater or equal than 0',
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Weights":{"Passing":70000,"Warning":1}}',
    'Invalid Weights: DNS Weight must be between 0 and 65535',
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Check":{"Interval":"10s"}}',
    'Invalid check: TTL must be > 0 for TTL checks',
  ],
  // Consul goes on with the kinds of check that it has.
  [
    'PUT',
    'agent/service/register {"Name":"web","Check":{"HTTP":"http://x"}}',
    'Invalid check: Interval must be > 0 for ',
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Check":{"TTL":"foo"}}',
    'Request decode failed: time: invalid duration "foo"',
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Check":{"HTTP":"http://x","Interval":"10s","TTL":"1s"}}',
    'Invalid check: Interval and TTL cannot both be specified',
  ],
  [
    'PUT',
    'agent/service/register {"Name":"web","Check":{"TTL":"1s","Status":"ok"}}',
    "Status for checks must 'passing', 'warning', 'critical'",
  ],
  ['GET', 'agent/service/register', 'method GET not allowed'],
  ['PUT', 'agent/service/deregister/zz', 'Unknown service ID "zz". Ensure that the service ID is'],
  ['PUT', 'agent/service/maintenance/zz', 'Missing value for enable'],
  ['PUT', 'agent/service/maintenance/', 'Missing service ID'],
  ['PUT', 'agent/service/maintenance/zz?enable=maybe', 'Invalid value for enable: "maybe"'],
  ['PUT', 'agent/maintenance', 'Missing value for enable'],
  ['PUT', 'agent/maintenance?enable=maybe', 'Invalid value for enable: "maybe"'],
  ['GET', 'agent/service/zz', 'unknown service ID: zz'],
  ['PUT', 'agent/check/register', 'Request decode failed: EOF'],
  ['PUT', 'agent/check/register {}', 'Missing check name'],
  [
    'PUT',
    'agent/check/register {"Name":"x","TTL":"1s","ServiceID":"zz"}',
    'ServiceID "zz" does not exist',
  ],
  ['PUT', 'agent/check/register {"Name":"x","TTL":"1s","Status":"ok"}', 'Bad check status'],
  ['PUT', 'agent/check/pass/zz', 'Unknown check ID "zz". Ensure that the check ID is passed'],
  ['PUT', 'agent/check/update/zz {"Status":"ok"}', "Invalid check status: 'ok'"],
  ['PUT', 'agent/check/update/zz {}', "Invalid check status: ''"],
  ['PUT', 'agent/force-leave/zz', "agent: No node found with name 'zz'"],
  [
    'GET',
    'agent/members?segment=x',
    'Network segments are not supported in this version of Consul',
  ],
  ['GET', 'agent/services?filter=x', 'Failed to create boolean expression evaluator: 1:2 (1): '],
  ['PUT', 'catalog/register', 'Request decode failed: EOF'],
  ['PUT', 'catalog/register {}', 'Must provide node'],
  ['PUT', 'catalog/register {"Node":"ext"}', 'Must provide address if SkipNodeUpdate is not set'],
  ['PUT', 'catalog/register {"Node":"ext","Address":"10.0.0.1","ID":"zzz"}', 'Bad node ID: '],
  [
    'PUT',
    'catalog/register {"Node":"ext","Address":"10.0.0.1","Datacenter":"dc9"}',
    'No path to datacenter',
  ],
  [
    'PUT',
    'catalog/register {"Node":"ext","Address":"10.0.0.1","Service":{"ID":"a"}}',
    'Must provide service name with ID',
  ],
  [
    'PUT',
    'catalog/register {"Node":"ext","Address":"10.0.0.1","Service":{"Service":"a","Address":"0.0.0.0"}}',
    'Invalid service address',
  ],
  [
    'PUT',
    'catalog/register {"Node":"ext","Address":"10.0.0.1","Check":{"Name":"c","ServiceID":"zz"}}',
    'failed inserting check: Missing service registration on node "ext"',
  ],
  [
    'PUT',
    'catalog/register {"Node":"ext","Address":"10.0.0.1","Check":{"Name":"c","Node":"other"}}',
    'check node "other" does not match node "ext"',
  ],
  ['PUT', 'catalog/deregister {}', 'Must provide node'],
  ['GET', 'catalog/service/', 'Missing service name'],
  ['GET', 'catalog/node/', 'Missing node name'],
  ['GET', 'catalog/connect/', 'Missing service name'],
  ['GET', 'health/connect/', 'Missing service name'],
  ['GET', 'health/ingress/', 'Missing service name'],
  ['GET', 'health/state/', 'Missing check state'],
  ['GET', 'catalog/nodes?dc=dc9', 'No path to datacenter'],
  [
    'GET',
    'catalog/services?stale&consistent',
    'Cannot specify ?stale with ?consistent, conflicting semantics.',
  ],
  ['GET', 'catalog/services?max_stale=x', 'Invalid max_stale value "x"'],
  ['GET', 'catalog/services?wait=foo', 'Invalid wait time'],
  ['GET', 'catalog/services?index=abc', 'Invalid index'],
  ['GET', 'health/service/web?passing=maybe', 'Invalid value for ?passing'],
  ['DELETE', 'operator/raft/peer', 'Bad request: Must specify either ?id with the server'],
  ['DELETE', 'operator/raft/peer?id=a&address=b', 'Bad request: Must specify only one of ?id or'],
  ['DELETE', 'operator/raft/peer?id=a', 'id "a" was not found in the Raft configuration'],
  ['GET', 'acl/tokens', 'ACL support disabled'],
]

t.test('the texts of errors begin with Consul’s', async (t) => {
  const api = new TestApi(t)
  for (const [method, request, consul] of texts) {
    const [path = '', ...body] = request.split(' ')
    const sent = body.length === 0 ? undefined : body.join(' ')
    const reply = await api.ask(method, `/v1/${path}`, sent)
    t.ok(reply.status >= 400, request)
    t.equal(reply.body.slice(0, consul.length), consul, request)
  }
})
