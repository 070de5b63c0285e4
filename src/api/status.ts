import type { FastifyInstance } from 'fastify'
import type { Backend } from './backend.ts'
import { checkDatacenter, parameter, parametersOf } from './parameters.ts'
import { sendJson } from './reply.ts'
import { addRoute } from './route.ts'

/** status/*: what client libraries and the CLI use as a ping. */
export function addStatusRoutes(app: FastifyInstance, backend: Backend): void {
  addRoute(app, 'GET', '/v1/status/leader', async (request, reply) => {
    checkDatacenter(parameter(parametersOf(request), 'dc'), backend.identity)
    return sendJson(request, reply, backend.leader())
  })
  addRoute(app, 'GET', '/v1/status/peers', async (request, reply) => {
    checkDatacenter(parameter(parametersOf(request), 'dc'), backend.identity)
    return sendJson(request, reply, backend.peers())
  })
}
