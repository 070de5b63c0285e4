import dgram from 'node:dgram'
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import tls from 'node:tls'
import t from 'tap'
import type { Test } from 'tap'
import { probeGrpc, probeH2Ping } from '../../src/probes/http2.ts'
import { probeTcp, probeUdp } from '../../src/probes/socket.ts'
import { certificate, key } from './certificate.ts'

const plain = {
  host: '127.0.0.1',
  timeoutMs: 9000,
  useTls: false,
  tlsSkipVerify: false,
  tlsServerName: '',
}

async function listen(t: Test, server: Server): Promise<number> {
  const sockets = new Set<net.Socket>()
  const keep = (socket: net.Socket): void => void sockets.add(socket)
  server.on('connection', keep).on('secureConnection', keep)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

t.test('TCP: a connection is passing, a refusal proof, silence absence', async (t) => {
  const port = await listen(t, net.createServer())
  t.strictSame(await probeTcp({ ...plain, port }), {
    status: 'passing',
    output: `TCP connect 127.0.0.1:${port}: Success`,
    evidence: 'proof',
  })
  t.match(await probeTcp({ ...plain, port: await freePort() }), {
    status: 'critical',
    output: /ECONNREFUSED/,
    evidence: 'proof',
  })
  t.match(await probeTcp({ ...plain, port, useTls: true, timeoutMs: 50 }), {
    status: 'critical',
    output: /no answer within 50ms/,
    evidence: 'absence',
  })
  t.match(await probeTcp({ ...plain, host: 'nowhere.invalid', port }), { evidence: 'absence' })
  t.match(await probeTcp({ ...plain, port }, AbortSignal.abort()), { evidence: 'none' })
})

t.test(
  'TCP with TLS: the certificate is verified, by an authority given, or not at all',
  async (t) => {
    const port = await listen(t, tls.createServer({ cert: certificate, key }))
    const request = { ...plain, port, useTls: true }
    t.match(await probeTcp(request), {
      status: 'critical',
      output: /self-signed/,
      evidence: 'proof',
    })
    t.match(await probeTcp({ ...request, tlsSkipVerify: true }), { status: 'passing' })
    const byName = { ...request, tlsServerName: 'other.test' }
    t.match(await probeTcp(byName, undefined, { ca: certificate }), {
      status: 'critical',
      output: /other\\.test|altnames/,
    })
  },
)

t.test('UDP: a refusal is critical, an answer or silence passing', async (t) => {
  const echo = dgram.createSocket('udp4')
  echo.on('message', (_, from) => echo.send('x', from.port, from.address))
  echo.bind(0, '127.0.0.1')
  await once(echo, 'listening')
  t.teardown(() => echo.close())
  const mute = dgram.createSocket('udp4').bind(0, '127.0.0.1')
  await once(mute, 'listening')
  t.teardown(() => mute.close())
  const { host } = plain
  t.match(await probeUdp({ host, port: echo.address().port, timeoutMs: 9000 }), {
    status: 'passing',
    output: /: answered/,
  })
  t.match(await probeUdp({ host, port: mute.address().port, timeoutMs: 50 }), {
    status: 'passing',
    output: /: not refused/,
  })
  t.match(await probeUdp({ host, port: await freePort(), timeoutMs: 9000 }), {
    status: 'critical',
    output: /ECONNREFUSED/,
  })
})

/** A gRPC server whose answer depends on the service that is asked for. */
function health(): http2.Http2Server {
  return http2.createServer().on('stream', (stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const service = Buffer.concat(chunks).subarray(7).toString()
      if (headers[':path'] !== '/grpc.health.v1.Health/Check' || service === 'http') {
        return stream.respond({ ':status': 404 }, { endStream: true })
      }
      if (service === 'silent') return undefined
      const trailers =
        service === 'missing'
          ? { 'grpc-status': '5', 'grpc-message': 'unknown service' }
          : { 'grpc-status': '0' }
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      )
      stream.on('wantTrailers', () => stream.sendTrailers(trailers))
      return stream.end(Buffer.from([0, 0, 0, 0, 2, 8, service === 'sick' ? 2 : 1]))
    })
  })
}

t.test('gRPC: SERVING is passing; all else is critical and says why', async (t) => {
  const port = await listen(t, health())
  const cases = [
    ['', 'passing', /^gRPC 127\.0\.0\.1:\d+: SERVING$/],
    ['web', 'passing', /\/web: SERVING$/],
    ['sick', 'critical', /\/sick: NOT_SERVING$/],
    ['missing', 'critical', /gRPC status 5 unknown service$/],
    ['http', 'critical', /HTTP status 404 instead of a gRPC answer$/],
  ] as const
  for (const [service, status, output] of cases) {
    const found = await probeGrpc({ ...plain, port, service })
    t.match(found, { status, evidence: 'proof', output }, service)
  }
  t.match(await probeGrpc({ ...plain, port, service: 'silent', timeoutMs: 100 }), {
    status: 'critical',
    evidence: 'absence',
  })
  t.match(await probeGrpc({ ...plain, port: await freePort(), service: '' }), {
    status: 'critical',
    output: /ECONNREFUSED/,
  })
})

t.test('HTTP/2: an answered ping is passing; who speaks something else is critical', async (t) => {
  const port = await listen(t, http2.createServer())
  t.match(await probeH2Ping({ ...plain, port }), { status: 'passing' })
  const secure = await listen(t, http2.createSecureServer({ cert: certificate, key }))
  t.match(await probeH2Ping({ ...plain, port: secure, useTls: true }), { status: 'critical' })
  const skip = { ...plain, port: secure, useTls: true, tlsSkipVerify: true }
  t.match(await probeH2Ping(skip), { status: 'passing' })
  const deaf = net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  t.match(await probeH2Ping({ ...plain, port: await listen(t, deaf) }), { status: 'critical' })
})
