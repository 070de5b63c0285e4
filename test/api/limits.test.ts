import { get as httpGet } from 'node:http'
import type { AddressInfo } from 'node:net'
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

t.test('who sends no token is counted by address, not with all others who send none', async (t) => {
  const clock = { now: 0, monotonicMs: () => clock.now }
  const limits = { writes: { perSecond: 1, burst: 2 }, waitingMax: 0 }
  const tokens = new TestTokens().set('', 'key_prefix "" { policy = "write" }')
  const api = new TestApi(t, { clock, limits, tokens })
  const put = async (remoteAddress: string): Promise<number> => {
    const request = { method: 'PUT', url: '/v1/kv/k', payload: 'x', remoteAddress } as const
    return (await api.app.inject(request)).statusCode
  }
  const statuses = [await put('10.0.0.1'), await put('10.0.0.1'), await put('10.0.0.1')]
  t.strictSame(statuses, [200, 200, 429])
  t.equal(await put('10.0.0.2'), 200)
})

t.test(
  'a stream counts without a header that asks for one, and a wait by hash counts, too',
  async (t) => {
    const api = new TestApi(t, { limits: { waitingMax: 1 } })
    await api.put('agent/service/register', { Name: 'web' })
    await api.app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = api.app.server.address() as AddressInfo
    const base = `http://127.0.0.1:${port}/v1`
    const open = httpGet(`${base}/watch/services`)
    open.on('error', () => {})
    await new Promise((resolve) => {
      open.once('response', resolve)
    })
    for (const path of ['watch/nodes', 'agent/service/web?hash=x', 'kv/k?index=1&wait=1ms']) {
      t.equal((await fetch(`${base}/${path}`)).status, 429, path)
    }
    t.equal((await fetch(`${base}/agent/service/web`)).status, 200)
    open.destroy()
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
