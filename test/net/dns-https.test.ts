import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { promisify } from 'node:util'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { buildQuery } from '../dns/fixture.ts'
import { withOpt } from '../dns/odd-packets.ts'
import { leaf, writeCredentials } from '../helpers/certificates.ts'
import { openGate } from '../helpers/open-gate.ts'
import { missing } from '../helpers/tools.ts'
import { until } from '../helpers/until.ts'
import {
  askHttp2 as ask,
  bench,
  ca,
  closed,
  encryptedPort,
  openHttp2 as open,
  openTls,
} from './encrypted.ts'
import type { HttpReply as Reply } from './encrypted.ts'
import type { ClientHttp2Session, OutgoingHttpHeaders } from 'node:http2'

const run = promisify(execFile)
const media = { 'content-type': 'application/dns-message' }
const query = buildQuery('web.service.consul', 'A')

const get = (session: ClientHttp2Session, text: string): Promise<Reply> =>
  ask(session, { ':path': `/dns-query?dns=${text}` })
const post = (session: ClientHttp2Session, body: Uint8Array): Promise<Reply> =>
  ask(session, { ':method': 'POST', ...media }, body)

t.test('GET and POST get the answer, and how long a cache may keep it', async (t) => {
  const { port } = await encryptedPort(t, 'https')
  const session = await open(t, port.port)
  const replies = [
    await get(session, query.toString('base64url')),
    await post(session, query),
    await ask(
      session,
      { ':method': 'POST', 'content-type': 'Application/DNS-Message; x=1' },
      query,
    ),
  ]
  for (const { status, headers, body } of replies) {
    t.equal(status, 200)
    t.match(headers, {
      ...media,
      'content-length': String(body.length),
      // RFC 8484 §5.1: the smallest TTL.
      'cache-control': 'max-age=10',
    })
    t.equal(decodeReply(body).answer.length, 2)
  }
  const none = await post(session, buildQuery('none.service.consul', 'A'))
  t.equal(none.status, 200, 'NXDOMAIN is an answer')
  t.equal(none.headers['cache-control'], 'max-age=0')
  t.equal(port.counters.queries, 4)
})

t.test('a padded query gets a padded answer, without keepalive', async (t) => {
  const { port } = await encryptedPort(t, 'https')
  const session = await open(t, port.port)
  t.equal((await post(session, withOpt('000b0000000c0000'))).body.length, 468)
  const { body } = await post(session, withOpt('000b0000'))
  t.notOk(body.includes(Buffer.from('000b', 'hex')), 'HTTP has its own ways to keep a connection')
})

t.test('what is no query is refused as RFC 8484 says', async (t) => {
  const { port } = await encryptedPort(t, 'https')
  const session = await open(t, port.port)
  const response = Buffer.from(query)
  response[2] = 0x80
  const text = query.toString('base64url')
  const path = (rest: string): OutgoingHttpHeaders => ({ ':path': `/dns-query${rest}` })
  const postOf = { ':method': 'POST', ...media }
  const cases: readonly (readonly [string, number, OutgoingHttpHeaders, Uint8Array?])[] = [
    ['no parameter', 400, {}],
    ['an empty one', 400, path('?dns=')],
    ['padding', 400, path(`?dns=${text}==`)],
    ['base64 that is not of URLs', 400, path('?dns=AAAA+AAA')],
    ['a length that base64 never has', 400, path('?dns=AAAAA')],
    ['a response', 400, path(`?dns=${response.toString('base64url')}`)],
    ['an empty body', 400, postOf, Buffer.alloc(0)],
    ['no media type', 415, { ':method': 'POST' }, query],
    ['another one', 415, { ':method': 'POST', 'content-type': 'application/json' }, query],
    ['a long body', 413, postOf, Buffer.alloc(65_536)],
    ['a long body, announced', 413, { ...postOf, 'content-length': '70000' }, Buffer.alloc(70_000)],
    ['another path', 404, { ':path': '/' }],
    ['a path below', 404, path('/x')],
    ['another method', 405, { ':method': 'PUT', ...media }, query],
  ]
  for (const [title, status, headers, body] of cases) {
    const reply = await ask(session, headers, body)
    t.equal(reply.status, status, title)
    t.match(String(reply.body), /^[A-Z].*\.\n$/, `${title}: with a sentence`)
    t.equal(reply.headers['cache-control'], 'no-store')
  }
  t.equal((await ask(session, { ':method': 'HEAD' })).headers['allow'], 'GET, POST')
  t.equal((await get(session, text)).status, 200, 'the connection goes on')
})

t.test('a query that DNS itself refuses is answered with 200 (RFC 8484 §4.2.1)', async (t) => {
  const { port } = await encryptedPort(t, 'https')
  const session = await open(t, port.port)
  const { status, headers, body } = await post(session, query.subarray(0, query.length - 2))
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'max-age=0')
  t.equal(decodeReply(body).rcode, 'FORMERR')
})

t.test('many requests at once are all answered', async (t) => {
  const { port } = await encryptedPort(t, 'https')
  const session = await open(t, port.port)
  const ids = Array.from({ length: 500 }, (_, id) => id)
  const replies = await Promise.all(
    ids.map((id) => post(session, buildQuery('web.service.consul', 'A', { id }))),
  )
  t.same(
    replies.map(({ body }) => body.readUInt16BE()),
    ids,
  )
})

t.test(
  'curl asks over HTTP/1.1 and HTTP/2, with GET and POST',
  { skip: missing('curl') },
  async (t) => {
    const { port } = await encryptedPort(t, 'https')
    const directory = t.testdir({ query })
    const { cert } = writeCredentials(directory, 'ca', ca)
    const url = `https://localhost:${port.port}/dns-query`
    const curl = async (...words: readonly string[]): Promise<string> =>
      (
        await run('curl', [
          '-s',
          '--cacert',
          cert,
          '-o',
          `${directory}/out`,
          '-w',
          format,
          ...words,
        ])
      ).stdout
    const format = '%{http_version} %{response_code} %{content_type}'
    const type = ['-H', 'Content-Type: application/dns-message']
    const body = [...type, '--data-binary', `@${directory}/query`]
    for (const [flag, version] of [
      ['--http1.1', '1.1'],
      ['--http2', '2'],
    ] as const) {
      const wanted = `${version} 200 application/dns-message`
      t.equal(await curl(flag, `${url}?dns=${query.toString('base64url')}`), wanted)
      t.equal(await curl(flag, ...body, url), wanted)
      t.match(await curl(flag, '-d', '{}', url), /415 text\/plain/)
      t.match(await curl(flag, ...type, '--data-binary', 'x'.repeat(65_536), url), / 413 /)
    }
  },
)

t.test('kdig asks over HTTPS', { skip: missing('kdig') }, async (t) => {
  const { port } = await encryptedPort(t, 'https')
  const { cert } = writeCredentials(t.testdir({}), 'ca', ca)
  const words = ['@127.0.0.1', '-p', String(port.port), `+tls-ca=${cert}`, '+tls-host=localhost']
  for (const [flag, method] of [
    ['+https', 'POST'],
    ['+https-get', 'GET'],
  ] as const) {
    const { stdout } = await run('kdig', [...words, flag, 'web.service.consul', 'A'])
    t.match(stdout, new RegExp(`HTTP session \\(HTTP/2-${method}\\).*status: 200`))
    t.match(stdout, /status: NOERROR/)
    t.match(stdout, /PADDING/)
  }
})

t.test('an idle connection is closed after its time, whatever it has begun', async (t) => {
  const clock = { nowMs: 1000 }
  const { port } = await encryptedPort(t, 'https', {
    nowMs: () => clock.nowMs,
    limits: { idleTimeoutMs: 10_000 },
  })
  const [session, begun] = [await open(t, port.port), await open(t, port.port)]
  const plain = await openTls(t, port.port, { ALPNProtocols: ['http/1.1'] })
  plain.resume()
  plain.write('POST /dns-query HTTP/1.1\r\nHost: localhost\r\n')
  const upload = begun.request({ ':method': 'POST', ':path': '/dns-query', ...media })
  upload.on('error', () => {})
  upload.write(query.subarray(0, 5))
  await until('all are let in', 5000, () => port.connectionCount === 3)
  clock.nowMs += 9000
  t.equal((await post(session, query)).status, 200)
  clock.nowMs += 1000
  const isClosed = Promise.all([closed(begun), closed(plain)])
  port.closeLate()
  await isClosed
  t.equal((await post(session, query)).status, 200)
  t.equal(port.counters.timeouts, 2)
})

t.test('unfinished bodies of one connection are bounded', async (t) => {
  const { port } = await encryptedPort(t, 'https')
  const session = await open(t, port.port)
  const isClosed = closed(session)
  for (let n = 0; n < 8; n++) {
    const stream = session.request({ ':method': 'POST', ':path': '/dns-query', ...media })
    stream.on('error', () => {})
    stream.write(Buffer.alloc(60_000))
  }
  await isClosed
  t.equal(port.connectionCount, 0)
})

t.test('a client that reads no answers is not answered without end', async (t) => {
  const limits = { unreadBytesMax: 100_000 }
  const { port } = await encryptedPort(t, 'https', { responder: bench(3000).responder, limits })
  const session = connect(`https://localhost:${port.port}`, {
    ca: ca.cert,
    settings: { initialWindowSize: 0 },
  })
  t.teardown(() => session.destroy())
  session.on('error', () => {})
  await once(session, 'remoteSettings')
  const codes = await Promise.all(
    Array.from({ length: 20 }, () => {
      const stream = session.request({ ':path': `/dns-query?dns=${query.toString('base64url')}` })
      stream.on('error', () => {})
      return new Promise<number>((resolve) => {
        stream.on('response', () => resolve(0))
        stream.on('close', () => resolve(stream.rstCode))
      })
    }),
  )
  // 48 KB each; REFUSED_STREAM (7) tells the client that it may send the query again.
  t.equal(codes.filter((code) => code === 0).length, 3)
  t.equal(codes.filter((code) => code === 7).length, 17)
})

t.test('caps and new certificates are those of DNS over TLS', async (t) => {
  const gate = openGate({ openMax: 2 })
  const { port } = await encryptedPort(t, 'https', { gate })
  const first = await open(t, port.port)
  const second = await open(t, port.port)
  t.equal((await post(second, query)).status, 200)
  const gone = closed(first)
  const next = leaf(ca)
  port.use(next)
  const third = await openTls(t, port.port, { ALPNProtocols: ['h2'] })
  await gone
  t.equal(third.alpnProtocol, 'h2')
  t.equal(must(third.getPeerX509Certificate()).toString(), next.cert)
  t.equal((await post(second, query)).status, 200)
  t.equal(gate.figures.displaced, 1)
})

t.test('closing ends the open connections', async (t) => {
  const { port } = await encryptedPort(t, 'https')
  const session = await open(t, port.port)
  const plain = await openTls(t, port.port, { ALPNProtocols: ['http/1.1'] })
  plain.resume()
  t.equal((await post(session, query)).status, 200)
  await Promise.all([closed(session), closed(plain), port.close()])
  await until('none is left', 5000, () => port.connectionCount === 0)
})
