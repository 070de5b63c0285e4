import { once } from 'node:events'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { createHttpApi, type HttpApiOptions } from '../../../../src/api/http-api.ts'
import { until } from '../../../helpers/until.ts'
import { TestApi } from '../../support.ts'

/** The API on a socket, with readers that end with the test. */
async function startApi(t: Test, options: HttpApiOptions = {}) {
  const api = new TestApi(t, options)
  const address = await api.app.listen({ port: 0, host: '127.0.0.1' })
  const ended = new AbortController()
  t.teardown(() => ended.abort())
  const read = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${address}/v1/${path}`, { headers, signal: ended.signal })
    return { response, lines: linesOf(response) }
  }
  return { api, address, read }
}

async function* linesOf({ body }: Response): AsyncGenerator<string, void> {
  let rest = ''
  for await (const chunk of body ?? []) {
    const lines = (rest + Buffer.from(chunk as Uint8Array).toString()).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

async function next(lines: AsyncGenerator<string, void>): Promise<string> {
  return (await lines.next()).value ?? 'the stream ended'
}

t.test('the log is streamed from now on, of the level that was asked for', async (t) => {
  const { api, read } = await startApi(t)
  const { logger } = api.backend.log
  logger.info({}, 'before')
  const { response, lines } = await read('agent/monitor')
  t.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8')
  const debug = await read('agent/monitor?loglevel=debug')
  logger.debug({ a: 1 }, 'small')
  logger.info({ key: 'two words' }, 'medium')
  t.match(await next(lines), /^\d{4}-\S+Z \[INFO\] {2}medium: key="two words"$/)
  t.match(await next(debug.lines), /\[DEBUG\] small: a=1$/, 'which the agent itself does not log')
  t.notMatch(api.backend.log.recent().join(''), /small/)
})

t.test('levels are spelt as in Consul, and an unknown one is a 400', async (t) => {
  const { api, read } = await startApi(t)
  const cases: readonly (readonly [asked: string, least: string])[] = [
    ['TRACE', 'debug'],
    ['Debug', 'debug'],
    ['', 'info'],
    ['warn', 'warn'],
    ['ERR', 'error'],
    ['error', 'error'],
  ]
  for (const [asked, least] of cases) {
    const { lines } = await read(`agent/monitor?loglevel=${asked}`)
    for (const level of ['debug', 'info', 'warn', 'error'] as const) {
      api.backend.log.logger[level]({}, level)
    }
    t.match(await next(lines), new RegExp(`\\] *${least}$`), `"${asked}"`)
  }
  const { status, body } = await api.get('agent/monitor?loglevel=bad')
  t.equal(status, 400)
  t.match(body, /^Bad request: Unknown log level: bad\b/)
})

t.test('?logjson gives an object a line', async (t) => {
  const { api, read } = await startApi(t)
  const { response, lines } = await read('agent/monitor?logjson')
  t.equal(response.headers.get('content-type'), 'application/x-ndjson')
  api.backend.log.logger.warn({ key: 'a\u202eb\n' }, 'text')
  const line = await next(lines)
  t.notMatch(line, /\u202e/)
  t.match(JSON.parse(line), { level: 40, msg: 'text', key: 'a\u202eb\n' })
})

t.test('a log that nobody follows any more makes no lines for it', async (t) => {
  const { api, address } = await startApi(t)
  const { logger } = api.backend.log
  t.equal(logger.isLevelEnabled?.('debug'), false)
  const gone = new AbortController()
  const { signal } = gone
  await fetch(`${address}/v1/agent/monitor?loglevel=debug`, { signal })
  t.equal(logger.isLevelEnabled?.('debug'), true)
  gone.abort()
  await until('its reader is forgotten', 5000, () => logger.isLevelEnabled?.('debug') === false)
})

t.test('a slow reader costs bounded memory, and is told how much it has missed', async (t) => {
  const { api, address, read } = await startApi(t)
  const fast = await read('agent/monitor')
  const slow = connect(Number(new URL(address).port), '127.0.0.1')
  t.teardown(() => slow.destroy())
  slow.write('GET /v1/agent/monitor HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let got = String((await once(slow, 'data'))[0])
  slow.pause()
  const before = process.memoryUsage()
  const count = 20_000
  const filler = 'x'.repeat(1000)
  let taken = 0
  for (let n = 0; n < count; n++) {
    api.backend.log.logger.info({ n, filler }, 'flood')
    // The other reader takes each line as it comes.
    if (n % 50 !== 49) continue
    for (let k = 0; k < 50; k++) if (/ flood: /.test(await next(fast.lines))) taken++
  }
  t.equal(taken, count, 'who reads in time gets all')
  const after = process.memoryUsage()
  t.ok(
    after.external - before.external < 8e6,
    `of ${(count * 1000) / 1e6} MB nearly nothing is kept`,
  )
  slow.on('data', (chunk: Buffer) => (got += chunk.toString())).resume()
  await until('it is told', 10_000, () => / \[WARN\] {2}Monitor dropped \d+ logs/.test(got))
  const dropped = Number(/Monitor dropped (\d+) logs during monitor request\n/.exec(got)?.[1])
  t.equal(got.split(' flood: ').length - 1 + dropped, count, 'each line was sent or counted')
  api.backend.log.logger.info({}, 'afterwards')
  await until('it goes on', 5000, () => got.includes('afterwards'))
})

t.test('a reader that takes nothing for a minute is cut off', async (t) => {
  const { api, address } = await startApi(t, { heartbeatMs: 20 })
  const slow = connect(Number(new URL(address).port), '127.0.0.1')
  t.teardown(() => slow.destroy())
  slow.write('GET /v1/agent/monitor HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(slow, 'data')
  slow.pause()
  // More than the system takes in its place.
  for (let n = 0; n < 20_000; n++) {
    api.backend.log.logger.info({ filler: 'x'.repeat(1000) }, 'flood')
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await until('nobody follows', 5000, () => api.backend.followed === 0)
})

t.test('a stop ends the streams whole, and what they log by it harms nobody', async (t) => {
  const { backend } = new TestApi(t)
  // The end of one stream is a line in the log that the other has.
  const app = createHttpApi(backend, backend.log.logger)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const open = (path: string) => fetch(`${address}/v1/agent/${path}`)
  const monitors = [await open('monitor?loglevel=debug'), await open('monitor?loglevel=debug')]
  const streams = [...monitors, await open('metrics/stream')]
  backend.log.logger.info({}, 'last words')
  const closed = app.close()
  const [log = '', other = '', figures = ''] = await Promise.all(
    streams.map((each) => all(linesOf(each))),
  )
  for (const text of [log, other]) t.match(text, /last words$/m)
  t.match(JSON.parse(figures), { Gauges: [], Counters: [] })
  await closed
  t.equal(backend.followed, 0)
})

async function all(lines: AsyncGenerator<string, void>): Promise<string> {
  const found: string[] = []
  for await (const line of lines) found.push(line)
  return found.join('\n')
}

t.test('who asks for it hears that the stream lives', async (t) => {
  const { api, read } = await startApi(t, { heartbeatMs: 10 })
  const { lines } = await read('agent/monitor?heartbeat')
  t.equal(await next(lines), '')
  const plain = await read('agent/monitor')
  t.equal(await next(lines), '')
  api.backend.log.logger.info({}, 'first')
  t.match(await next(plain.lines), /first$/, "Consul's clients get no empty lines")
})

t.test('pages of other origins may not even open it', async (t) => {
  const api = new TestApi(t)
  const paths = ['/v1/agent/monitor', '/v1/agent/metrics/stream', '/debug/pprof/profile']
  for (const path of paths) {
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'http://evil.example' }]) {
      const { status, body } = await api.ask('GET', path, undefined, headers)
      t.equal(status, 403, path)
      t.match(body, /^A web page from /)
    }
    const own = { 'sec-fetch-site': 'same-origin' }
    t.not((await api.ask('HEAD', path, undefined, own)).status, 403, 'its own pages may')
  }
  const other = { 'sec-fetch-site': 'cross-site' }
  t.equal((await api.ask('GET', '/v1/agent/self', undefined, other)).status, 200, 'other reads')
})

t.test('each request is a line at debug, without its token', async (t) => {
  const { backend } = new TestApi(t)
  const app = createHttpApi(backend, backend.log.logger)
  t.teardown(() => app.close())
  const log: string[] = []
  backend.log.follow({ level: 'debug', write: (line) => log.push(line) })
  await app.inject('/v1/status/leader?token=s3cret&dc=dc1')
  t.match(
    log.join(''),
    /\[DEBUG\] HTTP request finished: method=GET url="\S+token=<hidden>&dc=dc1"/,
  )
})

t.test('metrics are streamed as they are read, one object a line', async (t) => {
  const { api, read } = await startApi(t)
  api.backend.figures = [
    { name: 'svcd_x', help: 'x', kind: 'gauge', samples: [{ labels: {}, value: 7 }] },
  ]
  const { lines } = await read('agent/metrics/stream')
  const { Gauges } = JSON.parse(await next(lines)) as { Gauges: { Name: string; Value: number }[] }
  t.equal(Gauges.find(({ Name }) => Name === 'svcd.x')?.Value, 7)
})

t.test('profiles are refused as Consul refuses them, with the next step', async (t) => {
  const api = new TestApi(t)
  for (const path of ['', 'heap', 'profile?seconds=5', 'goroutine', 'trace']) {
    const { status, body } = await api.ask('GET', `/debug/pprof/${path}`)
    t.equal(status, 401)
    t.match(body, /^ACL support disabled\..*`svcd debug`/)
  }
  t.match(await api.json('agent/self'), { DebugConfig: { EnableDebug: false, ACLsEnabled: false } })
})

t.test('the body of a HEAD stays away', async (t) => {
  const api = new TestApi(t)
  for (const path of ['agent/monitor', 'agent/metrics/stream']) {
    const { status, body } = await api.ask('HEAD', `/v1/${path}`)
    t.strictSame([status, body], [200, ''], path)
  }
})
