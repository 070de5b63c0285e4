import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Client } from '../../../../src/client/client.ts'
import type { HttpApiOptions } from '../../../../src/api/http-api.ts'
import { CatalogPages } from '../../../../src/state/catalog/pages.ts'
import { until } from '../../../helpers/until.ts'
import { TestApi } from '../../support.ts'

interface Streamed {
  readonly index: number
  readonly data: unknown
}

/** The API on a socket, and streams of it that end with the test. */
async function startApi(t: Test, options: HttpApiOptions = {}) {
  const api = new TestApi(t, options)
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' })
  const ended = new AbortController()
  t.teardown(() => ended.abort())
  const watch = (path: string): AsyncGenerator<Streamed, void> =>
    new Client({ address }).watch(path, ended.signal)
  return { api, address, watch }
}

async function next(stream: AsyncGenerator<Streamed, void>): Promise<Streamed> {
  const { value } = await stream.next()
  if (value === undefined) throw new Error('the stream ended')
  return value
}

const register = (api: TestApi, Name: string, Port: number) =>
  api.put('agent/service/register', { Name, Port })

t.test('a stream begins with the state that there is, and has one event a change', async (t) => {
  const { api, watch } = await startApi(t)
  const stream = watch('service/web')
  t.strictSame(await next(stream), { index: 1, data: [] }, 'a service that is not there yet')
  for (const port of [80, 81, 82]) {
    await register(api, 'web', port)
    await register(api, 'other', port)
    const { index, data } = await next(stream)
    const answer = await api.get('health/service/web')
    t.strictSame(data, JSON.parse(answer.body), 'what a read answers')
    t.equal(String(index), answer.headers['x-consul-index'])
  }
  await api.put('agent/service/deregister/web')
  t.strictSame((await next(stream)).data, [])
})

t.test('every stream shows what its read answers, with the same parameters', async (t) => {
  const { api, watch } = await startApi(t)
  await api.put('agent/service/register', { Name: 'web', Tags: ['v1'], Check: { TTL: '1m' } })
  const paths: readonly (readonly [watched: string, read: string])[] = [
    ['service/web?tag=v1', 'health/service/web?tag=v1'],
    ['service/web?tag=v2', 'health/service/web?tag=v2'],
    ['service/web?passing', 'health/service/web?passing'],
    ['services', 'catalog/services'],
    ['services?node-meta=a:b', 'catalog/services?node-meta=a:b'],
    ['nodes', 'catalog/nodes'],
    ['nodes?node-meta=a:b', 'catalog/nodes?node-meta=a:b'],
    ['node/n1', 'catalog/node/n1'],
    ['node/nope', 'catalog/node/nope'],
    ['checks', 'health/state/any'],
    ['checks?state=critical', 'health/state/critical'],
    ['checks?service=web', 'health/checks/web'],
    ['checks?node=n1', 'health/node/n1'],
  ]
  for (const [watched, read] of paths) {
    t.strictSame((await next(watch(watched))).data, await api.json(read), watched)
  }
  t.strictSame((await next(watch('node/n1?checks'))).data, {
    ...(await api.json<object>('catalog/node/n1')),
    Checks: await api.json('health/node/n1'),
  })
  t.equal((await next(watch('node/nope?checks'))).data, null)
})

t.test('a change that the parameters hide makes no event', async (t) => {
  const { api, watch } = await startApi(t)
  await api.put('agent/service/register', { Name: 'web', Check: { TTL: '1m' } })
  const stream = watch('service/web?passing')
  t.strictSame((await next(stream)).data, [])
  await api.put('agent/check/fail/service:web')
  await api.put('agent/check/warn/service:web')
  await api.put('agent/check/pass/service:web')
  t.match((await next(stream)).data, [{ Checks: [{ Status: 'passing' }] }], 'the first that shows')
})

t.test('what cannot be watched is refused before a stream begins', async (t) => {
  const { api } = await startApi(t)
  const cases: readonly (readonly [path: string, status: number, text: RegExp])[] = [
    ['service/', 400, /Missing service name/],
    ['node/', 400, /Missing node name/],
    ['service/web?index=abc', 400, /Invalid index "abc"/],
    ['service/web?dc=nope', 500, /No path to datacenter/],
    ['checks?state=any&service=web', 400, /\?service with \?state/],
    ['keys', 404, /Invalid URL path/],
  ]
  for (const [path, status, text] of cases) {
    const reply = await api.get(`watch/${path}`)
    t.equal(reply.status, status, path)
    t.match(reply.body, text)
  }
  const head = await api.ask('HEAD', '/v1/watch/services')
  t.match(head, { status: 200, body: '', headers: { 'content-type': 'text/event-stream' } })
  t.equal((await api.ask('PUT', '/v1/watch/services')).headers['allow'], 'OPTIONS,GET')
  api.backend.leaderAddress = ''
  t.match(await api.get('watch/services'), { status: 500, body: 'No cluster leader' })
})

/** A reader of its own speed: a socket with what it has read so far. */
class RawReader {
  readonly socket: Socket
  text = ''

  constructor(address: string, path: string, headers = '') {
    const { port, hostname } = new URL(address)
    this.socket = connect(Number(port), hostname)
    this.socket.write(`GET /v1/watch/${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`)
    this.socket.setEncoding('latin1').on('data', (chunk: string) => (this.text += chunk))
    this.socket.on('error', () => {})
  }

  holds(text: string): Promise<boolean> {
    return until(text, 5000, () => this.text.includes(text), 5)
  }

  get events(): number {
    return this.text.split('\ndata: ').length - 1
  }
}

t.test('Last-Event-ID resumes: only what the reader has not seen is sent', async (t) => {
  const { api, address } = await startApi(t)
  await register(api, 'web', 80)
  const index = Number((await api.get('health/service/web')).headers['x-consul-index'])
  const same = new RawReader(address, 'service/web', `Last-Event-ID: ${index}\r\n`)
  const older = new RawReader(address, 'service/web', `Last-Event-ID: ${index - 1}\r\n`)
  const restored = new RawReader(address, 'service/web', `Last-Event-ID: ${index + 1000}\r\n`)
  await Promise.all([older.holds(`id: ${index}\n`), restored.holds(`id: ${index}\n`)])
  await same.holds('retry: 1000\n\n')
  await register(api, 'web', 81)
  await Promise.all([same, older, restored].map((reader) => reader.holds('"Port":81')))
  t.strictSame([same.events, older.events, restored.events], [1, 2, 2])
  t.match(same.text, /X-Consul-Index: \d+\r\n/i)
  for (const { socket } of [same, older, restored]) socket.destroy()
  const bad = new RawReader(address, 'service/web', 'Last-Event-ID: abc\r\n')
  t.ok(await bad.holds('Invalid index "abc"'))
  bad.socket.destroy()
})

t.test('however many read a stream, a change is read and serialised once', async (t) => {
  const { api, watch } = await startApi(t)
  const streams = Array.from({ length: 200 }, () => watch('service/web'))
  for (const stream of streams) await next(stream)
  t.equal(api.backend.waiting, 1, 'and one wait serves them all')
  let reads = 0
  const instances = Reflect.get(CatalogPages.prototype, 'instances') as (n: string) => unknown
  t.intercept(CatalogPages.prototype, 'instances', {
    value(this: CatalogPages, name: string) {
      reads++
      return instances.call(this, name)
    },
  })
  await register(api, 'web', 81)
  for (const { data } of await Promise.all(streams.map(next))) {
    t.match(data, [{ Service: { Port: 81 } }])
  }
  t.equal(reads, 1)
})

t.test('a reader that is too slow holds one state back, and gets the latest', async (t) => {
  const { api, address, watch } = await startApi(t)
  const ports = 400
  const registerLarge = (port: number) =>
    api.put('agent/service/register', {
      Name: 'web',
      Port: port,
      Meta: Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`k${n}`, 'x'.repeat(512)])),
    })
  await registerLarge(1)
  const slow = new RawReader(address, 'service/web')
  await slow.holds('"Port":1,')
  slow.socket.pause()
  const quick = watch('service/web')
  await next(quick)
  for (let port = 2; port <= ports; port++) {
    await registerLarge(port)
    t.match((await next(quick)).data, [{ Service: { Port: port } }], 'nobody else waits for it')
  }
  slow.socket.resume()
  await slow.holds(`"Port":${ports},`)
  t.ok(slow.events < ports / 2, `${slow.events} of ${ports} states were sent`)
  slow.socket.destroy()
})

t.test('a stream says that it lives; a reader that takes nothing is cut off', async (t) => {
  const { api, address } = await startApi(t, { heartbeatMs: 5 })
  const reader = new RawReader(address, 'services')
  t.ok(await reader.holds('\n:\n\n'), 'a comment')
  const Meta = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`k${n}`, 'x'.repeat(512)]))
  for (let id = 0; id < 100; id++) {
    await api.put('agent/service/register', { Name: 'web', ID: `web-${id}`, Meta })
  }
  // Three megabytes fit in no socket's buffers while nobody reads.
  const stuck = new RawReader(address, 'service/web')
  stuck.socket.pause()
  const connections = (): Promise<number> =>
    new Promise((resolve) => {
      api.app.server.getConnections((_error, count) => resolve(count))
    })
  await until('it is cut off', 5000, async () => (await connections()) === 1)
  t.equal(reader.socket.destroyed, false, 'the other goes on')
  for (const { socket } of [reader, stuck]) socket.destroy()
})

t.test('streams end when the server stops, and when their readers go', async (t) => {
  const { api, address } = await startApi(t)
  const gone = new RawReader(address, 'service/web')
  await gone.holds('id: 1\n')
  t.equal(api.backend.waiting, 1)
  gone.socket.destroy()
  await until('nobody waits', 5000, () => api.backend.waiting === 0)
  const reader = new RawReader(address, 'service/web')
  await reader.holds('id: 1\n')
  await Promise.all([once(reader.socket, 'close'), api.app.close()])
  t.ok(reader.text.endsWith('0\r\n\r\n'), 'with the end of the body')
  t.equal(api.backend.waiting, 0)
})
