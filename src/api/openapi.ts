import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { version } from '../base/version.ts'
import { namedSchemas } from './response-schemas.ts'
import { addRoute } from './route.ts'
import { docOf, prefix } from './route-schema.ts'

/**
 * Makes a document of all routes that are added to `app` from now on, and adds the one that serves
 * it. The schemas document only: bodies and parameters are judged by their own readers, whose texts
 * clients know.
 */
export function addOpenApi(app: FastifyInstance): void {
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  for (const [name, schema] of Object.entries(namedSchemas)) app.addSchema({ $id: name, ...schema })
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'svcd',
        version,
        description: "A service registry that speaks Consul's HTTP API.",
      },
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, n) => nameOf(json['$id'], n) },
    transform: ({ schema, url, route }) => {
      const methods = [route.method].flat()
      const method = methods[0] ?? ''
      const doc = docOf(method, url)
      if (doc === undefined || schema === undefined) return { schema: { hide: true }, url }
      return { schema, url: url.replace('*', `{${doc.argument ?? ''}}`) }
    },
  })
}

export function addOpenApiRoute(app: FastifyInstance): void {
  let document: Buffer | undefined
  addRoute(app, 'GET', `${prefix}openapi.json`, async (_request, reply) => {
    document ??= Buffer.from(JSON.stringify(app.swagger()))
    return reply.header('content-type', 'application/json').send(document)
  })
}

function nameOf(id: unknown, n: number): string {
  return typeof id === 'string' ? id : `def-${n}`
}
