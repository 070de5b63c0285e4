import type { FastifyInstance } from 'fastify'
import type { AddedRoute } from './openapi-document.ts'
import { addRoute } from './route.ts'

/** A list that grows with every route added to `app` from now on. */
export function routesAddedTo(app: FastifyInstance): readonly AddedRoute[] {
  const routes: AddedRoute[] = []
  app.addHook('onRoute', ({ url, config }) => {
    for (const method of config?.methods ?? []) routes.push({ method, url })
  })
  return routes
}

/** Serves the document of `routes`. The first request makes it and loads the schemas. */
export function addOpenApiRoute(app: FastifyInstance, routes: readonly AddedRoute[]): void {
  let document: Promise<Buffer> | undefined
  const made = async (): Promise<Buffer> => {
    const { openApiDocument } = await import('./openapi-document.ts')
    return Buffer.from(JSON.stringify(await openApiDocument(routes)))
  }
  addRoute(app, 'GET', '/v1/openapi.json', async (_request, reply) => {
    document ??= made()
    return reply.header('content-type', 'application/json').send(await document)
  })
}
