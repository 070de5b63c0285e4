import { Viewer } from '../../../access/viewer.ts'
import { endpoint } from '../../context.ts'
import type { ApiEndpoint } from '../../context.ts'
import { writeAnswer } from '../../../http/answer.ts'
import { reach } from '../../../http/consistency.ts'
import { readOptions } from '../../../http/parameters.ts'
import { nodeAndService } from '../../../http/permissions.ts'
import * as query from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import { isPretty, sendBody } from '../../../http/reply.ts'
import { tellFiltered } from '../../../http/requesters.ts'
import { checkRow, instanceRow } from '../../../http/row-schemas.ts'
import { list, object, text, texts, whole } from '../../../http/schemas.ts'
import { writeIfShort } from '../../../http/sliced-answer.ts'
import { meshOfHealth } from '../catalog/mesh.ts'
import { named } from '../catalog/questions.ts'
import { checksInState, nodeChecks, serviceChecks, serviceHealth } from './questions.ts'
import { serviceSummaries } from './summary.ts'

const summaryRow = object({
  Name: text,
  Tags: texts,
  Passing: whole,
  Warning: whole,
  Critical: whole,
  Maintenance: whole,
})

/** health/*: checks, and service instances judged by them. */
export const healthEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/health/summary',
    permission: nodeAndService.read,
    summary: 'Count the instances of each service by health',
    query: {
      node: { type: 'string', description: 'Return only entries of this node' },
      ...query.tag,
      ...query.filter,
      ...query.nodeMeta,
      ...query.consistency,
      ...query.pretty,
    },
    answer: list(summaryRow),
    async handle(context, request, reply) {
      const { catalog, identity } = context
      await reach(context, readOptions(request.query, identity).consistency)
      const answer = serviceSummaries(request.query, context)
      const pretty = isPretty(request)
      const viewer = new Viewer(context.requesterNow(request).caller)
      const short = catalog.read((reader) => writeIfShort(answer(reader, viewer), pretty))
      const long = () => catalog.readSliced((reader) => writeAnswer(answer(reader, viewer), pretty))
      const body = short ?? (await long())
      if (viewer.hasHidden) tellFiltered(request, reply)
      return sendBody(request, reply, body)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/health/service/{service}',
    permission: nodeAndService.read,
    summary: 'List the instances of a service with their checks',
    query: { ...query.passing, ...query.tag, ...query.listQuery, ...query.near },
    answer: list(instanceRow),
    handle: reads((context, parameters, name) => serviceHealth(named(name), parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/health/node/{node}',
    permission: nodeAndService.read,
    summary: 'List the checks of a node',
    query: { ...query.filter, ...query.readQuery },
    answer: list(checkRow),
    handle: reads((context, parameters, name) => nodeChecks(name, parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/health/checks/{service}',
    permission: nodeAndService.read,
    summary: 'List the checks of a service',
    query: { ...query.listQuery, ...query.near },
    answer: list(checkRow),
    handle: reads((context, parameters, name) => serviceChecks(name, parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/health/state/{state}',
    permission: nodeAndService.read,
    summary: 'List the checks in one state, or in any state',
    query: { ...query.listQuery, ...query.near },
    answer: list(checkRow),
    handle: reads((context, parameters, state) => checksInState(state, parameters, context)),
  }),
  ...meshOfHealth,
]
