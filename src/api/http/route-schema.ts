import type { FastifySchema } from 'fastify'
import type { JsonSchema } from '../../definition/decode.ts'
import { answerSchemas } from './response-schemas.ts'
import { queryDocs, routeDocs } from './route-docs.ts'
import type { RouteDoc } from './route-docs.ts'

const prefix = '/v1/'

export function docOf(method: string, path: string): RouteDoc | undefined {
  return routeDocs[`${method} ${path.slice(prefix.length)}`]
}

/** The schema of a route for the document; undefined if the table has no row for it. */
export function routeSchema(method: string, path: string): FastifySchema | undefined {
  const doc = docOf(method, path)
  if (doc === undefined) return undefined
  const { argument, query = '', body } = doc
  const names = query.split(' ').filter((name) => name !== '')
  const schema: Record<string, unknown> = {
    summary: doc.summary,
    tags: [path.slice(prefix.length).split('/')[0]],
    operationId: operationId(method, path),
    response: responses(doc),
  }
  if (argument !== undefined) {
    schema['params'] = object([[argument, { type: 'string' }]], [argument])
  }
  if (names.length > 0) {
    schema['querystring'] = object(names.map((name) => [name, queryDocs[name] ?? {}]))
  }
  if (body !== undefined) schema['body'] = body.schema ?? {}
  return schema
}

function object(
  fields: readonly (readonly [string, JsonSchema])[],
  required: readonly string[] = [],
): JsonSchema {
  return { type: 'object', properties: Object.fromEntries(fields), required }
}

function operationId(method: string, path: string): string {
  const words = path.slice(prefix.length).replace('/*', '').split(/\W+/)
  return [method.toLowerCase(), ...words].join('_')
}

function responses({ answer, errors = [], alsoAnswers = [] }: RouteDoc): Record<string, unknown> {
  const answered =
    answer === undefined
      ? { description: 'The request succeeded; the body is empty', type: 'null' }
      : answerContent(answer)
  const all: Record<string, unknown> = { 200: answered }
  for (const status of [400, 500, ...errors]) all[status] = errorContent
  for (const status of alsoAnswers) all[status] = answered
  return all
}

const errorContent = {
  description: 'The error, as one line of text',
  content: { 'text/plain': { schema: { type: 'string' } } },
}

function answerContent(answer: NonNullable<RouteDoc['answer']>): object {
  if (answer === 'stream') {
    return {
      description: 'A stream of server-sent events',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    }
  }
  if (answer === 'lines') {
    return {
      description: 'A stream of lines',
      content: {
        'text/plain': { schema: { type: 'string' } },
        'application/x-ndjson': { schema: { type: 'string' } },
      },
    }
  }
  if (answer === 'archive') {
    return { description: 'A gzip tar archive', content: { 'application/x-gzip': { schema: {} } } }
  }
  return {
    description: 'The answer',
    content: { 'application/json': { schema: answerSchemas[answer] } },
  }
}
