import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify'
import { svcdError } from '../base/errors.ts'
import { decodeBody } from '../definition/decode.ts'
import type { JsonSchema, Reader } from '../definition/decode.ts'

/** How an endpoint reads its body. */
export interface BodyReader<Body> {
  /** For the document; left out = it does not tell of a body. */
  readonly schema?: JsonSchema
  /** The largest size in bytes; default the API's. `stream`: not read before the handler is called. */
  readonly bytesMax?: number | 'stream'
  /** `raw`: undefined or a Buffer, or the stream. Throws an SvcdError. */
  read(raw: unknown): Body
}

/** A JSON object, read by the table of its fields. */
export function json<Body>(reader: Reader<Body>): BodyReader<Body> {
  return { schema: reader.schema ?? {}, read: (raw) => decodeBody(raw, reader) }
}

/** The bytes as they are: the handler reads them. Undefined: the request has no body. */
export function bytes(schema: JsonSchema, bytesMax?: number): BodyReader<Buffer | undefined> {
  return bytesMax === undefined ? { schema, read: asBytes } : { schema, bytesMax, read: asBytes }
}

function asBytes(raw: unknown): Buffer | undefined {
  return raw as Buffer | undefined
}

/** A body of any size, as it comes. Undefined or null: the request has none. */
export const stream: BodyReader<RequestPayload | null | undefined> = {
  bytesMax: 'stream',
  read: (raw) => raw as RequestPayload | null | undefined,
}

/** Sets how all bodies of `app` are taken, whatever type they say they are of. */
export function takeBodies(app: FastifyInstance, bytesMax: number | 'stream'): void {
  app.removeAllContentTypeParsers()
  if (bytesMax === 'stream') {
    app.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
  } else {
    app.addContentTypeParser('*', (_request: FastifyRequest, payload: RequestPayload) =>
      readBody(payload, bytesMax),
    )
  }
}

/** How much of a body that is too large is read and dropped, so that its sender sees the answer. */
const discardBytesMax = 64 * 1024 * 1024

/**
 * Reads a request's body. Rejects with `body-too-large` above `bytesMax`, after the rest was read:
 * closing immediately would reset the connection, and most clients would report that instead.
 */
function readBody(payload: RequestPayload, bytesMax: number): Promise<Buffer> {
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
