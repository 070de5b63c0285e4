import swagger from '@fastify/swagger'
import { fastify } from 'fastify'
import { version } from '../../base/version.ts'
import { noCompilers } from './compilers.ts'
import { namedSchemas } from './response-schemas.ts'
import type { Method } from './route.ts'
import { docOf, routeSchema } from './route-schema.ts'

/** A path with one of its methods. */
export interface AddedRoute {
  readonly method: Method
  readonly url: string
}

/**
 * Makes the OpenAPI document of the `routes` that the table of routes describes. It adds them, with
 * their schemas, to a server that never listens. The schemas only document: bodies and parameters
 * are validated by their own readers, whose texts clients know.
 */
export async function openApiDocument(routes: readonly AddedRoute[]): Promise<object> {
  const app = fastify({ exposeHeadRoutes: false, schemaController: noCompilers })
  for (const [name, schema] of Object.entries(namedSchemas)) app.addSchema({ $id: name, ...schema })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'svcd',
        version,
        description: "A DNS-first service registry that implements Consul's HTTP API.",
      },
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, n) => nameOf(json['$id'], n) },
    transform: ({ schema, url, route }) => {
      const argument = docOf([route.method].flat()[0] ?? '', url)?.argument ?? ''
      return { schema, url: url.replace('*', `{${argument}}`) }
    },
  })
  for (const { method, url } of routes) {
    const schema = routeSchema(method, url)
    if (schema === undefined) continue
    const methods = method === 'GET' ? [method, 'HEAD'] : [method]
    app.route({ method: methods, url, schema, handler: async () => undefined })
  }
  await app.ready()
  const document = app.swagger()
  await app.close()
  return document
}

function nameOf(id: unknown, n: number): string {
  return typeof id === 'string' ? id : `def-${n}`
}
