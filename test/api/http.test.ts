import { connect } from 'node:net'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import t from 'tap'
import { InvariantError } from '../../src/base/assert.ts'
import { createHttpApi } from '../../src/api/http-api.ts'
import { cleanPath } from '../../src/http/path.ts'
import { silentLogger } from '../../src/base/log.ts'
import { TestBackend } from '../helpers/test-backend.ts'
import { TestApi } from './support.ts'

t.test('a method that an endpoint has not is a 405 that lists those it has', async (t) => {
  const api = new TestApi(t)
  const cases = [
    ['POST', 'agent/service/register', 'OPTIONS,PUT'],
    ['GET', 'agent/service/register', 'OPTIONS,PUT'],
    ['HEAD', 'agent/service/register', 'OPTIONS,PUT'],
    ['DELETE', 'agent/service/deregister/x', 'OPTIONS,PUT'],
    ['PUT', 'agent/services', 'OPTIONS,GET'],
    ['PUT', 'agent/service/x', 'OPTIONS,GET'],
    ['POST', 'catalog/nodes', 'OPTIONS,GET'],
    ['PUT', 'status/leader', 'OPTIONS,GET'],
  ] as const
  for (const [method, path, allow] of cases) {
    const reply = await api.ask(method, `/v1/${path}`)
    t.equal(reply.status, 405, `${method} ${path}`)
    t.equal(reply.headers['allow'], allow)
    if (method !== 'HEAD') t.equal(reply.body, `method ${method} not allowed`)
  }
})

t.test('OPTIONS tells the methods, HEAD is a GET without its body', async (t) => {
  const api = new TestApi(t)
  const options = await api.ask('OPTIONS', '/v1/agent/service/register')
  t.strictSame([options.status, options.headers['allow'], options.body], [200, 'OPTIONS,PUT', ''])
  const address = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const head = await fetch(`${address}/v1/catalog/nodes`, { method: 'HEAD' })
  t.strictSame([head.status, await head.text()], [200, ''])
  t.equal(head.headers.get('x-consul-index'), '1')
})

t.test('an unknown path is a 404 with Consul’s words', async (t) => {
  const api = new TestApi(t)
  for (const path of ['/', '/v1', '/v1/nope', '/v1/agent/servicesx', '/v2/catalog/nodes']) {
    const reply = await api.ask('GET', path)
    t.equal(reply.status, 404, path)
    t.equal(reply.body, 'Invalid URL path: not a recognized HTTP API endpoint', path)
  }
})

t.test('a path that is not clean is redirected to the clean one', async (t) => {
  const api = new TestApi(t)
  const cases = [
    ['/v1//agent/services', '/v1/agent/services'],
    ['//v1/agent///services?pretty', '/v1/agent/services?pretty'],
    ['/v1//health//service/web//', '/v1/health/service/web//'],
    ['/v1/health/service', '/v1/health/service/'],
    ['/v1/health/state?x=1', '/v1/health/state/?x=1'],
  ] as const
  for (const [path, clean] of cases) {
    const reply = await api.ask('GET', path)
    t.strictSame([reply.status, reply.headers['location']], [301, clean], path)
  }
  // inject() cleans these itself.
  const none = new Set<string>()
  t.equal(cleanPath('/v1/./agent/x/../services?a=/../', none), '/v1/agent/services?a=/../')
  t.equal(cleanPath('/../..//v1', none), '/v1')
  t.equal(cleanPath('/v1/agent/service/a..b', none), undefined)
  const encoded = await api.get('health/service/a%2F%2Fb?x=//')
  t.equal(encoded.status, 200, 'encoded slashes belong to the argument')
})

t.test('an argument is decoded exactly once', async (t) => {
  const api = new TestApi(t)
  await api.put('agent/service/register', { Name: 'a', ID: 'x%41' })
  t.match(await api.json('agent/service/x%2541'), { ID: 'x%41' })
  t.equal((await api.get('agent/service/x%41')).status, 404, 'that is xA')
  for (const path of ['agent/service/%', 'health/service/%zz', 'agent/service/%C3']) {
    const reply = await api.get(path)
    t.equal(reply.status, 400, path)
    t.equal(reply.headers['content-type'], 'text/plain; charset=utf-8')
  }
})

t.test('?pretty indents by four and ends the line', async (t) => {
  const api = new TestApi(t)
  t.equal((await api.get('status/peers?pretty')).body, '[\n    "127.0.0.1:8300"\n]\n')
  t.equal((await api.get('status/peers?pretty=')).body, '[\n    "127.0.0.1:8300"\n]\n')
})

t.test('keys such as __proto__ are data like any other', async (t) => {
  const api = new TestApi(t)
  const body = '{"Name":"__proto__","Meta":{"__proto__":"v","constructor":"w"}}'
  t.equal((await api.put('agent/service/register', body)).status, 200)
  t.equal((await api.get('catalog/services')).body, '{"__proto__":[],"consul":[]}')
  t.match((await api.get('agent/services')).body, '"Meta":{"__proto__":"v","constructor":"w"}')
  const unknown = await api.put('agent/service/register', '{"Name":"x","__proto__":{}}')
  t.equal(unknown.body, 'Request decode failed: json: unknown field "__proto__"')
})

t.test('bytes that are no HTTP get a 400, and the server goes on', async (t) => {
  const api = new TestApi(t)
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = api.app.server.address() as { port: number }
  for (const bytes of ['nonsense\r\n\r\n', 'GET / HTTP/9\r\n\r\n', '\u0016\u0003\u0001\r\n\r\n']) {
    const socket = connect(port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.write(bytes)
    await once(socket, 'close')
    t.match(answer, /^HTTP\/1\.1 400 /)
  }
  t.equal((await api.get('status/leader')).status, 200)
})

t.test('a defect is a 500 that says nothing of the inside, logged in full', async (t) => {
  const backend = new TestBackend(t.testdir())
  const logged: object[] = []
  const logger = { ...silentLogger, error: (fields: object): void => void logged.push(fields) }
  const app = createHttpApi(backend, logger)
  backend.peers = () => {
    throw new TypeError('secret')
  }
  const response = await app.inject('/v1/status/peers')
  t.equal(response.statusCode, 500)
  t.notMatch(response.body, /secret/)
  t.match(logged, [{ method: 'GET', url: '/v1/status/peers', err: TypeError }])
  await app.close()
  await backend.close()
})

t.test('a broken invariant leaves the server by way of the process', async (t) => {
  const backend = new TestBackend(t.testdir())
  const app = createHttpApi(backend, silentLogger)
  backend.peers = () => {
    throw new InvariantError('planted')
  }
  const thrown = t.capture(process, 'emit')
  const uncaught = new Promise((resolve) => {
    process.setUncaughtExceptionCaptureCallback(resolve)
  })
  void app.inject('/v1/status/peers')
  t.match(await uncaught, { message: 'planted' })
  process.setUncaughtExceptionCaptureCallback(null)
  thrown.restore()
  await app.close()
  await backend.close()
})

t.test('a connection that was never used does not hold up the stop', async (t) => {
  const api = new TestApi(t)
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = api.app.server.address() as { port: number }
  const accepted = once(api.app.server, 'connection')
  const socket = connect(port, '127.0.0.1')
  await accepted
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise((resolve) => {
    timer = setTimeout(() => resolve('still open'), 5000)
  })
  t.equal(await Promise.race([api.app.close().then(() => 'closed'), tooLong]), 'closed')
  clearTimeout(timer)
  socket.destroy()
})

t.test('a client that stopped reading does not hold up the stop', async (t) => {
  const api = new TestApi(t, { stopGraceMs: 50 })
  // More than all buffers in between take.
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(64 * 1024))
    },
  })
  api.backend.snapshot = () => Promise.resolve({ index: 1, stateBytes: 1, archive: endless })
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = api.app.server.address() as { port: number }
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('GET /v1/snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(socket, 'readable')
  const ended = once(endless, 'close')
  await api.app.close()
  await ended
  t.ok(endless.destroyed, 'and nothing is read for it any more')
  socket.destroy()
})
