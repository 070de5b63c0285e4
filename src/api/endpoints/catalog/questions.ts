import type { Viewer } from '../../../access/viewer.ts'
import { svcdError } from '../../../base/errors.ts'
import type { Instance, Node, Service } from '../../../state/catalog/model.ts'
import { addTags } from '../../../state/catalog/pages.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { subject } from '../../../state/catalog/subjects.ts'
import { rowsOf } from '../../../http/answer.ts'
import type { Answer } from '../../../http/answer.ts'
import type { Identity } from '../../../ports/identity.ts'
import type { FamilyReads } from '../../../ports/reads.ts'
import type { About, Question } from '../../../http/renderer.ts'
import { nodeJson, nodeServiceJson, serviceNodeJson } from '../../../http/encode.ts'
import { filterOf, nodeFields, serviceFields, serviceNodeFields } from '../../../http/filters.ts'
import { nodeMetaFilter, tagFilter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'

// What the reads of catalog/ ask: routes answer it once, streams at every change.

/** What questions about the catalog are made with. */
export interface CatalogContext {
  readonly identity: Pick<Identity, 'datacenter'>
  readonly catalog: FamilyReads<CatalogReader>
}

type CatalogQuestion = Question<CatalogReader>

/** catalog/nodes. */
export function allNodes(
  parameters: Parameters,
  { identity, catalog: state }: CatalogContext,
): CatalogQuestion {
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, nodeFields)
  const rowOf = (node: Node, viewer: Viewer): object | undefined => {
    if (!viewer.sees('node', node.name)) return undefined
    if (hasMeta?.(node.meta) === false) return undefined
    const row = nodeJson(node, identity.datacenter)
    return filter?.(row) === false ? undefined : row
  }
  return {
    state,
    subject: subject.nodes,
    answer: (catalog, viewer) => ({
      kind: 'list',
      rows: rowsOf(catalog.pages.nodes(), (node) => rowOf(node, viewer)),
    }),
  }
}

/** catalog/services: the names of all services, each with its tags. */
export function allServices(
  parameters: Parameters,
  { identity, catalog: state }: CatalogContext,
): CatalogQuestion {
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, serviceNodeFields)
  const isWhole = hasMeta === undefined && filter === undefined
  // A filter may compare fields of the node, and a caller who may not read the node must not learn them like that.
  const keeps = (node: Node, service: Service, viewer: Viewer): boolean =>
    viewer.seesInstance(node.name, service.name) &&
    (hasMeta?.(node.meta) ?? true) &&
    (filter?.(serviceNodeJson({ node, service, checks: [] }, identity.datacenter)) ?? true)
  return {
    state,
    subject: subject.services,
    answer: (catalog, viewer) => ({
      kind: 'map',
      entries: isWhole
        ? rowsOf(catalog.pages.serviceNames(), (entry) =>
            viewer.sees('service', entry[0]) ? entry : undefined,
          )
        : serviceNamesOf(catalog, (node, service) => keeps(node, service, viewer)),
    }),
  }
}

/** The names of the services that `keeps` keeps, in each spelling, with the union of their tags. */
function* serviceNamesOf(
  catalog: CatalogReader,
  keeps: (node: Node, service: Service) => boolean,
): Generator<readonly [string, readonly string[]] | undefined, void> {
  for (const key of catalog.pages.serviceKeys()) {
    const byName = new Map<string, Set<string>>()
    for (const { node, service } of catalog.pages.instances(key)) {
      if (keeps(node, service)) addTags(byName, service.name, service.tags)
      yield undefined
    }
    for (const [name, tags] of byName) yield [name, [...tags].toSorted()]
  }
}

/** Where the instances come from that an endpoint lists. */
export interface Source {
  readonly subject: string
  /** Of what they are. */
  readonly about: About
  /** Undefined: a long read continues. */
  instances(catalog: CatalogReader): Iterable<Instance | undefined>
}

/** The instances of a service. Throws `missing-service-name`. */
export function named(name: string): Source {
  if (name === '') throw svcdError('missing-service-name', {})
  return {
    subject: subject.service(name),
    about: { resource: 'service', name, missing: { kind: 'list', rows: [] } },
    instances: (catalog) => catalog.pages.instances(name),
  }
}

/** catalog/service: instances, whatever their health. */
export function serviceNodes(
  source: Source,
  parameters: Parameters,
  { identity, catalog: state }: CatalogContext,
): CatalogQuestion {
  const hasTags = tagFilter(parameters)
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, serviceNodeFields)
  return {
    state,
    subject: source.subject,
    about: source.about,
    answer: (catalog, viewer) => ({
      kind: 'list',
      rows: rowsOf(source.instances(catalog), (instance) => {
        if (!viewer.seesInstance(instance.node.name, instance.service.name)) return undefined
        if (hasTags?.(instance.service.tags) === false) return undefined
        if (hasMeta?.(instance.node.meta) === false) return undefined
        const row = serviceNodeJson(instance, identity.datacenter)
        return filter?.(row) === false ? undefined : row
      }),
    }),
  }
}

/** catalog/node: a node with a map of its services; null when there is none. */
export function nodeWithServices(
  asked: string,
  parameters: Parameters,
  context: CatalogContext,
): CatalogQuestion {
  const rowOf = nodeServiceRow(asked, parameters)
  return {
    ...ofNode(context, asked, { kind: 'value', value: null }),
    answer: (catalog, viewer) => {
      const node = findNode(catalog, asked)
      if (node === undefined || !viewer.sees('node', node.name)) {
        return { kind: 'value', value: null }
      }
      const entries = rowsOf(catalog.pages.servicesOfNode(node.name), (service) => {
        if (!viewer.sees('service', service.name)) return undefined
        const row = rowOf(service)
        return row === undefined ? undefined : ([service.id, row] as const)
      })
      const value = nodeJson(node, context.identity.datacenter)
      return {
        kind: 'object',
        fields: [
          ['Node', { kind: 'value', value }],
          ['Services', { kind: 'map', entries }],
        ],
      }
    },
  }
}

/** catalog/node-services: a node with a list of its services; both null when there is none. */
export function nodeServices(
  asked: string,
  parameters: Parameters,
  context: CatalogContext,
): CatalogQuestion {
  const rowOf = nodeServiceRow(asked, parameters)
  return {
    ...ofNode(context, asked, noNode),
    answer: (catalog, viewer) => {
      const node = findNode(catalog, asked)
      if (node === undefined || !viewer.sees('node', node.name)) return noNode
      const rows = rowsOf(catalog.pages.servicesOfNode(node.name), (service) =>
        viewer.sees('service', service.name) ? rowOf(service) : undefined,
      )
      const value = nodeJson(node, context.identity.datacenter)
      return {
        kind: 'object',
        fields: [
          ['Node', { kind: 'value', value }],
          ['Services', { kind: 'list', rows }],
        ],
      }
    },
  }
}

function nodeServiceRow(
  asked: string,
  parameters: Parameters,
): (service: Service) => object | undefined {
  if (asked === '') throw svcdError('missing-name', { what: 'node name' })
  const filter = filterOf(parameters, serviceFields)
  return (service) => {
    const row = nodeServiceJson(service)
    return filter?.(row) === false ? undefined : row
  }
}

const noNode: Answer = { kind: 'value', value: { Node: null, Services: null } }

/** What a question about a node has in common; `missing` is the answer if there is none. */
export function ofNode(
  { catalog: state }: CatalogContext,
  asked: string,
  missing: Answer,
): Pick<CatalogQuestion, 'state' | 'subject' | 'about'> & { readonly about: About } {
  const name = state.read((catalog) => findNode(catalog, asked)?.name ?? asked)
  return { state, subject: subject.node(name), about: { resource: 'node', name, missing } }
}

/** A node by its name, else by its whole ID. */
export function findNode(catalog: CatalogReader, asked: string): Node | undefined {
  const byName = catalog.node(asked)
  if (byName !== undefined || !isUuid(asked)) return byName
  return catalog.nodeById(asked.toLowerCase())
}

function isUuid(text: string): boolean {
  return text.length === 36 && text[8] === '-'
}
