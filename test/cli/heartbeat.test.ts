import t from 'tap'
import { run } from '../../src/cli/run.ts'
import { TestApi } from '../api/support.ts'
import { until } from '../helpers/until.ts'

t.test('heartbeat reports at once, again and again, and on its end what was asked', async (t) => {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  await api.put('agent/service/register', { Name: 'web', ID: 'web-1', Check: { TTL: '10m' } })
  let reports = 0
  api.app.server.on('request', ({ url = '' }: { url?: string }) => {
    if (url.startsWith('/v1/agent/check/pass/')) reports++
  })
  let [out, err] = ['', '']
  let stop = (): void => {}
  const line = ['heartbeat', 'web-1', '--every', '20ms', '--note', 'alive', '--on-exit', 'fail']
  const ended = run(line, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env,
    readText: async () => '',
    onInterrupt: (end) => (stop = end),
  })
  await until('three reports', 10_000, () => reports >= 3, 5)
  t.match(await api.json('agent/checks'), {
    'service:web-1': { Status: 'passing', Output: 'alive' },
  })
  stop()
  t.equal(await ended, 0)
  t.equal(out, 'Reporting service:web-1 as passing every 20ms\n')
  t.equal(err, '')
  t.match(await api.json('agent/checks'), { 'service:web-1': { Status: 'critical' } })
})

t.test('with --json heartbeat prints what it reports as JSON', async (t) => {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  await api.put('agent/service/register', { Name: 'web', Check: { TTL: '30s' } })
  let out = ''
  let stop = (): void => {}
  const ended = run(['heartbeat', 'web', '--json'], {
    out: (text) => void (out += text),
    err: () => {},
    env,
    readText: async () => '',
    onInterrupt: (end) => (stop = end),
  })
  await until('it reports', 10_000, () => out !== '', 5)
  stop()
  t.equal(await ended, 0)
  t.strictSame(JSON.parse(out), { checks: ['service:web'], status: 'passing', every: '10s' })
})

t.test('heartbeat ends when its check is deregistered', async (t) => {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  await api.put('agent/service/register', { Name: 'web', Check: { TTL: '10m' } })
  let [out, err] = ['', '']
  const ended = run(['heartbeat', 'web', '--every', '20ms'], {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env,
    readText: async () => '',
  })
  await until('it reports', 10_000, () => out !== '', 5)
  await api.put('agent/check/deregister/service:web')
  t.equal(await ended, 1)
  t.match(err, /Unknown check ID "service:web"/)
})
