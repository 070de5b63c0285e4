import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'

/** Answers a connection on which no request could be read, and closes it. */
export function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  headBytesMax: number,
): void {
  // The client is gone: nothing can be said.
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (socket.writable) socket.write(responseOf(faultOf(error, headBytesMax)))
  socket.destroy(error)
}

function faultOf({ code }: NodeJS.ErrnoException, headBytesMax: number): SvcdError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return svcdError('request-too-slow', {})
  if (code === 'HPE_HEADER_OVERFLOW') return svcdError('headers-too-large', { max: headBytesMax })
  return svcdError('malformed-http', {})
}

/** An error as the whole answer on a connection that is then closed. */
export function responseOf({ row: { http: status }, message }: SvcdError): string {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Length: ${Buffer.byteLength(message)}`,
    'Content-Type: text/plain; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${message}`
}
