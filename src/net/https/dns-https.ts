import { createServer } from 'node:http'
import { dnsHttps } from '../connections/bind-error.ts'
import { answers, performanceNow, sweepMsOf, tcpLimitsDefault } from '../tcp/dns-tcp.ts'
import { TurnShare } from '../connections/turn-share.ts'
import { StreamPort } from '../tcp/stream-port.ts'
import { DohConnection } from './doh-connection.ts'
import { serveHttp2 } from './doh-http2.ts'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { TcpOptions } from '../tcp/dns-tcp.ts'
import type { StreamTls } from '../tcp/stream-port.ts'

export interface HttpsOptions extends TcpOptions {
  readonly tls: Omit<StreamTls, 'protocols'>
}

const http2 = 'h2'

/**
 * Opens DNS over HTTPS (RFC 8484), with HTTP/2 and HTTP/1.1. Rejects with `port-in-use` or
 * `bind-failed`.
 */
export async function listenDnsHttps(options: HttpsOptions): Promise<StreamPort> {
  const { address, port: number, responder, gate, tls, recursion, nowMs = performanceNow } = options
  const limits = { ...tcpLimitsDefault, ...options.limits }
  const share = new TurnShare()
  const connections = new WeakMap<Socket, DohConnection>()
  const http1 = http1Server(connections)
  const port: StreamPort = new StreamPort({
    address,
    port: number,
    bound: dnsHttps,
    gate,
    tls: { ...tls, protocols: [http2, 'http/1.1'] },
    sweepMs: sweepMsOf(limits),
    nowMs,
    serve: (socket, onQuery) => {
      const { counters } = port
      const parts = { responder, answers, limits, counters, share, nowMs, onQuery, recursion }
      const connection = new DohConnection(socket, parts)
      if ((socket as TLSSocket).alpnProtocol === http2) {
        serveHttp2(socket, connection, limits.unreadBytesMax)
      } else {
        connections.set(socket, connection)
        http1.emit('connection', socket)
      }
      return connection
    },
  })
  await port.open()
  return port
}

/** It has no port of its own: connections come from the TLS server. */
function http1Server(connections: WeakMap<Socket, DohConnection>): Server {
  // The deadline of its connection ends a request that is too slow, and one that is idle.
  const options = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }
  return createServer(options, (request: IncomingMessage, response: ServerResponse) => {
    connections.get(request.socket)?.serve({
      head: {
        method: request.method,
        target: request.url,
        contentType: request.headers['content-type'],
        contentLength: request.headers['content-length'],
      },
      body: request,
      send: ({ status, headers, body }) => {
        response.writeHead(status, headers)
        response.end(body)
      },
    })
  })
}
