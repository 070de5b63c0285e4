import type { FastifyInstance } from 'fastify'
import { svcdError } from '../base/errors.ts'
import type { Check } from '../catalog/model.ts'
import type { CatalogReader } from '../catalog/query.ts'
import { subject } from '../catalog/versions.ts'
import { select } from '../health/select.ts'
import type { Backend } from './backend.ts'
import { answerRead } from './catalog-read.ts'
import type { Question, ReadContext } from './catalog-read.ts'
import { findNode } from './catalog.ts'
import { checkJson, instanceJson } from './encode.ts'
import { checkFields, filtered, filterOf, instanceFields } from './filters.ts'
import { flagParameter, nodeMetaFilter, parametersOf, tagFilter } from './parameters.ts'
import type { Parameters } from './parameters.ts'
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
    const question = serviceHealth(name, parametersOf(request), context.backend)
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

/** health/service: the instances of a service with their checks. */
export function serviceHealth(name: string, parameters: Parameters, backend: Backend): Question {
  required(name, 'service name')
  const { datacenter } = backend.identity
  const onlyPassing = flagParameter(parameters, 'passing')
  const hasTags = tagFilter(parameters)
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, instanceFields)
  return {
    subject: subject.service(name),
    query: (catalog) => {
      const rows = select(catalog.instances(name), { onlyPassing: false })
        .filter(({ verdict }) => !onlyPassing || verdict.passing)
        .map(({ instance }) => instance)
        .filter(({ service }) => hasTags?.(service.tags) ?? true)
        .filter(({ node }) => hasMeta?.(node.meta) ?? true)
        .map((instance) => instanceJson(instance, datacenter))
      return filtered(rows, filter)
    },
  }
}

/** health/node: the checks of a node and of all that is on it. */
export function nodeChecks(asked: string, parameters: Parameters, backend: Backend): Question {
  required(asked, 'node name')
  const filter = filterOf(parameters, checkFields)
  const name = backend.read((catalog) => findNode(catalog, asked)?.name ?? asked)
  return {
    subject: subject.node(name),
    query: (catalog) => filtered(catalog.checksOfNode(name).map(checkJson), filter),
  }
}

/** health/checks: the checks of a service, on all nodes. */
export function serviceChecks(name: string, parameters: Parameters): Question {
  required(name, 'service name')
  const filter = filterOf(parameters, checkFields)
  return {
    subject: subject.service(name),
    query: (catalog) =>
      filtered(checksJson(catalog, catalog.checksOfService(name), parameters), filter),
  }
}

/** health/state: all checks of one state, or of `any`. */
export function checksInState(state: string, parameters: Parameters): Question {
  required(state, 'check state')
  const filter = filterOf(parameters, checkFields)
  return {
    subject: subject.checks,
    query: (catalog) =>
      filtered(checksJson(catalog, checksOfState(catalog, state), parameters), filter),
  }
}

function required(value: string, what: string): void {
  if (value !== '') return
  throw what === 'service name'
    ? svcdError('missing-service-name', {})
    : svcdError('missing-name', { what })
}

/** A state that no check can be in has no checks. */
function checksOfState(catalog: CatalogReader, state: string): readonly Check[] {
  switch (state) {
    case 'any':
    case 'passing':
    case 'warning':
    case 'critical':
      return catalog.checksInState(state)
    default:
      return []
  }
}

function checksJson(catalog: CatalogReader, checks: readonly Check[], parameters: Parameters) {
  const hasMeta = nodeMetaFilter(parameters)
  if (hasMeta === undefined) return checks.map(checkJson)
  const kept = new Map<string, boolean>()
  return checks
    .filter(({ node }) => {
      const known = kept.get(node) ?? hasMeta(catalog.node(node)?.meta ?? {})
      kept.set(node, known)
      return known
    })
    .map(checkJson)
}
