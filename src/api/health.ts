import type { FastifyInstance } from 'fastify'
import { svcdError } from '../base/errors.ts'
import type { Check } from '../catalog/model.ts'
import type { CatalogReader } from '../catalog/query.ts'
import { subject } from '../catalog/versions.ts'
import { select } from '../health/select.ts'
import { answerRead } from './catalog-read.ts'
import type { ReadContext } from './catalog-read.ts'
import { findNode } from './catalog.ts'
import { checkJson, instanceJson } from './encode.ts'
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
  const { datacenter } = context.backend.identity

  addRoute(app, 'GET', `${paths.service}*`, (request, reply) => {
    const name = required(tailOf(request, paths.service), 'service name')
    const parameters = parametersOf(request)
    const onlyPassing = flagParameter(parameters, 'passing')
    const hasTags = tagFilter(parameters)
    const hasMeta = nodeMetaFilter(parameters)
    return answerRead(context, request, reply, {
      subject: subject.service(name),
      query: (catalog) =>
        select(catalog.instances(name), { onlyPassing: false })
          .filter(({ verdict }) => !onlyPassing || verdict.passing)
          .map(({ instance }) => instance)
          .filter(({ service }) => hasTags?.(service.tags) ?? true)
          .filter(({ node }) => hasMeta?.(node.meta) ?? true)
          .map((instance) => instanceJson(instance, datacenter)),
    })
  })

  addRoute(app, 'GET', `${paths.node}*`, (request, reply) => {
    const name = required(tailOf(request, paths.node), 'node name')
    const nodeName = context.backend.read((catalog) => findNode(catalog, name)?.name ?? name)
    return answerRead(context, request, reply, {
      subject: subject.node(nodeName),
      query: (catalog) => catalog.checksOfNode(nodeName).map(checkJson),
    })
  })

  addRoute(app, 'GET', `${paths.checks}*`, (request, reply) => {
    const name = required(tailOf(request, paths.checks), 'service name')
    const parameters = parametersOf(request)
    return answerRead(context, request, reply, {
      subject: subject.service(name),
      query: (catalog) => checksJson(catalog, catalog.checksOfService(name), parameters),
    })
  })

  addRoute(app, 'GET', `${paths.state}*`, (request, reply) => {
    const state = required(tailOf(request, paths.state), 'check state')
    const parameters = parametersOf(request)
    return answerRead(context, request, reply, {
      subject: subject.checks,
      query: (catalog) => checksJson(catalog, checksInState(catalog, state), parameters),
    })
  })
}

function required(value: string, what: string): string {
  if (value !== '') return value
  throw what === 'service name'
    ? svcdError('missing-service-name', {})
    : svcdError('missing-name', { what })
}

/** A state that no check can be in has no checks. */
function checksInState(catalog: CatalogReader, state: string): readonly Check[] {
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
