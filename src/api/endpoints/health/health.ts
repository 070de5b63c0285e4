import { endpoint } from '../../context.ts'
import type { ApiEndpoint } from '../../context.ts'
import { nodeAndService } from '../../../http/permissions.ts'
import * as query from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import { checkRow, instanceRow } from '../../../http/row-schemas.ts'
import { list, object, orNull, text, textMap, texts, whole } from '../../../http/schemas.ts'
import { meshOfHealth } from '../catalog/mesh.ts'
import { named } from '../catalog/questions.ts'
import { checksInState, nodeChecks, serviceChecks, serviceHealth } from './questions.ts'
import { nodeSummaries } from './node-summary.ts'
import { serviceSummaries } from './summary.ts'

const countsOfInstances = { Passing: whole, Warning: whole, Critical: whole, Maintenance: whole }

const reason = orNull(
  object({ Node: text, CheckID: text, Status: text, Output: text, ModifyIndex: whole }),
)

const summaryRow = object({ Name: text, Tags: texts, ...countsOfInstances, Reason: reason })

const nodeSummaryRow = object({
  Node: text,
  ID: text,
  Address: text,
  Meta: textMap,
  Status: text,
  ...countsOfInstances,
  Reason: reason,
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
      ...query.listQuery,
    },
    answer: list(summaryRow),
    handle: reads((context, parameters) => serviceSummaries(parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/health/node-summary',
    permission: nodeAndService.read,
    summary: 'Describe the health of each node, and count the instances on it by health',
    query: query.listQuery,
    answer: list(nodeSummaryRow),
    handle: reads((context, parameters) => nodeSummaries(parameters, context)),
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
