import type { Viewer } from '../../../access/viewer.ts'
import { svcdError } from '../../../base/errors.ts'
import { rowsOf } from '../../../http/answer.ts'
import type { Answer } from '../../../http/answer.ts'
import { filterOf, nodeFields, serviceNodeFields } from '../../../http/filters.ts'
import { nodeMetaFilter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import { checkJson, nodeJson, nodeServiceJson, serviceNodeJson } from '../../../http/encode.ts'
import { nodeAndService } from '../../../http/permissions.ts'
import * as query from '../../../http/query-docs.ts'
import { reads } from '../../../http/read.ts'
import type { Question } from '../../../http/renderer.ts'
import { sendJson } from '../../../http/reply.ts'
import { list, opaque } from '../../../http/schemas.ts'
import { UiService, uiNodeJson, uiNodeRow, uiServiceRow } from '../../../http/ui-rows.ts'
import type { Node } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { subject } from '../../../state/catalog/subjects.ts'
import { endpoint } from '../../context.ts'
import type { ApiEndpoint } from '../../context.ts'
import { findNode, ofNode } from '../catalog/questions.ts'
import type { CatalogContext } from '../catalog/questions.ts'

type CatalogQuestion = Question<CatalogReader>

/** internal/ui: the lists that the web UI of Consul shows, and what else its pages of a service and a node ask for. */
export const internalEndpoints: readonly ApiEndpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/internal/ui/services',
    permission: nodeAndService.read,
    summary: "List the services as Consul's web UI shows them",
    query: query.listQuery,
    answer: list(uiServiceRow),
    handle: reads((context, parameters) => uiServices(parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/internal/ui/nodes',
    permission: nodeAndService.read,
    summary: 'List the nodes with all services and checks on them',
    query: query.listQuery,
    answer: list(uiNodeRow),
    handle: reads((context, parameters) => uiNodes(parameters, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/internal/ui/node/{node}',
    permission: nodeAndService.read,
    summary: 'Read a node with all services and checks on it',
    query: query.readQuery,
    answer: uiNodeRow,
    errors: [404],
    handle: reads((context, _parameters, name) => uiNode(name, context)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/coordinate/nodes',
    permission: { none: 'there are no coordinates' },
    summary: 'List the network coordinates of the nodes (always none)',
    query: query.dc,
    answer: list(opaque),
    handle: async (_context, request, reply) => sendJson(request, reply, []),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/discovery-chain/{service}',
    permission: { resource: 'service', access: 'read', name: 'argument' },
    summary: 'Read the discovery chain of a service (always refused)',
    query: query.dc,
    async handle() {
      throw svcdError('connect-disabled', {})
    },
  }),
]

function uiServices(
  parameters: Parameters,
  { identity, catalog: state }: CatalogContext,
): CatalogQuestion {
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, serviceNodeFields)
  function* rows(catalog: CatalogReader, viewer: Viewer): Generator<object | undefined, void> {
    const sees = (name: string): boolean => viewer.sees('service', name)
    for (const key of catalog.pages.serviceKeys()) {
      const byName = new Map<string, UiService>()
      for (const instance of catalog.pages.instances(key)) {
        const { node, service } = instance
        const isKept =
          viewer.seesInstance(node.name, service.name) &&
          (hasMeta?.(node.meta) ?? true) &&
          (filter?.(serviceNodeJson(instance, identity.datacenter)) ?? true)
        yield undefined
        if (!isKept) continue
        const known = byName.get(service.name) ?? new UiService(service.name)
        known.add(instance, sees)
        byName.set(service.name, known)
      }
      for (const each of byName.values()) yield each.json()
    }
  }
  return {
    state,
    subject: subject.anything,
    answer: (catalog, viewer) => ({ kind: 'list', rows: rows(catalog, viewer) }),
  }
}

function uiNodes(
  parameters: Parameters,
  { identity, catalog: state }: CatalogContext,
): CatalogQuestion {
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, nodeFields)
  function* rows(catalog: CatalogReader, viewer: Viewer): Generator<object | undefined, void> {
    for (const node of catalog.pages.nodes()) {
      const isKept =
        viewer.sees('node', node.name) &&
        (hasMeta?.(node.meta) ?? true) &&
        (filter?.(nodeJson(node, identity.datacenter)) ?? true)
      yield isKept ? yield* nodeRow(catalog, viewer, node) : undefined
    }
  }
  return {
    state,
    subject: subject.anything,
    answer: (catalog, viewer) => ({ kind: 'list', rows: rows(catalog, viewer) }),
  }
}

/** Of an unknown node: 404 without a text, as in Consul. */
function uiNode(asked: string, context: CatalogContext): CatalogQuestion {
  if (asked === '') throw svcdError('missing-name', { what: 'node name' })
  const missing: Answer = { kind: 'nothing' }
  return {
    ...ofNode(context, asked, missing),
    answer: (catalog, viewer) => {
      const node = findNode(catalog, asked)
      if (node === undefined || !viewer.sees('node', node.name)) return missing
      const own = Object.entries(uiNodeJson(node))
      return {
        kind: 'object',
        fields: [
          ...own.map(([key, value]) => [key, { kind: 'value', value }] as const),
          ['Services', { kind: 'list', rows: servicesOf(catalog, viewer, node) }],
          ['Checks', { kind: 'list', rows: checksOf(catalog, viewer, node) }],
        ],
      }
    },
  }
}

/** Pauses after each row, because there may be thousands on one node. */
function* nodeRow(
  catalog: CatalogReader,
  viewer: Viewer,
  node: Node,
): Generator<undefined, object> {
  return {
    ...uiNodeJson(node),
    Services: yield* collected(servicesOf(catalog, viewer, node)),
    Checks: yield* collected(checksOf(catalog, viewer, node)),
  }
}

function* collected(rows: Iterable<object | undefined>): Generator<undefined, readonly object[]> {
  const all: object[] = []
  for (const row of rows) {
    if (row !== undefined) all.push(row)
    yield undefined
  }
  return all
}

function servicesOf(catalog: CatalogReader, viewer: Viewer, { name: node }: Node) {
  return rowsOf(catalog.pages.servicesOfNode(node), (service) =>
    viewer.sees('service', service.name) ? nodeServiceJson(service) : undefined,
  )
}

function checksOf(catalog: CatalogReader, viewer: Viewer, { name: node }: Node) {
  return rowsOf(catalog.pages.checksOfNode(node), (check) =>
    viewer.seesCheck(node, check.serviceName) ? checkJson(check) : undefined,
  )
}
