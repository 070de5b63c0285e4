import type { FastifyInstance } from 'fastify'
import type { Backend } from './backend.ts'
import { sendJson } from './reply.ts'
import { addRoute } from './route.ts'

/** agent/debug: what `svcd debug` puts into its bundle; svcd's own. */
export function addDebugRoutes(app: FastifyInstance, backend: Backend): void {
  addRoute(app, 'GET', '/v1/agent/debug', async (request, reply) => {
    const { config, raft, log, resources } = backend.diagnosis()
    return sendJson(request, reply, {
      Config: config,
      Raft: raft,
      Log: log,
      Resources: resources,
    })
  })
}
