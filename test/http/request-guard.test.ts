import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { RequestGuard } from '../../src/http/request-guard.ts'
import type { GuardedRequest } from '../../src/http/request-guard.ts'
import { TestApi } from '../api/support.ts'

const names = ['n1', 'n1.node.dc1.consul', '.example.com', '*.cluster.local', 'Proxy.example.net.']

const get: GuardedRequest = {
  method: 'GET',
  version: '1.1',
  host: '127.0.0.1:8500',
  origin: undefined,
  fetchSite: undefined,
}

const hosts: readonly (readonly [host: string | undefined, isAnswered: boolean])[] = [
  ['127.0.0.1:8500', true],
  ['127.0.0.1', true],
  ['10.1.2.3:80', true],
  ['[::1]:8500', true],
  ['[fe80::1%25eth0]:8500', true],
  ['127.1:8500', true],
  ['0x7f000001', true],
  ['localhost:8500', true],
  ['LOCALHOST', true],
  ['localhost.:8500', true],
  ['app.localhost:8500', true],
  ['n1:8500', true],
  ['N1.node.DC1.consul', true],
  ['n1.node.dc1.consul.', true],
  ['svcd.example.com', true],
  ['a.b.example.com:443', true],
  ['svcd-0.svcd.default.svc.cluster.local:8500', true],
  ['proxy.example.net', true],
  ['example.com', false],
  ['badexample.com', false],
  ['evil.test:8500', false],
  ['evil.localhost.test', false],
  ['127.0.0.1.evil.test:8500', false],
  ['127.0.0.1@evil.test', false],
  ['n1.evil.test', false],
  ['n2', false],
  ['[evil.test]', false],
  ['[::1].evil.test', false],
  ['localhost:8500.evil.test', false],
  ['', false],
  [':8500', false],
  [undefined, false],
]

t.test('the API answers under known names only', async (t) => {
  const guard = new RequestGuard(names)
  for (const [host, isAnswered] of hosts) {
    // Twice: what passed once is remembered.
    for (const method of ['GET', 'PUT']) {
      const fault = guard.fault({ ...get, method, host })
      t.equal(fault?.code, isAnswered ? undefined : 'host-not-allowed', `${method} ${host}`)
    }
  }
  t.equal(guard.fault({ ...get, version: '1.0', host: undefined }), undefined, 'HTTP/1.0 has none')
  const { message = '' } = guard.fault({ ...get, host: 'svcd.example.org' }) ?? {}
  t.match(message, /"svcd\.example\.org".*-allowed-host/, 'it names the host and the option')
  t.equal(new RequestGuard(['*']).fault({ ...get, host: 'evil.test' }), undefined)
})

type Site = readonly [fetchSite: string | undefined, origin: string | undefined, isTaken: boolean]

const own = 'http://127.0.0.1:8500'
const sites: readonly Site[] = [
  [undefined, undefined, true],
  ['same-origin', own, true],
  // Behind a proxy that rewrites Host.
  ['same-origin', 'https://svcd.example.com', true],
  ['none', undefined, true],
  ['same-site', 'http://127.0.0.1:3000', false],
  ['cross-site', 'https://evil.test', false],
  ['cross-site', undefined, false],
  ['cross-site', own, false],
  ['', own, false],
  // Sec-Fetch-Site goes to trustworthy addresses only: not over http to another machine.
  [undefined, own, true],
  [undefined, 'https://127.0.0.1:8500', true],
  [undefined, 'http://127.0.0.1:3000', false],
  [undefined, 'http://127.0.0.1', false],
  [undefined, 'http://localhost:8500', false],
  [undefined, 'https://evil.test', false],
  [undefined, 'null', false],
  [undefined, '', false],
]

t.test('a page of another origin may read what it cannot see, and writes nothing', async (t) => {
  const guard = new RequestGuard([])
  for (const [fetchSite, origin, isTaken] of sites) {
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) {
      const fault = guard.fault({ ...get, method, fetchSite, origin })
      t.equal(fault?.code, isTaken ? undefined : 'cross-site', `${method} ${fetchSite} ${origin}`)
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      t.equal(guard.fault({ ...get, method, fetchSite, origin }), undefined, method)
    }
  }
})

t.test('every path is guarded, and no answer lets another origin read it', async (t) => {
  const api = new TestApi(t, { allowedHosts: ['svcd.example.com'] })
  const body = { Name: 'web' }
  const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }
  const writes: readonly (readonly ['PUT' | 'POST' | 'DELETE', string])[] = [
    ['PUT', 'agent/service/register'],
    ['PUT', 'catalog/register'],
    ['POST', 'operator/raft/transfer-leader'],
    ['DELETE', 'operator/raft/peer?id=x'],
    ['PUT', 'snapshot'],
    ['PUT', 'agent/leave'],
    ['PUT', 'no/such/path'],
    ['PUT', '/agent//leave'],
  ]
  for (const [method, path] of writes) {
    const reply = await api.ask(method, `/v1/${path}`, body, cross)
    t.equal(reply.status, 403, `${method} ${path}`)
    t.match(
      reply.body,
      /^A web page from https:\/\/evil\.test may not send (?:PUT|POST|DELETE) requests/,
    )
    const rebound = await api.ask(method, `/v1/${path}`, body, { host: 'evil.test:8500' })
    t.equal(rebound.status, 403)
    t.match(rebound.body, /^Host "evil\.test:8500" is not a name of this agent\./)
  }
  t.equal(api.backend.proposed.length, 0, 'nothing was done')
  for (const path of ['/v1/catalog/services', '/v1/agent/self', '/metrics', '/', '/v1/snapshot']) {
    t.equal((await api.ask('GET', path, undefined, { host: 'evil.test' })).status, 403, path)
    const { headers } = await api.ask('GET', path, undefined, cross)
    const shared = Object.keys(headers).filter((name) => name.startsWith('access-control-'))
    t.strictSame(shared, [], `${path} shares nothing`)
  }
  const preflight = { ...cross, 'access-control-request-method': 'PUT' }
  const { headers } = await api.ask('OPTIONS', '/v1/catalog/register', undefined, preflight)
  t.equal(headers['access-control-allow-origin'], undefined, 'nor does a preflight')
  const byName = await api.ask('PUT', '/v1/agent/service/register', body, {
    host: 'svcd.example.com',
    origin: 'https://svcd.example.com',
  })
  t.equal(byName.status, 200, 'a page of an allowed name is its own')
})

t.test('HTTP/1.0 without Host is answered, HTTP/1.1 is not', async (t) => {
  const api = new TestApi(t)
  const { port } = new URL(await api.app.listen({ port: 0, host: '127.0.0.1' }))
  const ask = async (head: string): Promise<string> => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.end(`${head}\r\nConnection: close\r\n\r\n`)
    return text(socket)
  }
  t.match(await ask('GET /v1/status/leader HTTP/1.0'), /^HTTP\/1\.1 200 /)
  t.match(await ask('GET /v1/status/leader HTTP/1.1'), /^HTTP\/1\.1 400 /)
  t.match(await ask('GET /v1/status/leader HTTP/1.1\r\nHost: evil.test'), /^HTTP\/1\.1 403 /)
})
