import type { FastifyInstance, RequestPayload } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { originOf } from '../catalog/catalog.ts'
import type { ReadContext } from '../../http/read.ts'
import { addReadHeaders, reach } from '../../http/consistency.ts'
import { parametersOf, readOptions } from '../../http/parameters.ts'
import { sendDone } from '../../http/reply.ts'
import { addRoutes } from '../../http/route.ts'

/** How much is read and dropped after a refused archive, so that its sender sees the answer. */
const discardBytesMax = 1024 * 1024 * 1024

/** GET snapshot packs the state into an archive, PUT makes the catalog what an archive says. */
export function addSnapshotRoutes(app: FastifyInstance, context: ReadContext): void {
  const { backend } = context
  // A scope of its own: archives are read as they come, not into memory first.
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
    addRoutes(scope, '/v1/snapshot', {
      GET: async (request, reply) => {
        const { consistency } = readOptions(parametersOf(request), backend.identity)
        await reach(context, consistency)
        reply.header('content-type', 'application/x-gzip')
        if (request.method === 'HEAD') return reply.send()
        const { index, stateBytes, archive } = await backend.snapshot()
        addReadHeaders(reply, backend, consistency, index)
        return reply.header('X-Svcd-State-Bytes', stateBytes).send(archive)
      },
      PUT: async (request, reply) => {
        readOptions(parametersOf(request), backend.identity)
        const payload = request.body as RequestPayload | null | undefined
        if (payload === undefined || payload === null) {
          throw svcdError('snapshot-unusable', { file: 'in the request', reason: 'it is empty' })
        }
        try {
          await backend.restore(chunksOf(payload), originOf(request, 'snapshot restore'))
        } catch (error) {
          await discard(payload)
          throw error
        }
        return sendDone(reply)
      },
    })
    done()
  })
}

/** A reader that stops, or is stopped by an error, leaves the connection open for the answer. */
async function* chunksOf(payload: RequestPayload): AsyncGenerator<Uint8Array> {
  const chunks = (payload as RequestPayload & Iterable).iterator({ destroyOnReturn: false })
  // Not yield*: an error thrown into this generator is to end the loop, and not to reach the stream.
  for await (const chunk of chunks) yield chunk
}

interface Iterable {
  iterator(options: { readonly destroyOnReturn: boolean }): AsyncIterable<Uint8Array>
}

async function discard(payload: RequestPayload): Promise<void> {
  let size = 0
  try {
    for await (const chunk of chunksOf(payload)) {
      size += chunk.length
      if (size > discardBytesMax) return
    }
  } catch {
    // The sender hung up: there is no client to answer.
  }
}
