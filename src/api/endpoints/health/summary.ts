import type { Viewer } from '../../../access/viewer.ts'
import type { Node, Service } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { subject } from '../../../state/catalog/subjects.ts'
import { judge } from '../../../health/judge.ts'
import type { AggregatedStatus, JudgedCheck } from '../../../health/judge.ts'
import type { CatalogContext } from '../catalog/questions.ts'
import { serviceNodeJson } from '../../../http/encode.ts'
import { filterOf, serviceNodeFields } from '../../../http/filters.ts'
import { nodeMetaFilter, parameter, tagFilter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'
import type { Question } from '../../../http/renderer.ts'
import { isWorse, reasonJson } from './reason.ts'
import type { Reason } from './reason.ts'
import { KeptRows } from './kept-rows.ts'

/** An answer is written in slices, between rows: those of one service may be thousands. */
const instancesPerStep = 100

/** One instance, as far as a summary looks at it. */
interface Counted {
  readonly node: string
  readonly service: Pick<Service, 'tags' | 'weights'>
  readonly checks: readonly JudgedCheck[]
}

/**
 * health/summary: every service with its tags, how many of its instances are in which health, and the check that
 * decides about the worst of them; svcd's own. `node`, `tag`, `node-meta` and `filter` choose the instances that count.
 */
export function serviceSummaries(
  parameters: Parameters,
  context: CatalogContext,
): Question<CatalogReader> {
  const instancesOf = instanceReader(parameters, context)
  const hasTags = tagFilter(parameters)
  const isWhole = !selecting.some((name) => parameters[name] !== undefined)
  const keptFor = (viewer: Viewer): KeptRows =>
    new KeptRows(context.catalog, {
      subject: subject.services,
      keys: (catalog) => catalog.pages.serviceKeys(),
      subjectOf: subject.service,
      make: (catalog, key) => rowOf(catalog, viewer, key),
    })
  let own: KeptRows | undefined
  return {
    state: context.catalog,
    subject: subject.anything,
    answer: (catalog, viewer, since) => ({ kind: 'list', rows: rowsFor(catalog, viewer, since) }),
  }

  /** Rows are kept for all who see everything, and by a stream for its own readers. */
  function rowsFor(
    catalog: CatalogReader,
    viewer: Viewer,
    since: number | undefined,
  ): Iterable<object | undefined> {
    if (isWhole && seesAll(viewer)) {
      return keptOnce(context.catalog, () => keptFor(viewer)).read(catalog, since)
    }
    return since === undefined
      ? rows(catalog, viewer)
      : (own ??= keptFor(viewer)).read(catalog, since)
  }

  function* rows(catalog: CatalogReader, viewer: Viewer): Generator<object | undefined, void> {
    for (const key of catalog.pages.serviceKeys()) yield yield* rowOf(catalog, viewer, key)
  }

  /** `key`: the name in lower case, by which instances of all its spellings are found. */
  function* rowOf(
    catalog: CatalogReader,
    viewer: Viewer,
    key: string,
  ): Generator<undefined, object | undefined> {
    // Rules distinguish spellings, so the viewer gets a spelling that it may read.
    const seen = catalog.spellingsOf(key).filter((name) => viewer.sees('service', name))
    const [name] = seen.toSorted()
    if (name === undefined) return undefined
    const counts = { passing: 0, warning: 0, critical: 0, maintenance: 0 }
    const tags = new Set<string>()
    let worst: Reason | undefined
    let looked = 0
    for (const instance of instancesOf(catalog, key, viewer)) {
      if (++looked % instancesPerStep === 0) yield undefined
      if (hasTags?.(instance.service.tags) === false) continue
      const { status, checkId } = judge(instance, { onlyPassing: false })
      counts[status]++
      if (isWorse(status, worst?.status)) worst = { node: instance.node, checkId, status }
      for (const tag of instance.service.tags) tags.add(tag)
    }
    if (isEmpty(counts)) return undefined
    return summary(name, tags, counts, reasonJson(catalog, worst))
  }
}

/** The parameters that choose instances. */
const selecting = ['node', 'tag', 'node-meta', 'filter'] as const

const ofAll = new WeakMap<object, KeptRows>()

/** The rows for readers who may see everything. `state`: how the catalog is read. */
function keptOnce(state: object, make: () => KeptRows): KeptRows {
  const known = ofAll.get(state) ?? make()
  ofAll.set(state, known)
  return known
}

function seesAll({ caller: { rights } }: Viewer): boolean {
  return rights.allowsAll('node', 'read') && rights.allowsAll('service', 'read')
}

type Counts = Readonly<Record<AggregatedStatus, number>>

function isEmpty(counts: Counts): boolean {
  return Object.values(counts).every((count) => count === 0)
}

function summary(
  Name: string,
  tags: ReadonlySet<string>,
  counts: Counts,
  reason: object | null,
): object {
  return {
    Name,
    Tags: [...tags].toSorted(),
    Passing: counts.passing,
    Warning: counts.warning,
    Critical: counts.critical,
    Maintenance: counts.maintenance,
    Reason: reason,
  }
}

/** Whole rows are read only when something asks for what DNS does not need. */
function instanceReader(
  parameters: Parameters,
  { identity }: Pick<CatalogContext, 'identity'>,
): (catalog: CatalogReader, name: string, viewer: Viewer) => Iterable<Counted> {
  const node = parameter(parameters, 'node')?.toLowerCase()
  const hasMeta = nodeMetaFilter(parameters)
  const filter = filterOf(parameters, serviceNodeFields)
  const isOnNode = (name: string): boolean => node === undefined || name.toLowerCase() === node
  const isPlain = hasMeta === undefined && filter === undefined
  const plain = (catalog: CatalogReader, name: string): Iterable<Counted> =>
    catalog
      .candidates(name)
      .filter((candidate) => isOnNode(candidate.node))
      .map(({ node: of, service, checks }) => ({ node: of, service, checks }))
  const keeps = (of: Node, service: Service): boolean =>
    isOnNode(of.name) &&
    (hasMeta?.(of.meta) ?? true) &&
    (filter?.(serviceNodeJson({ node: of, service, checks: [] }, identity.datacenter)) ?? true)
  return (catalog, name, viewer) =>
    isPlain && seesAll(viewer) ? plain(catalog, name) : whole(catalog, name, viewer)

  function* whole(catalog: CatalogReader, name: string, viewer: Viewer): Generator<Counted, void> {
    for (const { node: of, service, checks } of catalog.pages.instances(name)) {
      if (!viewer.seesInstance(of.name, service.name)) continue
      if (keeps(of, service)) yield { node: of.name, service, checks }
    }
  }
}
