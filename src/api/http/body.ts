import type { RequestPayload } from 'fastify'
import { svcdError } from '../../base/errors.ts'

/** How much of a body that is too large is read and dropped, so that its sender sees the answer. */
const discardBytesMax = 64 * 1024 * 1024

/**
 * Reads a request's body. Rejects with `body-too-large` above `bytesMax`, after the rest was read:
 * closing immediately would reset the connection, and most clients would report that instead.
 */
export function readBody(payload: RequestPayload, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    payload.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= bytesMax) chunks.push(chunk)
      else chunks.length = 0
      if (size > discardBytesMax) {
        payload.pause()
        reject(svcdError('body-too-large', { size: `over ${discardBytesMax}`, max: bytesMax }))
      }
    })
    // Nothing else ends a body in the middle: the client is gone, or too slow.
    payload.on('error', (error) => reject(svcdError('request-aborted', {}, error)))
    payload.on('end', () => {
      if (size > bytesMax) reject(svcdError('body-too-large', { size, max: bytesMax }))
      else
        resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))
    })
  })
}
