import type { RequestPayload } from 'fastify'
import { svcdError } from '../../../base/errors.ts'
import { endpoint } from '../../context.ts'
import { stream } from '../../../http/body.ts'
import { addReadHeaders, reach } from '../../../http/consistency.ts'
import { originOf } from '../../../http/origin.ts'
import { readOptions } from '../../../http/parameters.ts'
import * as query from '../../../http/query-docs.ts'
import { sendDone } from '../../../http/reply.ts'

/** How much is read and dropped after a refused archive, so that its sender sees the answer. */
const discardBytesMax = 1024 * 1024 * 1024

/** GET snapshot packs the state into an archive, PUT makes the catalog what an archive says. */
export const snapshotEndpoints = [
  endpoint({
    method: 'GET',
    path: '/v1/snapshot',
    permission: { resource: 'acl', access: 'write' },
    audited: {},
    summary: 'Download the state as an archive',
    query: query.consistency,
    media: { description: 'A gzip tar archive', content: { 'application/x-gzip': { schema: {} } } },
    async handle(context, request, reply) {
      const { freshness, identity, snapshots } = context
      const { consistency } = readOptions(request.query, identity)
      await reach(context, consistency)
      reply.header('content-type', 'application/x-gzip')
      if (request.method === 'HEAD') return reply.send()
      const { index, stateBytes, archive } = await snapshots.snapshot()
      addReadHeaders(reply, freshness, consistency, index)
      return reply.header('X-Svcd-State-Bytes', stateBytes).send(archive)
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/v1/snapshot',
    permission: { resource: 'acl', access: 'write' },
    audited: {},
    summary: 'Restore the catalog from an archive',
    query: query.dc,
    body: stream,
    async handle({ identity, snapshots }, request, reply) {
      readOptions(request.query, identity)
      const payload = request.body
      if (payload === undefined || payload === null) {
        throw svcdError('snapshot-empty', {})
      }
      try {
        await snapshots.restore(chunksOf(payload), originOf(request, 'snapshot restore'))
      } catch (error) {
        await discard(payload)
        throw error
      }
      return sendDone(reply)
    },
  }),
]

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
