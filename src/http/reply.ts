import type { FastifyReply, FastifyRequest } from 'fastify'
import { toFieldText } from '../base/http-field.ts'
import { nothing } from './answer.ts'
import { parameter, parametersOf } from './parameters.ts'
import { compress } from './render-cache.ts'
import { tellFiltered } from './requesters.ts'
import type { Rendered } from './render-cache.ts'

/** What fits in one packet is not worth it (and so says the handler that Consul uses). */
const compressedBytesMin = 1400

const jsonHeaders = { 'content-type': 'application/json' }

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
): FastifyReply | Promise<FastifyReply> {
  return sendBody(request, reply, renderJson(value, isPretty(request)))
}

/** Sends JSON that was made already. */
export function sendBody(
  request: FastifyRequest,
  reply: FastifyReply,
  body: Buffer,
): FastifyReply | Promise<FastifyReply> {
  return isCompressed(request, body) ? sendCompressed(reply, compress(body)) : send(reply, body)
}

/** Sends an answer that others may be waiting for, too. `headers`: of content that is not JSON. */
export function sendRendered(
  request: FastifyRequest,
  reply: FastifyReply,
  rendered: Rendered,
  headers: Readonly<Record<string, string>> = jsonHeaders,
): FastifyReply | Promise<FastifyReply> {
  const { body } = rendered
  if (rendered.isFiltered) tellFiltered(request, reply)
  if (body === nothing) return reply.code(404).header('Vary', 'Accept-Encoding').send()
  if (isCompressed(request, body)) return sendCompressed(reply, rendered.compressed(), headers)
  return send(reply, body, headers)
}

/** As bytes: to a string fastify would add a charset, which JSON has none (RFC 8259 §11). */
function send(
  reply: FastifyReply,
  body: Buffer,
  headers: Readonly<Record<string, string>> = jsonHeaders,
): FastifyReply {
  return reply.headers(headers).header('Vary', 'Accept-Encoding').send(body)
}

async function sendCompressed(
  reply: FastifyReply,
  compressed: Promise<Buffer>,
  headers: Readonly<Record<string, string>> = jsonHeaders,
): Promise<FastifyReply> {
  reply.header('Content-Encoding', 'gzip')
  return send(reply, await compressed, headers)
}

function isCompressed(request: FastifyRequest, body: Buffer): boolean {
  const accepted = request.headers['accept-encoding']
  return (
    body.length >= compressedBytesMin &&
    typeof accepted === 'string' &&
    // RFC 9110 §12.5.3: a quality of 0 means not at all.
    /(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[\d.]+\s*)?(?:,|$)/i.test(accepted)
  )
}

/** 200 with nothing to say. */
export function sendDone(reply: FastifyReply): FastifyReply {
  return reply.send()
}

/** Clients take a head of some kilobytes. */
const warningsMax = 16

/** Says in the response what about a request was accepted, but not as its sender may expect. */
export function warn(reply: FastifyReply, warnings: readonly string[]): void {
  if (warnings.length === 0) return
  const said = [...new Set(warnings)].slice(0, warningsMax)
  reply.header('X-Svcd-Warning', said.map(toFieldText).join('; '))
}
