import swagger from '@fastify/swagger'
import { fastify } from 'fastify'
import { version } from '../base/version.ts'
import { noCompilers } from './compilers.ts'
import { methodsOf } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { operationOf } from './operation.ts'
import { namedIn } from './schemas.ts'

/**
 * Makes the OpenAPI document of the rows. It adds them, with their schemas, to a server that never
 * listens. The schemas only document: bodies and parameters are validated by their own readers, whose
 * texts clients know.
 */
export async function openApiDocument(rows: readonly Endpoint<never>[]): Promise<object> {
  const app = fastify({ exposeHeadRoutes: false, schemaController: noCompilers })
  for (const [name, schema] of namedIn(rows.map(({ answer }) => answer))) {
    app.addSchema({ $id: name, ...schema })
  }
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
    transform: ({ schema, url }) => ({ schema, url: url.replace(/:(\w+)/, '{$1}') }),
  })
  for (const row of rows) {
    for (const method of methodsOf(row)) {
      const methods = method === 'GET' ? [method, 'HEAD'] : [method]
      const url = row.path.replace(/\{(\w+)\}/, ':$1')
      app.route({ method: methods, url, schema: operationOf(method, row), handler: noAnswer })
    }
  }
  await app.ready()
  const document = app.swagger()
  await app.close()
  return document
}

async function noAnswer(): Promise<void> {}

function nameOf(id: unknown, n: number): string {
  return typeof id === 'string' ? id : `def-${n}`
}
