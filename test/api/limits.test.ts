import { once } from 'node:events'
import { Agent, get as httpGet } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { endpoint } from '../../src/api/context.ts'
import { endpoints } from '../../src/api/endpoints/families.ts'
import { TestTokens } from '../helpers/test-tokens.ts'
import { until } from '../helpers/until.ts'
import { TestApi } from './support.ts'

const permission = { none: 'for this test' }

t.test('changes beyond the rate of an address are answered 429 with Retry-After', async (t) => {
  const clock = { now: 0, monotonicMs: () => clock.now }
  const limits = { writes: { perSecond: 2, burst: 3 }, waitingMax: 0 }
  const api = new TestApi(t, { clock, limits })
  const statuses: number[] = []
  for (let number = 0; number < 5; number++) {
    statuses.push((await api.put(`kv/k${number}`, 'x')).status)
  }
  t.strictSame(statuses, [200, 200, 200, 429, 429])
  const refused = await api.put('kv/k9', 'x')
  t.equal(refused.headers['retry-after'], '1')
  t.match(refused.body, /^Too many changes from 127\.0\.0\.1: at most 2 per second/)
  t.equal((await api.get('kv/k9')).status, 404, 'it was not done, and reads go on')
  clock.now += 500
  t.equal((await api.put('kv/k9', 'x')).status, 200)
})

t.test('a token has a rate of its own, whatever its address', async (t) => {
  const clock = { now: 0, monotonicMs: () => clock.now }
  const limits = { writes: { perSecond: 1, burst: 2 }, waitingMax: 0 }
  const tokens = new TestTokens().set('a-secret', 'key_prefix "" { policy = "write" }')
  const api = new TestApi(t, { clock, limits, tokens })
  const put = (remoteAddress: string) => {
    const headers = { 'x-consul-token': 'a-secret' }
    return api.app.inject({ method: 'PUT', url: '/v1/kv/k', payload: 'x', headers, remoteAddress })
  }
  t.equal((await put('10.0.0.1')).statusCode, 200)
  t.equal((await put('10.0.0.2')).statusCode, 200)
  const refused = await put('10.0.0.3')
  t.equal(refused.statusCode, 429)
  t.match(refused.body, /^Too many changes from token accessor-of-a-secret/)
})

t.test(
  'unknown tokens beyond the rate of an address are answered 429, valid ones are not',
  async (t) => {
    const clock = { now: 0, monotonicMs: () => clock.now }
    const api = new TestApi(t, {
      clock,
      endpoints: [
        ...endpoints,
        endpoint({
          method: 'GET',
          path: '/v1/test/secret',
          permission,
          summary: 'A test',
          handle: (_context, request, reply) => {
            if (request.headers['x-consul-token'] !== 'right') throw svcdError('acl-not-found', {})
            return reply.send('')
          },
        }),
      ],
    })
    const ask = (token: string) =>
      api.ask('GET', '/v1/test/secret', undefined, { 'x-consul-token': token })
    const statuses = new Map<number, number>()
    for (let number = 0; number < 2000; number++) {
      const { status, body } = await ask(`wrong-${number}`)
      t.notMatch(body, 'wrong-')
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    t.strictSame(
      statuses,
      new Map([
        [403, 500],
        [429, 1500],
      ]),
    )
    t.equal((await ask('right')).status, 200)
  },
)

// CVE-2020-13250
t.test('blocking queries beyond the maximum of a client are answered 429', async (t) => {
  const api = new TestApi(t, { limits: { waitingMax: 2 } })
  await api.put('kv/k', 'x')
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = api.app.server.address() as AddressInfo
  const read = await fetch(`http://127.0.0.1:${port}/v1/kv/k`)
  const index = read.headers.get('x-consul-index')
  const url = `http://127.0.0.1:${port}/v1/kv/k?index=${index}&wait=60s`
  const waiting = [httpGet(url), httpGet(url)]
  for (const request of waiting) request.on('error', () => {})
  const refused = await until('a refusal', 5000, async () => {
    const response = await fetch(url.replace('60s', '1ms'))
    return response.status === 429 && response
  })
  t.match(await refused.text(), /^Too many blocking queries and streams from 127\.0\.0\.1/)
  t.equal((await fetch(`http://127.0.0.1:${port}/v1/kv/k`)).status, 200)
  for (const request of waiting) {
    const closed = new Promise((resolve) => {
      request.once('close', resolve)
    })
    request.destroy()
    await closed
  }
  await until('room again', 5000, async () => {
    return (await fetch(url.replace('60s', '1ms'))).status === 200
  })
})

t.test(
  'clients without a token are counted by address, never by the token they share',
  async (t) => {
    const clock = { now: 0, monotonicMs: () => clock.now }
    const limits = { writes: { perSecond: 1, burst: 1 }, waitingMax: 1 }
    const tokens = new TestTokens().set('', 'key_prefix "" { policy = "write" }')
    const api = new TestApi(t, { clock, limits, tokens })
    const put = async (from: string): Promise<number> => {
      const what = { method: 'PUT', url: '/v1/kv/k', payload: from, remoteAddress: from } as const
      return (await api.app.inject(what)).statusCode
    }
    t.equal(await put('10.0.0.1'), 200)
    t.equal(await put('10.0.0.1'), 429)
    t.equal(await put('10.0.0.2'), 200, 'another client of the anonymous token')
    const index = String((await api.get('kv/k')).headers['x-consul-index'])
    const wait = (remoteAddress: string) =>
      api.app.inject({ url: `/v1/kv/k?index=${index}&wait=60s`, remoteAddress })
    const waiting = [wait('10.0.0.1'), wait('10.0.0.2')]
    while (api.backend.waiting < 2) await turn()
    t.equal((await wait('10.0.0.2')).statusCode, 429)
    clock.now += 5000
    t.equal(await put('10.0.0.3'), 200)
    for (const { statusCode } of await Promise.all(waiting)) t.equal(statusCode, 200)
  },
)

t.test('blocking queries on one connection are charged one after another', async (t) => {
  const api = new TestApi(t, { limits: { waitingMax: 1 } })
  await api.put('kv/k', 'x')
  const address = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const ask = async (): Promise<number | undefined> => {
    const [response] = (await once(
      httpGet(`${address}/v1/kv/k?index=1&wait=1ms`, { agent }),
      'response',
    )) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    return response.statusCode
  }
  for (let number = 0; number < 5; number++) t.equal(await ask(), 200)
})

t.test('a wait for a hash and a stream without an index count as waiting', async (t) => {
  const api = new TestApi(t, { limits: { waitingMax: 1 } })
  await api.put('agent/service/register', { Name: 'web', Port: 80 })
  const hash = String((await api.get('agent/service/web')).headers['x-consul-contenthash'])
  const address = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const open = httpGet(`${address}/v1/watch/services`)
  const [stream] = (await once(open, 'response')) as [IncomingMessage]
  t.equal(stream.statusCode, 200)
  for (const path of [`agent/service/web?hash=${hash}&wait=1ms`, 'watch/nodes']) {
    const refused = await fetch(`${address}/v1/${path}`)
    t.equal(refused.status, 429, path)
    t.equal(refused.headers.get('retry-after'), '1')
    await refused.text()
  }
  const closed = once(stream, 'close')
  stream.destroy()
  await closed
  await until('room again', 5000, async () => {
    const { status } = await fetch(`${address}/v1/agent/service/web?hash=${hash}&wait=1ms`)
    return status === 200
  })
})

t.test(
  'long answers beyond the maximum of a client are answered 429, shared ones are not',
  async (t) => {
    const tokens = new TestTokens('allow').set('a', '').set('b', '')
    const api = new TestApi(t, { limits: { waitingMax: 0, longMax: 1 }, tokens })
    const { backend } = api
    await backend.ready
    for (let number = 0; number < 300; number++) {
      const node = {
        name: `m${number}`,
        id: '',
        address: '10.0.0.1',
        taggedAddresses: {},
        meta: {},
      }
      backend.apply({
        kind: 'register',
        nodeName: node.name,
        node,
        checks: [],
        replaceChecks: false,
      })
    }
    const ask = (token: string, path: string) =>
      api.ask('GET', `/v1/${path}`, undefined, token === '' ? {} : { 'x-consul-token': token })
    const hold = { isOver: false }
    // What is read in slices waits for this one.
    const held = backend.readSliced(function* () {
      while (!hold.isOver) yield
    })
    const first = ask('a', 'catalog/nodes')
    while (backend.sliced < 2) await turn()
    const shared = ask('a', 'catalog/nodes')
    const refused = await ask('a', 'catalog/nodes?filter=Node!=x')
    t.equal(refused.status, 429)
    t.equal(refused.headers['retry-after'], '1')
    t.match(
      refused.body,
      /^Too many long answers at the same time for token accessor-of-a: at most 1/,
    )
    t.equal((await ask('a', 'health/summary')).status, 200, 'a short answer')
    const others = [
      ask('b', 'catalog/nodes?filter=Node!=x'),
      ask('', 'catalog/nodes?filter=Node!=y'),
    ]
    while (backend.sliced < 4) await turn()
    hold.isOver = true
    await held
    for (const { status } of await Promise.all([first, shared, ...others])) t.equal(status, 200)
    t.equal((await ask('a', 'catalog/nodes?filter=Node!=x')).status, 200, 'room again')
  },
)

t.test('unknown tokens are counted for a whole subnet of IPv6', async (t) => {
  const clock = { now: 0, monotonicMs: () => clock.now }
  const api = new TestApi(t, { clock, tokens: new TestTokens() })
  const ask = async (remoteAddress: string): Promise<number> => {
    const headers = { 'x-consul-token': 'wrong' }
    const url = '/v1/catalog/nodes'
    return (await api.app.inject({ method: 'GET', url, headers, remoteAddress })).statusCode
  }
  for (let number = 0; number < 500; number++) {
    t.equal(await ask(`2001:db8::${number.toString(16)}`), 403)
  }
  t.equal(await ask('2001:db8::ffff'), 429, 'a machine has all addresses of its /64')
  t.equal(await ask('2001:db8:0:1::1'), 403, 'the next /64 is another machine')
  t.equal(await ask('10.0.0.1'), 403)
  t.equal(await ask('::ffff:10.0.0.2'), 403)
})
