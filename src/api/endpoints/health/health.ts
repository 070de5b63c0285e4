import type { FastifyInstance } from 'fastify'
import { writeAnswer } from '../../http/answer.ts'
import { named } from '../catalog/questions.ts'
import { answerRead } from '../../http/read.ts'
import type { ReadContext } from '../../http/read.ts'
import { reach } from '../../http/consistency.ts'
import { serviceSummaries } from './summary.ts'
import { checksInState, nodeChecks, serviceChecks, serviceHealth } from './questions.ts'
import { parametersOf, readOptions } from '../../http/parameters.ts'
import { isPretty, sendBody } from '../../http/reply.ts'
import { addRoute, tailOf } from '../../http/route.ts'
import { writeIfShort } from '../../http/sliced-answer.ts'

const paths = {
  service: '/v1/health/service/',
  node: '/v1/health/node/',
  checks: '/v1/health/checks/',
  state: '/v1/health/state/',
}

/** health/*: checks, and service instances judged by them. */
export function addHealthRoutes(app: FastifyInstance, context: ReadContext): void {
  addRoute(app, 'GET', '/v1/health/summary', async (request, reply) => {
    const { backend } = context
    const parameters = parametersOf(request)
    await reach(context, readOptions(parameters, backend.identity).consistency)
    const answer = serviceSummaries(parameters, backend)
    const pretty = isPretty(request)
    const short = backend.read((catalog) => writeIfShort(answer(catalog), pretty))
    const long = () => backend.readSliced((catalog) => writeAnswer(answer(catalog), pretty))
    return sendBody(request, reply, short ?? (await long()))
  })

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
