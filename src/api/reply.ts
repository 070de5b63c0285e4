import type { FastifyReply, FastifyRequest } from 'fastify'
import { parameter, parametersOf } from './parameters.ts'

/** `?pretty`, with any value or none. */
export function isPretty(request: FastifyRequest): boolean {
  return parameter(parametersOf(request), 'pretty') !== undefined
}

export function renderJson(value: unknown, pretty: boolean): Buffer {
  return Buffer.from(pretty ? `${JSON.stringify(value, null, 4)}\n` : JSON.stringify(value))
}

export function sendJson(
  request: FastifyRequest,
  reply: FastifyReply,
  value: unknown,
): FastifyReply {
  return sendBody(reply, renderJson(value, isPretty(request)))
}

/** Sends JSON as bytes: to a string fastify would add a charset, which JSON has none (RFC 8259 §11). */
export function sendBody(reply: FastifyReply, body: Buffer): FastifyReply {
  return reply.header('content-type', 'application/json').send(body)
}

/** 200 with nothing to say. */
export function sendDone(reply: FastifyReply): FastifyReply {
  return reply.send()
}

/** Says in the response what about a request was accepted, but not as its sender may expect. */
export function warn(reply: FastifyReply, warnings: readonly string[]): void {
  if (warnings.length > 0) reply.header('X-Svcd-Warning', warnings.join('; '))
}
