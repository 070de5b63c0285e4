import t from 'tap'
import type { Test } from 'tap'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { probeHttp } from '../../src/probes/http.ts'
import type { HttpProbeRequest } from '../../src/probes/http.ts'
import type { ProbeResult } from '../../src/probes/result.ts'
import { certificate, key } from './certificate.ts'

const request: HttpProbeRequest = {
  url: '',
  method: 'GET',
  headers: {},
  body: '',
  timeoutMs: 5000,
  tlsSkipVerify: false,
  tlsServerName: '',
  followRedirects: true,
}

async function listen(t: Test, server: Server): Promise<string> {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An HTTP server whose answers depend on the path. */
async function serve(t: Test, handler: http.RequestListener): Promise<string> {
  return `http://${await listen(t, http.createServer(handler))}`
}

function probe(url: string, changes: Partial<HttpProbeRequest> = {}): Promise<ProbeResult> {
  return probeHttp({ ...request, url, ...changes })
}

t.test('the status code decides, and the output says what was asked and answered', async (t) => {
  const base = await serve(t, (req, res) => {
    res.statusCode = Number(req.url?.slice(1))
    res.end('the body')
  })
  const cases: readonly (readonly [number, string, string])[] = [
    [200, 'passing', 'OK'],
    [204, 'passing', 'No Content'],
    [299, 'passing', 'unknown'],
    [304, 'critical', 'Not Modified'],
    [404, 'critical', 'Not Found'],
    [429, 'warning', 'Too Many Requests'],
    [503, 'critical', 'Service Unavailable'],
  ]
  for (const [code, status, words] of cases) {
    const url = `${base}/${code}`
    const body = code === 204 || code === 304 ? '' : 'the body'
    t.strictSame(await probe(url), {
      status,
      output: `HTTP GET ${url}: ${code} ${words} Output: ${body}`,
      evidence: 'proof',
    })
  }
})

t.test('method, headers, Host and body reach the server; the connection is not kept', async (t) => {
  let heard: unknown
  const base = await serve(t, (req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { host, connection } = req.headers
      const body = Buffer.concat(chunks).toString()
      const agent = req.headers['user-agent']
      const token = req.headers['x-token']
      heard = { method: req.method, url: req.url, host, connection, agent, token, body }
      res.end()
    })
  })
  await probe(`${base}/health?deep=1`, {
    method: 'PUT',
    headers: { host: ['web.example.org'], 'X-Token': ['a', 'b'] },
    body: '{"é":1}',
  })
  t.strictSame(heard, {
    method: 'PUT',
    url: '/health?deep=1',
    host: 'web.example.org',
    connection: 'close',
    agent: 'svcd Health Check',
    token: 'a, b',
    body: '{"é":1}',
  })
  await probe(base, { headers: { 'user-agent': ['mine'] } })
  t.match(heard, { agent: 'mine', host: base.slice(7) })
})

t.test('a port that takes the connection and never answers is absence', async (t) => {
  const address = await listen(t, net.createServer())
  const silent = await probe(`http://${address}/`, { timeoutMs: 150 })
  t.strictSame(silent, {
    status: 'critical',
    output: `HTTP GET http://${address}/: no answer within 150ms`,
    evidence: 'absence',
  })
})

t.test('a refused connection is proof of failure', async (t) => {
  const server = net.createServer()
  const address = await listen(t, server)
  server.close()
  await once(server, 'close')
  const refused = await probe(`http://${address}/`)
  t.match(refused, { status: 'critical', evidence: 'proof', output: /ECONNREFUSED/ })
})

t.test(
  'a connection closed without an answer, or answered by other than HTTP, is proof',
  async (t) => {
    const closing = await listen(
      t,
      net.createServer((socket) => socket.end()),
    )
    t.match(await probe(`http://${closing}/`), { status: 'critical', evidence: 'proof' })
    const shouting = await listen(
      t,
      net.createServer((socket) => socket.end('SSH-2.0-nothing\r\n')),
    )
    t.match(await probe(`http://${shouting}/`), { status: 'critical', evidence: 'proof' })
  },
)

t.test('a name that does not resolve is absence', async (t) => {
  const result = await probe('http://nowhere.invalid/', { timeoutMs: 2000 })
  t.match(result, { status: 'critical', evidence: 'absence' })
})

t.test('a huge body is cut at 4 KiB and its connection closed', async (t) => {
  let closed: Promise<unknown> | undefined
  const base = await serve(t, (_, res) => {
    closed = once(res, 'close')
    const more = (): void => {
      while (!res.destroyed && res.write('é'.repeat(8192)));
      if (!res.destroyed) res.once('drain', more)
    }
    more()
  })
  const result = await probe(base, { timeoutMs: 600_000 })
  t.equal(result.status, 'passing')
  t.ok(Buffer.byteLength(result.output) <= 4096)
  t.match(result.output, /Output: é+$/)
  await closed
})

t.test('a body that drips is cut at the timeout, and the code stands', async (t) => {
  const base = await serve(t, (req, res) => {
    res.writeHead(req.url === '/ok' ? 200 : 503)
    const drip = setInterval(() => res.write('.'), 10)
    res.on('close', () => clearInterval(drip))
  })
  const startedMs = performance.now()
  const result = await probe(`${base}/ok`, { timeoutMs: 200 })
  t.ok(performance.now() - startedMs < 2000)
  t.match(result, { status: 'passing', evidence: 'proof', output: /200 OK Output: \.+$/ })
  t.match(await probe(`${base}/bad`, { timeoutMs: 100 }), { status: 'critical' })
})

t.test('a body cut off in the middle leaves the code standing', async (t) => {
  const address = await listen(
    t,
    net.createServer((socket) => {
      socket.once('data', () => {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
      })
    }),
  )
  t.match(await probe(`http://${address}/`), { status: 'passing', output: /Output: half$/ })
})

// CVE-2022-29153
t.test('redirects are followed, unless told not to, and up to ten', async (t) => {
  const seen: string[] = []
  const base = await serve(t, (req, res) => {
    seen.push(`${req.method} ${req.url}`)
    const at = Number(/^\/hop\/(\d+)$/.exec(req.url ?? '')?.[1] ?? 0)
    if (req.url === '/post') res.writeHead(302, { location: 'end' }).end()
    else if (req.url === '/keep') res.writeHead(307, { location: '/end' }).end()
    else if (req.url === '/lost') res.writeHead(302).end()
    else if (req.url === '/mail') res.writeHead(302, { location: 'mailto:a@example.org' }).end()
    else if (at > 0) res.writeHead(301, { location: `/hop/${at - 1}` }).end()
    else res.end('there')
  })
  t.match(await probe(`${base}/hop/10`), { status: 'passing', output: /200 OK Output: there$/ })
  t.match(await probe(`${base}/hop/11`), {
    status: 'critical',
    output: /stopped after 10 redirects$/,
    evidence: 'proof',
  })
  t.match(await probe(`${base}/hop/1`, { followRedirects: false }), {
    status: 'critical',
    output: /301 Moved Permanently/,
  })
  t.match(await probe(`${base}/lost`), { status: 'critical', output: /302 Found/ })
  t.match(await probe(`${base}/mail`), { status: 'critical', output: /302 Found/ })
  seen.length = 0
  await probe(`${base}/post`, { method: 'POST', body: 'x' })
  await probe(`${base}/keep`, { method: 'POST', body: 'x' })
  t.strictSame(seen, ['POST /post', 'GET /end', 'POST /keep', 'POST /end'])
})

// CVE-2022-29153
t.test('a redirect to another host does not carry secrets along', async (t) => {
  let heard: http.IncomingHttpHeaders = {}
  const other = await serve(t, (req, res) => {
    heard = req.headers
    res.end()
  })
  const base = await serve(t, (_, res) => res.writeHead(302, { location: other }).end())
  const headers = { Authorization: ['Bearer x'], Host: ['web.example.org'], 'X-Kept': ['yes'] }
  t.match(await probe(base, { headers }), { status: 'passing' })
  t.equal(heard.authorization, undefined)
  t.equal(heard.host, other.slice(7))
  t.equal(heard['x-kept'], 'yes')
})

t.test('TLS: the certificate is verified, by the name given, or not at all', async (t) => {
  const server = https.createServer({ key, cert: certificate }, (_, res) => res.end('secret'))
  const names: (string | false | null)[] = []
  server.on('secureConnection', (socket) => names.push(socket.servername))
  const url = `https://${await listen(t, server)}/`
  t.match(await probe(url), { status: 'critical', evidence: 'proof', output: /certificate/ })
  t.match(await probe(url, { tlsSkipVerify: true }), { status: 'passing' })
  t.match(await probe(url, { tlsSkipVerify: true, tlsServerName: 'probe.test' }), {
    status: 'passing',
  })
  t.equal(names.at(-1), 'probe.test')
})

t.test('what cannot be asked is critical, with the reason, and never thrown', async (t) => {
  for (const url of ['', 'not a url', 'ftp://127.0.0.1/', 'http://%zz@127.0.0.1:1/']) {
    t.match(await probe(url), { status: 'critical' }, url)
  }
  t.match(await probe('http://127.0.0.1:1/', { method: 'GE T' }), { output: /GE T.*: / })
  t.match(await probe('http://127.0.0.1:1/', { headers: { 'bad header': ['x'] } }), {
    status: 'critical',
  })
})

t.test('a password in the URL is sent and not shown', async (t) => {
  let heard = ''
  const base = await serve(t, (req, res) => {
    heard = req.headers.authorization ?? ''
    res.end()
  })
  const { output } = await probe(base.replace('//', '//ann:secret@'))
  t.equal(heard, `Basic ${Buffer.from('ann:secret').toString('base64')}`)
  t.notMatch(output, /secret/)
})

t.test('an answer that switches protocols is critical and leaves no socket', async (t) => {
  const address = await listen(
    t,
    net.createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () =>
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
        ),
      )
    }),
  )
  t.match(await probe(`http://${address}/`), { status: 'critical', output: /101 Switching/ })
})

t.test('an abort ends a probe without saying anything of the service', async (t) => {
  const address = await listen(t, net.createServer())
  const stop = new AbortController()
  const result = probeHttp({ ...request, url: `http://${address}/` }, stop.signal)
  stop.abort()
  t.match(await result, { evidence: 'none' })
  t.match(await probeHttp({ ...request, url: `http://${address}/` }, stop.signal), {
    evidence: 'none',
  })
})

t.test('a probe frames its request itself, whatever an older release stored', async (t) => {
  const heads: string[] = []
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (chunk: Buffer) => {
      heads.push(chunk.toString())
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const url = `http://${await listen(t, server)}/`
  const headers = {
    'transfer-encoding': ['chunked'],
    'Content-Length': ['3'],
    Connection: ['keep-alive, X-Kept'],
    'Keep-Alive': ['timeout=5'],
    TE: ['trailers'],
    Trailer: ['X'],
    Upgrade: ['h2c'],
    'Proxy-Authorization': ['Basic x'],
    'Proxy-Connection': ['keep-alive'],
    Host: ['web.example.org', 'other.example.org'],
    'X-Kept': ['yes'],
  }
  for (const [method, body, length] of [
    ['POST', '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n', '31'],
    ['GET', '', undefined],
  ] as const) {
    t.equal((await probe(url, { method, body, headers })).status, 'passing')
    const [head = ''] = (heads.pop() ?? '').split('\r\n\r\n', 1)
    const fields = head.split('\r\n').slice(1)
    const names = fields.map((field) => field.split(':', 1).join('').toLowerCase()).toSorted()
    const expected = ['accept', 'connection', 'host', 'user-agent', 'x-kept']
    t.strictSame(
      names,
      length === undefined ? expected : [...expected, 'content-length'].toSorted(),
    )
    t.match(head, /^Connection: close$/m)
    t.match(head, /^Host: web\.example\.org$/m)
    if (length !== undefined) t.match(head, `Content-Length: ${length}`)
  }
})
