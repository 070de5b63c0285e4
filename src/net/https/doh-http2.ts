import { constants, performServerHandshake } from 'node:http2'
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { DohAnswer } from './doh-answering.ts'
import type { DohConnection } from './doh-connection.ts'

const streamsMax = 100

/** Serves the requests that come over a connection with HTTP/2 (RFC 9113). */
export function serveHttp2(
  socket: Socket,
  connection: DohConnection,
  unreadBytesMax: number,
): void {
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: streamsMax, enablePush: false },
  })
  const unread = { bytes: 0 }
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', ignore)
    connection.serve({
      head: {
        method: headers[':method'],
        target: headers[':path'],
        contentType: headers['content-type'],
        contentLength: headers['content-length'],
      },
      body: stream,
      send: (answer) => {
        // RFC 9113 §8.7: the client knows that it may send it again. It has to read its answers first.
        if (unread.bytes > unreadBytesMax) stream.close(constants.NGHTTP2_REFUSED_STREAM)
        else send(stream, answer, unread)
      },
    })
  })
  session.on('error', ignore)
  connection.onFinish = () => finish(session, socket)
}

function send(
  stream: ServerHttp2Stream,
  { status, headers, body }: DohAnswer,
  unread: { bytes: number },
): void {
  if (stream.destroyed) return
  unread.bytes += body.length
  stream.on('close', () => (unread.bytes -= body.length))
  stream.respond({ ':status': status, ...headers })
  stream.end(body)
}

/** Sends GOAWAY; the streams that are open end first (RFC 9113 §6.8). */
function finish(session: ServerHttp2Session, socket: Socket): void {
  session.close(() => socket.destroy())
}

/** The connection counts errors of its own, and the end of one stream is none. */
function ignore(): void {}
