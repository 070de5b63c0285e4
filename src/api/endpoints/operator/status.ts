import type { FastifyInstance } from 'fastify'
import type { Backend } from '../../../ports/backend.ts'
import { svcdError } from '../../../base/errors.ts'
import { allParameters, checkDatacenter, parameter, parametersOf } from '../../http/parameters.ts'
import type { Parameters } from '../../http/parameters.ts'
import { sendJson } from '../../http/reply.ts'
import { addRoute } from '../../http/route.ts'

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
  addRoute(app, 'GET', '/v1/status/times', async (request, reply) => {
    const entries = entriesOf(parametersOf(request))
    const { known, oldest, newest } = backend.read((catalog) => catalog.entryTimes(entries))
    return sendJson(request, reply, {
      Times: Object.fromEntries(known.map((time) => [String(time.index), timeText(time)])),
      Oldest: oldest === undefined ? '' : timeText(oldest),
      Newest: newest === undefined ? '' : timeText(newest),
    })
  })
}

const entriesMax = 1000

function entriesOf(parameters: Parameters): readonly number[] {
  const texts = allParameters(parameters, 'entry')
  const bad = texts.find((text) => !/^\d{1,15}$/.test(text))
  if (bad !== undefined) {
    const reason = `${JSON.stringify(bad)} is not a log index; use a ModifyIndex`
    throw svcdError('invalid-parameter', { name: 'entry', reason })
  }
  if (texts.length > entriesMax) {
    const reason = `a request may have at most ${entriesMax} entries`
    throw svcdError('invalid-parameter', { name: 'entry', reason })
  }
  return texts.map(Number)
}

function timeText({ timeMs }: { readonly timeMs: number }): string {
  return new Date(timeMs).toISOString()
}
