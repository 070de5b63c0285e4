import type { FastifySchema } from 'fastify'
import type { JsonSchema } from '../definition/decode.ts'
import { routeOf } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'

/** The name of the operation, in the document and in the audit log: `put_agent_leave`. */
export function operationIdOf(
  method: string,
  { operation, path }: Pick<Endpoint<never>, 'operation' | 'path'>,
): string {
  if (operation !== undefined) return operation
  const fixed = path.replace('/v1/', '').replace(/\/\{.*/, '')
  return [method.toLowerCase(), ...fixed.split(/\W+/)].join('_')
}

/** A row with one of its methods, as OpenAPI's operation. */
export function operationOf(method: string, row: Endpoint<never>): FastifySchema {
  const { query = {}, body } = row
  const { argument } = routeOf(row.path)
  const path = row.path.replace('/v1/', '').replace(/\/\{.*/, '')
  const schema: Record<string, unknown> = {
    summary: row.summary,
    tags: [path.split('/')[0]],
    operationId: operationIdOf(method, row),
    response: responses(row),
  }
  if (argument !== undefined) {
    schema['params'] = object({ [argument]: { type: 'string' } }, [argument])
  }
  if (Object.keys(query).length > 0) schema['querystring'] = object(query)
  if (body?.schema !== undefined) schema['body'] = body.schema
  return schema
}

function object(
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema {
  return { type: 'object', properties, required }
}

function responses(row: Endpoint<never>): Readonly<Record<string, unknown>> {
  const { errors = [], alsoAnswers = [] } = row
  const answered = answerOf(row)
  const all: Record<string, unknown> = { 200: answered }
  for (const status of [400, 500, ...errors]) all[status] = errorContent
  for (const status of alsoAnswers) all[status] = answered
  return all
}

const errorContent = {
  description: 'The error, as one line of text',
  content: { 'text/plain': { schema: { type: 'string' } } },
}

function answerOf({ answer, media }: Endpoint<never>): object {
  if (media !== undefined) return media
  if (answer !== undefined) {
    return { description: 'The answer', content: { 'application/json': { schema: answer } } }
  }
  return { description: 'The request succeeded; the body is empty', type: 'null' }
}
