import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { run } from '../../src/cli/run.ts'
import { TestApi } from '../api/support.ts'
import { missing } from '../helpers/tools.ts'

// What newcomers do, and what svcd says then: what is wrong, and what to do.

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly ms: number
}

async function svcd(line: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  let [out, err] = ['', '']
  const startedMs = performance.now()
  const code = await run(line, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    env,
    readText: async (path) => readFileSync(path, 'utf8'),
  })
  return { code, out, err, ms: performance.now() - startedMs }
}

async function startApi(t: Test) {
  const api = new TestApi(t)
  const env = { SVCD_HTTP_ADDR: await api.app.listen({ port: 0, host: '127.0.0.1' }) }
  return { api, ask: async (line: string): Promise<Ran> => svcd(line.split(' '), env) }
}

async function listen(t: Test, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('an agent that is down: nobody answers there, and how to start one', async (t) => {
  const ran = await svcd(['services', '-http-addr', '127.9.9.9:8500'])
  t.match(ran, {
    code: 2,
    err: /No agent answers at http:\/\/127\.9\.9\.9:8500 .*`svcd agent -dev`/,
  })
  t.ok(ran.ms < 2000)
})

/** A DNS server that refuses everything, over UDP and TCP on one port. */
async function dnsServer(t: Test): Promise<string> {
  const refuse = (query: Buffer): Buffer => {
    const reply = Buffer.from(query)
    // QR and REFUSED (RFC 1035 §4.1.1).
    reply.writeUInt16BE(0x8005, 2)
    return reply
  }
  // Like a real one it waits for the whole length that the first two bytes name: "GE" of GET.
  const tcp = createServer((socket) => socket.on('error', () => {}))
  const address = await listen(t, tcp)
  const udp = createSocket('udp4')
  udp.on('message', (query, from) => udp.send(refuse(query), from.port, from.address))
  udp.bind(Number(address.split(':')[1]), '127.0.0.1')
  await once(udp, 'listening')
  t.teardown(() => udp.close())
  return address
}

t.test('the DNS port given for the HTTP port is named within 2 s', async (t) => {
  const address = await dnsServer(t)
  const ran = await svcd(['services', '-http-addr', address])
  t.match(ran, {
    code: 2,
    err: /^svcd: A DNS server answers at http:\/\/127\.0\.0\.1:\d+, .* try -http-addr 127\.0\.0\.1:8500\.\n$/,
  })
  t.ok(ran.ms < 2000, `${ran.ms} ms`)
})

t.test('the HTTP port given for the DNS port is named', async (t) => {
  const { api } = await startApi(t)
  const { port } = api.app.server.address() as AddressInfo
  const ran = await svcd(['resolve', 'web', '-dns-addr', `127.0.0.1:${port}`])
  t.match(ran, {
    code: 2,
    err: /^svcd: An HTTP server answers at 127\.0\.0\.1:\d+, not a DNS server\..* try -dns-addr 127\.0\.0\.1:8600\.\n$/,
  })
  t.ok(ran.ms < 2000, `${ran.ms} ms`)
})

t.test('https where HTTP is spoken is named, without a dump of OpenSSL', async (t) => {
  const { api } = await startApi(t)
  const { port } = api.app.server.address() as AddressInfo
  const { code, err, ms } = await svcd(['nodes', '-http-addr', `https://127.0.0.1:${port}`])
  t.equal(code, 2)
  t.match(
    err,
    /^svcd: The server at https:\/\/127\.0\.0\.1:\d+ speaks HTTP without TLS\. Use http:/,
  )
  t.notMatch(err, /SSL|error:0/)
  t.ok(ms < 2500, `${ms} ms`)
})

t.test('HTTP where HTTPS is spoken is named', { skip: missing('openssl') }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-tls-'))
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-days', '1', '-nodes']
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const files = ['-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', '-x509', ...newKey, ...subject, ...files], { stdio: 'ignore' })
  const options = { key: readFileSync(key), cert: readFileSync(cert) }
  const address = await listen(
    t,
    createHttpsServer(options, (_request, response) => response.end()),
  )
  const ran = await svcd(['nodes', '-http-addr', address])
  t.match(ran, { code: 2, err: /^svcd: The server at http:\S+ expects HTTPS\. Use https:/ })
  t.ok(ran.ms < 2500, `${ran.ms} ms`)

  await t.test('and over HTTPS, an authority that is not trusted', async (t) => {
    const https = ['nodes', '-http-addr', `https://${address}`]
    t.match(await svcd(https), {
      code: 2,
      err: /^svcd: The certificate of https:\S+ is not trusted \(self-signed certificate\)\. Set -ca-file or SVCD_CACERT to/,
    })
  })
})

t.test('a peer that takes the connection and is silent is named within 5 s', async (t) => {
  const address = await listen(
    t,
    createServer((socket) => socket.on('error', () => {})),
  )
  const ran = await svcd(['nodes', '-http-addr', address])
  t.match(ran, {
    code: 2,
    err: /^svcd: A program accepts connections at http:\S+, but it does not answer/,
  })
  t.ok(ran.ms < 6500, `${ran.ms} ms, with 1.5 s for a machine under load`)
})

t.test('an HTTP server that is no agent is told from an agent that refuses', async (t) => {
  const web = createHttpServer((_request, response) => {
    response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not Found</h1>')
  })
  const address = await listen(t, web)
  const ran = await svcd(['nodes', '-http-addr', address])
  t.match(ran, { code: 2, err: /it is not an agent \(it answered 404 Not Found\)/ })
  const { ask } = await startApi(t)
  t.match(await ask('deregister nope'), { code: 1, err: /Unknown service ID "nope"/ })
})

t.test('a slow agent is waited for', async (t) => {
  let asked = 0
  const slow = createHttpServer((request, response) => {
    // The probe is answered at once, the question itself after the probes are over.
    if (request.url === '/v1/status/leader') return response.end('""')
    asked++
    return setTimeout(() => response.end('[]'), 1500)
  })
  const address = await listen(t, slow)
  t.match(await svcd(['nodes', '-http-addr', address, '-o', 'json']), { code: 0, out: '[]\n' })
  t.equal(asked, 1)
})

t.test('the interval `2sec`: what it should be is said', async (t) => {
  const { ask } = await startApi(t)
  const line = 'register web --check-http http://127.0.0.1:1/ --interval'
  t.match(await ask(`${line} 2sec`), { code: 1, err: /"2sec" is not a duration; write 2s\n/ })
  t.match(await ask(`${line} 5`), { code: 1, err: /"5" is not a duration; write 5s\n/ })
  t.match(await ask(`${line} soon`), { code: 1, err: /write a number with a unit, such as 10s/ })
})

t.test('a wrong port in a check: what the check met is shown with the instance', async (t) => {
  const { api, ask } = await startApi(t)
  const check = { TTL: '10m' }
  await api.put('agent/service/register', { Name: 'web', Port: 80, Check: check })
  t.match((await ask('services web')).out, /critical .* service:web: no report received yet$/m)
  const note = 'Get "http://127.0.0.1:81/": dial tcp 127.0.0.1:81: connect: connection refused'
  await api.put(`agent/check/fail/service:web?note=${encodeURIComponent(note)}`)
  t.match((await ask('services web')).out, /critical .* service:web: Get .*: connection refused$/m)
})

t.test('a service name with a dot, and a bad address, are told', async (t) => {
  const { ask } = await startApi(t)
  const dotted = await ask('register shop.web --port 80')
  t.match(dotted, { code: 1, err: /nor a name that DNS can find/ })
  const named = await ask('register --name shop.web --port 80')
  t.match(named, { code: 0, err: /DNS cannot find it|DNS does not find it|cannot be found by DNS/ })
  const bad = await ask('register web --address 10.0.0.300 --port 80')
  t.match(bad, { code: 1, err: /Invalid service address: "10\.0\.0\.300" is not an IPv4/ })
})

t.test('a duplicate id: what it replaced is named, and how to keep both', async (t) => {
  const { api, ask } = await startApi(t)
  /** Registers, and there is nothing to say about it. */
  const quietly = async (line: string, claim: string): Promise<void> => {
    const { code, err } = await ask(line)
    t.strictSame([code, err], [0, ''], claim)
  }
  await quietly('register web --id x --port 8080', 'a first one')
  const renamed = await ask('register shop --id x --port 8080')
  t.match(renamed, {
    code: 0,
    err: /^svcd: warning: The ID "x" belonged to the service "web"\. The service "shop" has replaced it\. .* its own ID \(--id, or "id" in a file\)\.\n$/,
  })
  t.ok(renamed.ms < 2000, `${renamed.ms} ms`)
  t.same(await api.json('catalog/service/web'), [], 'the first one is gone')

  await quietly('register api --port 80', 'another first one')
  const moved = await ask('register api --port 81')
  t.match(moved, {
    code: 0,
    out: 'Registered service: api\n',
    err: /^svcd: The service "api" with the ID "api" was at port 80 and is now at port 81\. If these are two instances, .*--id/,
  })
  t.ok(moved.ms < 2000, `${moved.ms} ms`)
  t.match(await ask('register api --port 81 --address 10.0.0.1'), {
    err: /was at port 81 and is now at 10\.0\.0\.1:81\./,
  })
  const same = 'register api --port 81 --address ::ffff:10.0.0.1 --tag v2'
  await quietly(same, 'a change of anything else loses no instance')
  await quietly('register api --port 82 --id api-2', 'the way out')
  t.equal((await api.json<unknown[]>('catalog/service/api')).length, 2)
})

t.test('an id that a service of another agent has is free: nothing is replaced', async (t) => {
  const { api, ask } = await startApi(t)
  const there = {
    Node: 'n2',
    Address: '10.0.0.2',
    Service: { Service: 'web', ID: 'web', Port: 80 },
  }
  await api.put('catalog/register', there)
  const { code, err } = await ask('register web --port 81')
  t.strictSame([code, err], [0, ''])
  const rows = await api.json<{ Node: string; ServicePort: number }[]>('catalog/service/web')
  t.strictSame(Object.fromEntries(rows.map(({ Node, ServicePort }) => [Node, ServicePort])), {
    n1: 81,
    n2: 80,
  })
})

t.test('no port: what DNS says then, and how to give one', async (t) => {
  const { ask } = await startApi(t)
  const ran = await ask('register web')
  t.match(ran, {
    code: 0,
    out: 'Registered service: web\n',
    err: /^svcd: warning: The service has no port, so its SRV records have port 0\. Set the port .*\(--port, or "port" in a file\)\.\n$/,
  })
  t.ok(ran.ms < 2000, `${ran.ms} ms`)
  t.match(await ask('register web --port 0'), { err: /has no port/ })
  const { code, err } = await ask('register web --port 80')
  t.strictSame([code, err], [0, ''], 'whoever then gives one is told nothing more')
})

t.test(
  'deregistering at the wrong agent, or by the name: where it is, and which ids there are',
  async (t) => {
    const { api, ask } = await startApi(t)
    const there = { Node: 'n2', Address: '10.0.0.2', Service: { Service: 'web', ID: 'web-2' } }
    await api.put('catalog/register', there)
    await api.put('agent/service/register', { Name: 'web', ID: 'web-1', Port: 80 })
    t.match(await ask('deregister web-2'), {
      code: 1,
      err: /Unknown service ID "web-2"\. .* agent of node n1, but the service with this ID is on node n2 \(10\.0\.0\.2\)\. Send the request to the agent there\.\n$/,
    })
    t.match(await ask('deregister web'), {
      code: 1,
      err: /"web" is a service name\. The IDs of its instances are: "web-1", "web-2" on n2\.\n$/,
    })
  },
)

t.test('a check that nobody reports, or no check at all, is told to whoever reports', async (t) => {
  const { api, ask } = await startApi(t)
  await api.put('agent/service/register', { Name: 'ttl', Port: 1, Check: { TTL: '10m' } })
  await api.put('agent/service/register', { Name: 'none', Port: 2 })
  const probe = { HTTP: 'http://127.0.0.1:1/', Interval: '10s' }
  await api.put('agent/service/register', { Name: 'http', Port: 3, Check: probe })
  t.equal((await ask('check pass ttl --note fine')).out, 'Check service:ttl is now passing\n')
  t.match(await api.json('agent/checks'), { 'service:ttl': { Status: 'passing', Output: 'fine' } })
  t.equal((await ask('check warn service:ttl')).out, 'Check service:ttl is now warning\n')
  t.equal((await ask('check fail ttl')).out, 'Check service:ttl is now critical\n')
  const errors: readonly (readonly [string, RegExp])[] = [
    [
      'check pass none',
      /no TTL check "none"\. The service "none" has no TTL check\. Register it with --check-ttl/,
    ],
    ['check pass service:http', /is of type http: the agent runs it, and you cannot report it\./],
    ['check pass service:tl', /Did you mean "service:ttl"\?/],
    ['heartbeat none', /no TTL check "none"/],
    ['heartbeat ttl --every 2sec', /Option --every: "2sec" is not a duration/],
  ]
  for (const [line, message] of errors) t.match(await ask(line), { code: 1, err: message }, line)
})

t.test('a tagged address is TAG=HOST:PORT', async (t) => {
  const { api, ask } = await startApi(t)
  const line =
    'register web --port 80 -tagged-address wan=203.0.113.7:8080 -tagged-address v6=[2001:db8::7]'
  t.equal((await ask(line)).code, 0)
  t.match(await api.json('agent/services'), {
    web: {
      TaggedAddresses: {
        wan: { Address: '203.0.113.7', Port: 8080 },
        v6: { Address: '2001:db8::7' },
      },
    },
  })
  const wrong = await ask('register web --port 80 --tagged-address 203.0.113.7')
  t.match(wrong, { code: 1, err: /--tagged-address: "203\.0\.113\.7" is not TAG=HOST:PORT/ })
})
