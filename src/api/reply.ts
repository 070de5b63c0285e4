import type { FastifyReply, FastifyRequest } from 'fastify'
import { parameter, parametersOf } from './parameters.ts'

/** Sends JSON; `?pretty` indents it. */
export function sendJson(
  request: FastifyRequest,
  reply: FastifyReply,
  value: unknown,
): FastifyReply {
  const pretty = parameter(parametersOf(request), 'pretty') !== undefined
  const text = pretty ? `${JSON.stringify(value, null, 4)}\n` : JSON.stringify(value)
  // As bytes, or fastify would add a charset, which JSON does not have (RFC 8259 §11).
  return reply.header('content-type', 'application/json').send(Buffer.from(text))
}

/** 200 with nothing to say. */
export function sendDone(reply: FastifyReply): FastifyReply {
  return reply.send()
}

/** Says in the response what about a request was accepted, but not as its sender may expect. */
export function warn(reply: FastifyReply, warnings: readonly string[]): void {
  if (warnings.length > 0) reply.header('X-Svcd-Warning', warnings.join('; '))
}
