import type { FastifyInstance } from 'fastify'
import { named } from './catalog-questions.ts'
import { answerRead } from './catalog-read.ts'
import type { ReadContext } from './catalog-read.ts'
import { checksInState, nodeChecks, serviceChecks, serviceHealth } from './health-questions.ts'
import { parametersOf } from './parameters.ts'
import { addRoute, tailOf } from './route.ts'

const paths = {
  service: '/v1/health/service/',
  node: '/v1/health/node/',
  checks: '/v1/health/checks/',
  state: '/v1/health/state/',
}

/** health/*: checks, and service instances judged by them. */
export function addHealthRoutes(app: FastifyInstance, context: ReadContext): void {
  addRoute(app, 'GET', `${paths.service}*`, (request, reply) => {
    const name = tailOf(request, paths.service)
    const question = serviceHealth(named(name), parametersOf(request), context.backend)
    return answerRead(context, request, reply, question)
  })

  addRoute(app, 'GET', `${paths.node}*`, (request, reply) => {
    const question = nodeChecks(tailOf(request, paths.node), parametersOf(request), context.backend)
    return answerRead(context, request, reply, question)
  })

  addRoute(app, 'GET', `${paths.checks}*`, (request, reply) => {
    const question = serviceChecks(tailOf(request, paths.checks), parametersOf(request))
    return answerRead(context, request, reply, question)
  })

  addRoute(app, 'GET', `${paths.state}*`, (request, reply) => {
    const question = checksInState(tailOf(request, paths.state), parametersOf(request))
    return answerRead(context, request, reply, question)
  })
}
