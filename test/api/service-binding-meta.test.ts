import t from 'tap'
import { TestApi } from './support.ts'

// The meta keys that SVCB and HTTPS records are made from are checked when a service is registered.

const cases: readonly (readonly [Record<string, string>, string | undefined])[] = [
  [{ 'svcb-alpn': 'h2,http/1.1,h3-29', 'svcb-priority': '65535' }, undefined],
  [{ 'svcb-alpn': 'h2', 'svcb-no-default-alpn': 'true', 'svcb-ech': 'AAECAw==' }, undefined],
  [{ 'svcb-alpn': 'dot', 'svcb-dohpath': '/dns-query{?dns}' }, undefined],
  [{ 'svcb-no-default-alpn': 'false' }, undefined],
  [{ 'svcb-alpn': '' }, 'svcb-alpn "" is not a list of protocols such as "h2,http/1.1"'],
  [
    { 'svcb-alpn': 'h2, h3' },
    'svcb-alpn "h2, h3" is not a list of protocols such as "h2,http/1.1"',
  ],
  [
    { 'svcb-alpn': 'h2,,h3' },
    'svcb-alpn "h2,,h3" is not a list of protocols such as "h2,http/1.1"',
  ],
  [
    { 'svcb-alpn': 'x'.repeat(256) },
    `svcb-alpn "${'x'.repeat(64)}" is not a list of protocols such as "h2,http/1.1"`,
  ],
  [
    { 'svcb-no-default-alpn': 'true' },
    'svcb-no-default-alpn "true" needs svcb-alpn, which lists the protocols that are left',
  ],
  [{ 'svcb-no-default-alpn': 'yes' }, 'svcb-no-default-alpn "yes" is not "true" or "false"'],
  [{ 'svcb-priority': '0' }, 'svcb-priority "0" is not a number from 1 to 65535'],
  [{ 'svcb-priority': '65536' }, 'svcb-priority "65536" is not a number from 1 to 65535'],
  [{ 'svcb-priority': '01' }, 'svcb-priority "01" is not a number from 1 to 65535'],
  [{ 'svcb-ech': 'AAECAw=' }, 'svcb-ech "AAECAw=" is not valid base64'],
  [{ 'svcb-ech': '' }, 'svcb-ech "" is not valid base64'],
  [
    { 'svcb-dohpath': '/dns-query' },
    'svcb-dohpath "/dns-query" is not a path such as "/dns-query{?dns}"',
  ],
]

t.test('a registration with a bad value is refused, and the text says what is wrong', async (t) => {
  const api = new TestApi(t)
  for (const [Meta, reason] of cases) {
    const own = await api.put('agent/service/register', { Name: 'web', Port: 1, Meta })
    const wanted = reason === undefined ? [200, ''] : [400, `Invalid Service Meta: ${reason}`]
    t.strictSame([own.status, own.body], wanted, JSON.stringify(Meta))
    const Service = { Service: 'web', Port: 1, Meta }
    const body = { Node: 'n9', Address: '10.0.0.9', Service }
    const { status } = await api.put('catalog/register', body)
    t.equal(status, reason === undefined ? 200 : 400, `catalog: ${JSON.stringify(Meta)}`)
  }
  const NodeMeta = { 'svcb-alpn': '' }
  const node = await api.put('catalog/register', { Node: 'n8', Address: '10.0.0.8', NodeMeta })
  t.equal(node.status, 200, 'they mean nothing at a node')
})

t.test('a key that DNS does not know is accepted, with a warning', async (t) => {
  const api = new TestApi(t)
  const Meta = { 'svcb-alpns': 'h2', 'svcb-alpn': 'h2' }
  const { status, headers } = await api.put('agent/service/register', { Name: 'w', Port: 1, Meta })
  t.equal(status, 200)
  t.equal(
    headers['x-svcd-warning'],
    'DNS does not know the meta key "svcb-alpns". SVCB and HTTPS records are made from svcb-alpn, svcb-no-default-alpn, svcb-priority, svcb-ech, svcb-dohpath.',
  )
})
