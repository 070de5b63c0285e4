import { errorTable, svcdError } from '../../base/errors.ts'
import type { Socket } from 'node:net'
import type { Refusal } from './budget.ts'

/**
 * How many refused clients get the time to read the reason, all together. Others get a single
 * write.
 */
const lingeringMax = 16
const lingerMs = 500

const codes = { address: 'too-many-connections', total: 'no-connections-left' } as const
const reasons = { address: 'Too Many Requests', total: 'Service Unavailable' } as const

/** The whole answer to a client that gets no connection, as it is sent. */
export function httpRefusal(refusal: Refusal): string {
  const code = codes[refusal]
  const body = `${svcdError(code, {}).message}\n`
  return [
    `HTTP/1.1 ${errorTable[code].http} ${reasons[refusal]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Retry-After: 1',
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}

/**
 * Answers a connection without reading a request, and closes it. Closing over an unread request would
 * reset the connection, and the client could lose the answer (RFC 9112 §9.6): so some are read for a
 * while, and their number is bounded, for each takes a descriptor.
 */
export class HttpRefusals {
  #lingering = 0

  refuse(socket: Socket, refusal: Refusal): void {
    socket.on('error', () => {})
    socket.write(httpRefusal(refusal))
    if (this.#lingering >= lingeringMax) {
      socket.destroy()
      return
    }
    this.#lingering++
    const timer = setTimeout(() => socket.destroy(), lingerMs)
    socket.on('close', () => {
      this.#lingering--
      clearTimeout(timer)
    })
    socket.end()
    socket.resume()
  }
}
