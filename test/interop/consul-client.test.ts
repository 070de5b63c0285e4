import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import Consul from 'consul'
import t from 'tap'
import { AgentProcess } from '../helpers/agent-process.ts'
import { missing } from '../helpers/tools.ts'

// The npm client `consul` and curl against an agent, as their users call them.

const run = promisify(execFile)

interface Row {
  readonly [key: string]: unknown
}

t.test('the npm client registers, reports, reads, watches and deregisters', async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node=n1', '-log-level=warn'] })
  t.teardown(() => agent.stop())
  const consul = new Consul({ host: '127.0.0.1', port: agent.httpPort })

  t.match(await consul.status.leader(), /^127\.0\.0\.1:\d+$/)
  t.match(await consul.agent.self(), { Config: { NodeName: 'n1', Datacenter: 'dc1' } })
  t.match(await consul.agent.members(), [{ Name: 'n1', Status: 1 }])
  t.strictSame(await consul.catalog.datacenters(), ['dc1'])

  await consul.agent.service.register({
    id: 'web/1',
    name: 'web',
    address: '10.9.0.1',
    port: 8080,
    tags: ['v1'],
    meta: { version: '2' },
    check: { name: 'ttl', ttl: '1h', timeout: '1s' },
  })
  t.strictSame(await consul.catalog.service.list(), { consul: [], web: ['v1'] })
  t.match(await consul.agent.service.list(), { 'web/1': { Service: 'web', Port: 8080 } })
  t.strictSame(await consul.health.service({ service: 'web', passing: true }), [])

  const watch = consul.watch({
    method: consul.health.service.bind(consul.health),
    options: { service: 'web', passing: true, wait: '30s' } as never,
  })
  t.teardown(() => watch.end())
  const seen = new Promise<Row[]>((resolve) => {
    watch.on('change', (rows: Row[]) => {
      if (rows.length > 0) resolve(rows)
    })
  })
  await consul.agent.check.pass({ id: 'service:web/1', note: 'fine' })
  t.match(await seen, [{ Service: { ID: 'web/1' }, Checks: [{}, { Output: 'fine' }] }])

  t.match(await consul.health.state('any'), [
    { CheckID: 'serfHealth' },
    { CheckID: 'service:web/1' },
  ])
  t.match(await consul.health.node('n1'), [{}, {}])
  t.match(await consul.health.checks('web'), [{ Status: 'passing' }])
  t.match(await consul.catalog.node.list(), [{ Node: 'n1' }])
  t.match(await consul.catalog.node.services('n1'), { Services: { 'web/1': {} } })
  t.match(await consul.catalog.service.nodes({ service: 'web', tag: 'v1' }), [
    { ServiceID: 'web/1' },
  ])

  await consul.agent.service.maintenance({ id: 'web/1', enable: true, reason: 'test' })
  t.strictSame(await consul.health.service({ service: 'web', passing: true }), [])
  await consul.agent.service.maintenance({ id: 'web/1', enable: false })
  // This client also takes `timeout` for how long it waits for the answer itself.
  await consul.agent.check.register({ name: 'mem', ttl: '15s', timeout: '10s' })
  await consul.agent.check.fail('mem')
  t.match(await consul.agent.check.list(), { mem: { Status: 'critical' } })
  await consul.agent.check.deregister('mem')
  await consul.agent.service.deregister('web/1')
  t.strictSame(await consul.catalog.service.list(), { consul: [] })
})

const skip = missing('curl')

t.test('curl: filters, waits, redirects, gzip, methods', { skip }, async (t) => {
  const agent = await AgentProcess.start({ args: ['-dev', '-node=n1', '-log-level=warn'] })
  t.teardown(() => agent.stop())
  const curl = async (path: string, ...args: readonly string[]): Promise<string> =>
    (await run('curl', ['-sS', ...args, `${agent.httpUrl}${path}`])).stdout

  const body = '{"Name":"web","Port":80,"Meta":{"v":"2"}}'
  t.equal(await curl('/v1/agent/service/register', '-X', 'PUT', '-d', body), '')
  const filter = ['-G', '--data-urlencode', 'filter=Service.Meta.v == "2" and Service.Port == 80']
  t.match(JSON.parse(await curl('/v1/health/service/web', ...filter)), [{ Service: { ID: 'web' } }])
  const bad = await curl(
    '/v1/health/service/web',
    '-G',
    '--data-urlencode',
    'filter=Service.Port =',
    '-w',
    ' %{http_code}',
  )
  t.match(bad, /evaluator: 1:13 \(12\): expected .* 400$/)
  const long = await curl(
    '/v1/agent/services',
    '-G',
    '--data-urlencode',
    `filter=${'x'.repeat(100_000)}`,
    '-w',
    ' %{http_code}',
  )
  t.match(long, /100000 bytes; the limit is 65536 400$/)

  const headers = await curl('/v1/health/service/web', '-D', '-', '-o', '/dev/null')
  const index = /^x-consul-index: (\d+)/im.exec(headers)?.[1] ?? ''
  const waiting = curl(`/v1/health/service/web?index=${index}&wait=30s`)
  await curl('/v1/agent/service/register', '-X', 'PUT', '-d', body.replace('80', '81'))
  t.match(JSON.parse(await waiting), [{ Service: { Port: 81 } }])

  const redirected = await curl('/v1//status//leader', '-L', '--path-as-is')
  t.match(redirected, /^"127\.0\.0\.1:\d+"$/)
  const document = await curl('/v1/openapi.json', '--compressed')
  t.match(JSON.parse(document), { openapi: '3.1.0' })
  t.match(JSON.parse(await curl('/v1/health/service/web?pretty', '--compressed')), [{}])
  t.match(await curl('/v1/agent/services', '-X', 'POST', '-i'), /405 Method[^]*allow: OPTIONS,GET/i)
  t.match(await curl('/v1/agent/services', '-I'), /^HTTP\/1\.1 200/)
})
