import type { Viewer } from '../../../access/viewer.ts'
import { aggregatedStatus, judge } from '../../../health/judge.ts'
import type { AggregatedStatus } from '../../../health/judge.ts'
import { nodeJson } from '../../../http/encode.ts'
import { filterOf, nodeFields } from '../../../http/filters.ts'
import { nodeMetaFilter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import type { Question } from '../../../http/renderer.ts'
import type { Check, Node } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { subject } from '../../../state/catalog/subjects.ts'
import type { CatalogContext } from '../catalog/questions.ts'
import { KeptRows } from './kept-rows.ts'
import { reasonJson } from './reason.ts'

/** An answer is written in slices: the services of one node may be thousands. */
const servicesPerStep = 100

/**
 * health/node-summary: every node with the status of its own checks, and how many of the instances on it are in
 * which health; svcd's own. `node-meta` and `filter` choose the nodes.
 */
export function nodeSummaries(
  parameters: Parameters,
  { identity, catalog: state }: CatalogContext,
): Question<CatalogReader> {
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, nodeFields)
  const keeps = (node: Node, viewer: Viewer): boolean =>
    viewer.sees('node', node.name) &&
    (hasMeta?.(node.meta) ?? true) &&
    (filter?.(nodeJson(node, identity.datacenter)) ?? true)
  let kept: KeptRows | undefined
  return {
    state,
    subject: subject.anything,
    answer: (catalog, viewer, since) => ({
      kind: 'list',
      // A stream keeps rows for its own readers.
      rows: since === undefined ? rows(catalog, viewer) : keptFor(viewer).read(catalog, since),
    }),
  }

  function* rows(catalog: CatalogReader, viewer: Viewer): Generator<object | undefined, void> {
    for (const node of catalog.pages.nodes()) {
      yield keeps(node, viewer) ? yield* rowOf(catalog, viewer, node) : undefined
    }
  }

  function keptFor(viewer: Viewer): KeptRows {
    kept ??= new KeptRows(state, {
      subject: subject.nodes,
      keys: (catalog) => namesOf(catalog),
      subjectOf: subject.node,
      *make(catalog, name) {
        const node = catalog.node(name)
        if (node === undefined || !keeps(node, viewer)) return undefined
        return yield* rowOf(catalog, viewer, node)
      },
    })
    return kept
  }
}

function* namesOf(catalog: CatalogReader): Generator<string, void> {
  for (const { name } of catalog.pages.nodes()) yield name
}

function* rowOf(catalog: CatalogReader, viewer: Viewer, node: Node): Generator<undefined, object> {
  const counts: Record<AggregatedStatus, number> = {
    passing: 0,
    warning: 0,
    critical: 0,
    maintenance: 0,
  }
  const checks = checksByService(catalog, node.name)
  const own = checks.get('') ?? []
  let looked = 0
  for (const { id, name } of catalog.pages.servicesOfNode(node.name)) {
    if (++looked % servicesPerStep === 0) yield undefined
    if (!viewer.sees('service', name)) continue
    counts[aggregatedStatus([...(checks.get(id) ?? []), ...own])]++
  }
  const weights = { passing: 1, warning: 1 }
  const { status, checkId } = judge({ service: { weights }, checks: own }, { onlyPassing: false })
  const reason = status === 'passing' ? undefined : { node: node.name, checkId, status }
  return {
    Node: node.name,
    ID: node.id,
    Address: node.address,
    Meta: node.meta,
    Status: status,
    Passing: counts.passing,
    Warning: counts.warning,
    Critical: counts.critical,
    Maintenance: counts.maintenance,
    Reason: reasonJson(catalog, reason),
  }
}

/** The checks of a node by the service that they are of; '' for the node itself. */
function checksByService(catalog: CatalogReader, node: string): Map<string, Check[]> {
  const all = new Map<string, Check[]>()
  for (const check of catalog.pages.checksOfNode(node)) {
    const known = all.get(check.serviceId)
    if (known === undefined) all.set(check.serviceId, [check])
    else known.push(check)
  }
  return all
}
