import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Client } from '../../src/client/client.ts'
import { causeOf, failureReason } from '../../src/client/failure.ts'
import { httpRequest } from '../../src/client/http-request.ts'
import { authority, leaf } from '../helpers/certificates.ts'

// How the client of an agent speaks HTTP, against servers of every kind.

/** A server whose answers are those of `answer`; its base URL. */
async function serve(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** One that hands over its connections as they are. */
async function serveTcp(t: Test, onConnection: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = []
  const server = createTcpServer((socket) => {
    sockets.push(socket.on('error', () => {}))
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'

t.test(
  'an answer has its status, its fields and its text, without a byte order mark',
  async (t) => {
    const base = await serve(t, (request, response) => {
      response.setHeader(
        'X-Method',
        `${request.method} ${String(request.headers['x-consul-token'])}`,
      )
      response.setHeader('X-Twice', ['a', 'b'])
      response.writeHead(404, 'Gone Away').end('\uFEFFä')
    })
    const headers = { 'X-Consul-Token': 'secret' }
    const answer = await httpRequest(`${base}/x`, { method: 'DELETE', headers })
    t.strictSame([answer.status, answer.statusText, answer.isOk], [404, 'Gone Away', false])
    t.equal(answer.header('X-METHOD'), 'DELETE secret')
    t.equal(answer.header('x-twice'), 'a, b')
    t.equal(answer.header('x-none'), undefined)
    t.ok(answer.headerNames.includes('x-twice'))
    t.equal(await answer.text(), 'ä')
  },
)

t.test('a PUT has its length, with a body and without one', async (t) => {
  const base = await serve(t, (request, response) => {
    void text(request).then((body) => {
      const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
      response.end(JSON.stringify([length, encoding, body]))
    })
  })
  const sent = async (body?: string | AsyncIterable<Uint8Array>): Promise<unknown> =>
    JSON.parse(await (await httpRequest(base, { method: 'PUT', body })).text()) as unknown
  t.strictSame(await sent('ä'), ['2', null, 'ä'])
  t.strictSame(await sent(), ['0', null, ''])
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one, ')
    yield Buffer.from('two')
  }
  t.strictSame(await sent(chunks()), [null, 'chunked', 'one, two'])
})

t.test('connections are kept for the next request', async (t) => {
  const ports = new Set<number | undefined>()
  const base = await serve(t, (request, response) => {
    ports.add(request.socket.remotePort)
    response.end('[]')
  })
  for (let count = 0; count < 3; count++) await (await httpRequest(base)).text()
  t.equal(ports.size, 1)
})

t.test('a kept connection that the server has given up costs no request', async (t) => {
  let count = 0
  const base = await serveTcp(t, (socket) => {
    const isFirst = ++count === 1
    let requests = 0
    socket.on('data', () => {
      // As if it had been idle for too long, just as the next request comes.
      if (isFirst && ++requests > 1) return socket.resetAndDestroy()
      return socket.write(`${head}Content-Length: 2\r\n\r\n[]`)
    })
  })
  for (let times = 0; times < 2; times++) t.equal(await (await httpRequest(base)).text(), '[]')
  t.equal(count, 2)
})

t.test('a fresh connection that is closed without an answer is an error', async (t) => {
  let count = 0
  const base = await serveTcp(t, (socket) => {
    count++
    socket.once('data', () => socket.end())
  })
  const client = new Client({ address: base })
  await t.rejects(client.nodes(), {
    code: 'agent-unreachable',
    message: /\(the connection was closed without an answer\)/,
  })
  t.equal(count, 1, 'it is not asked again')
})

t.test('an answer that breaks off is no answer', async (t) => {
  const base = await serveTcp(t, (socket) => {
    socket.once('data', () => socket.end(`${head}Content-Length: 100\r\n\r\n[{"Node":`))
  })
  await t.rejects(new Client({ address: base }).nodes(), {
    code: 'agent-unreachable',
    message: /\(the connection was closed in the middle of the answer\)/,
  })
  const chunked = await serveTcp(t, (socket) => {
    socket.once('data', () => socket.end(`${head}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n`))
  })
  const { archive } = await new Client({ address: chunked }).snapshot()
  await t.rejects(text(archive), { code: 'ECONNRESET' })
})

t.test('what is not HTTP is told by the code of the parser', async (t) => {
  const base = await serveTcp(t, (socket) => socket.end('220 mail.example ESMTP\r\n'))
  await t.rejects(httpRequest(base), { code: /^HPE_/ })
})

t.test('who is not there is told by the code of the system', async (t) => {
  await t.rejects(httpRequest('http://127.9.9.9:9/'), { code: 'ECONNREFUSED' })
  const both = new AggregateError([new Error('connect ECONNREFUSED ::1:9'), new Error('b')])
  t.equal(failureReason(both), 'connect ECONNREFUSED ::1:9', 'of several addresses the first')
  t.equal(causeOf(both), both.errors[0])
})

t.test('a stream is read as it comes, and leaving it closes its connection', async (t) => {
  const gone = new Promise<void>((resolve) => {
    void serve(t, (_request, response) => {
      response.write('one')
      response.on('close', resolve)
    }).then(async (base) => {
      for await (const chunk of (await httpRequest(base)).body()) {
        t.equal(Buffer.from(chunk).toString(), 'one')
        break
      }
    })
  })
  await gone
})

t.test('the signal ends a request before its answer, and while that is read', async (t) => {
  const opened: (() => void)[] = []
  const closed: Promise<unknown>[] = []
  const base = await serve(t, (request, response) => {
    closed.push(once(request.socket, 'close'))
    if (request.url === '/stream') response.write('one')
    opened.shift()?.()
  })
  const reason = new Error('enough')
  const before = new AbortController()
  opened.push(() => before.abort(reason))
  await t.rejects(httpRequest(`${base}/silent`, { signal: before.signal }), reason)
  const during = new AbortController()
  const answer = await httpRequest(`${base}/stream`, { signal: during.signal })
  const reading = async (): Promise<void> => {
    for await (const _chunk of answer.body()) during.abort(reason)
  }
  await t.rejects(reading(), reason)
  await Promise.all(closed)
  t.equal(closed.length, 2, 'both connections are closed')
  await t.rejects(httpRequest(base, { signal: AbortSignal.abort(reason) }), reason)
  t.equal(closed.length, 2, 'what is over before it begins is not sent')
})

t.test('a client waits for an answer, and for all of it, as long as it was told', async (t) => {
  const base = await serve(t, (request, response) => {
    if (request.url === '/v1/agent/members') response.write('[')
  })
  const client = new Client({ address: base, timeoutMs: 50 })
  const late = {
    code: 'agent-unreachable',
    message: /\(The operation was aborted due to timeout\)/,
  }
  await t.rejects(client.nodes(), late)
  await t.rejects(client.members(), late)
})

t.test('an answer that leads elsewhere is followed as browsers do', async (t) => {
  const seen: string[] = []
  const base = await serve(t, (request: IncomingMessage, response: ServerResponse) => {
    void text(request).then((body) => {
      const token = String(request.headers['x-consul-token'])
      seen.push(`${request.method} ${request.url} ${token} ${body}`)
      const [, status, target] = /^\/(\d+)(\/.*)$/.exec(request.url ?? '') ?? []
      if (status === undefined) return response.end('there')
      return response.writeHead(Number(status), target === '/-' ? {} : { location: target }).end()
    })
  })
  const asked = async (path: string, body?: string): Promise<readonly string[]> => {
    seen.length = 0
    const headers = { 'X-Consul-Token': 't' }
    const answer = await httpRequest(`${base}${path}`, { method: 'PUT', headers, body })
    t.equal(await answer.text(), 'there')
    return seen.slice(1)
  }
  t.strictSame(await asked('/307/308/v1/x', 'b'), ['PUT /308/v1/x t b', 'PUT /v1/x t b'])
  t.strictSame(await asked('/301/302/v1/x', 'b'), ['PUT /302/v1/x t b', 'PUT /v1/x t b'])
  t.strictSame(await asked('/303/v1/x', 'b'), ['GET /v1/x t '])
  t.equal((await httpRequest(`${base}/302/v1/x`, { redirect: 'manual' })).status, 302)
  t.equal((await httpRequest(`${base}/302/-`)).status, 302, 'without a place it is an answer')
  await t.rejects(httpRequest(`${base}${'/302'.repeat(21)}/x`), { message: /more than 20 times/ })
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x')
  }
  const streamed = { method: 'PUT', body: stream() }
  await t.rejects(httpRequest(`${base}/307/v1/x`, streamed), {
    message: /it redirects to http:.*\/v1\/x; use that address/,
  })
})

t.test('a compressed answer is unpacked, and one that is cut off rejects', async (t) => {
  const packed = gzipSync('[1, 2]'.padEnd(10_000))
  const base = await serve(t, (request, response) => {
    t.equal(request.headers['accept-encoding'], 'gzip')
    response.setHeader('content-encoding', 'gzip')
    response.end(request.url === '/whole' ? packed : packed.subarray(0, 30))
  })
  t.equal((await (await httpRequest(`${base}/whole`)).text()).trim(), '[1, 2]')
  await t.rejects((await httpRequest(`${base}/cut`)).text(), { code: 'Z_BUF_ERROR' })
})

t.test('who refuses an upload is heard, and gets no more of it', async (t) => {
  const base = await serve(t, (_request, response) => {
    response.writeHead(403, { 'X-Consul-Index': '1' }).end('not you')
  })
  let stop = (): void => {}
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        yield Buffer.alloc(65_536)
        await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      stop()
    }
  }
  const client = new Client({ address: base })
  await t.rejects(client.restore(endless()), { code: 'agent-refused', message: /^not you$/ })
  await stopped
})

t.test('an upload whose source fails rejects with the reason', async (t) => {
  const base = await serve(t, (request) => void request.resume())
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x')
    throw new Error('the disk is gone')
  }
  await t.rejects(new Client({ address: base }).restore(broken()), { message: /the disk is gone/ })
})

t.test('a redirect does not take a token from HTTPS to HTTP', async (t) => {
  let heard = 0
  const plain = await serve(t, (_request, response) => {
    heard++
    response.end('x')
  })
  const ca = authority()
  const server = createTlsServer(leaf(ca), (_request, response) => {
    response.writeHead(301, { Location: `${plain}/v1/kv/a` }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const headers = { 'X-Consul-Token': 'secret' }
  const asked = httpRequest(`https://127.0.0.1:${port}/v1/kv/a`, { headers, tls: { ca: ca.cert } })
  await t.rejects(asked, { message: /redirects to http:.*without TLS/ })
  t.equal(heard, 0)
})
