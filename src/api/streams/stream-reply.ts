import type { FastifyReply, FastifyRequest } from 'fastify'
import { parametersOf } from '../../http/parameters.ts'
import type { Parameters } from '../../http/parameters.ts'
import type { ApiContext } from '../context.ts'
import type { NextEvent } from './event-stream.ts'
import type { Feed, FeedSource } from './feed.ts'
import type { FeedPlace } from './streams.ts'

/** The parameters, and as `index` what a client saw last: browsers say it when they connect again. */
export function withLastEventId(request: FastifyRequest): Parameters {
  const header = request.headers['last-event-id']
  const parameters = parametersOf(request)
  return typeof header === 'string' ? { ...parameters, index: header } : parameters
}

export function addStreamHeaders(reply: FastifyReply): void {
  reply
    .header('Content-Type', 'text/event-stream')
    .header('Cache-Control', 'no-store')
    .header('X-Content-Type-Options', 'nosniff')
    // nginx holds answers back unless it is told.
    .header('X-Accel-Buffering', 'no')
    // A stream ends with its connection, so that no client waits to use it again.
    .header('Connection', 'close')
}

export interface StreamReply<Source extends FeedSource> {
  readonly place: FeedPlace
  readonly feed: Feed<Source>
  readonly next: NextEvent
}

/** Answers with a stream; its headers are those that the reply has by now. */
export function sendStream<Source extends FeedSource>(
  { streams, tokenStreams }: Pick<ApiContext, 'streams' | 'tokenStreams'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { place, feed, next }: StreamReply<Source>,
): FastifyReply {
  reply.hijack()
  reply.raw.writeHead(200, reply.getHeaders() as Record<string, string | string[]>)
  streams.open(place, feed, reply.raw, tokenStreams.follow(request, reply.raw, next))
  return reply
}
