import type { Viewer } from '../../../access/viewer.ts'
import type { Node, Service } from '../../../state/catalog/model.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { aggregatedStatus } from '../../../health/judge.ts'
import type { AggregatedStatus, JudgedCheck } from '../../../health/judge.ts'
import type { Answer } from '../../../http/answer.ts'
import type { CatalogContext } from '../catalog/questions.ts'
import { serviceNodeJson } from '../../../http/encode.ts'
import { filterOf, serviceNodeFields } from '../../../http/filters.ts'
import { nodeMetaFilter, parameter, tagFilter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'

/** An answer is written in slices, between rows: those of one service may be thousands. */
const instancesPerStep = 100

/** One instance, as far as a summary looks at it. */
interface Counted {
  readonly tags: readonly string[]
  readonly checks: readonly JudgedCheck[]
}

/**
 * health/summary: every service with its tags and how many of its instances are in which health; svcd's
 * own. `node`, `tag`, `node-meta` and `filter` choose the instances that count.
 */
export function serviceSummaries(
  parameters: Parameters,
  context: Pick<CatalogContext, 'identity'>,
): (catalog: CatalogReader, viewer: Viewer) => Answer {
  const instancesOf = instanceReader(parameters, context)
  const hasTags = tagFilter(parameters)
  return (catalog, viewer) => ({ kind: 'list', rows: rows(catalog, viewer) })

  function* rows(catalog: CatalogReader, viewer: Viewer): Generator<object | undefined, void> {
    let last = ''
    for (const [Name] of catalog.pages.serviceNames()) {
      // Instances are found without regard to case.
      const key = Name.toLowerCase()
      if (key === last) continue
      // Rules distinguish spellings, so the viewer gets a spelling that it may read.
      if (!viewer.sees('service', Name)) {
        yield undefined
        continue
      }
      last = key
      const counts = { passing: 0, warning: 0, critical: 0, maintenance: 0 }
      const tags = new Set<string>()
      let looked = 0
      for (const instance of instancesOf(catalog, Name, viewer)) {
        if (++looked % instancesPerStep === 0) yield undefined
        if (hasTags?.(instance.tags) === false) continue
        counts[aggregatedStatus(instance.checks)]++
        for (const tag of instance.tags) tags.add(tag)
      }
      yield isEmpty(counts) ? undefined : summary(Name, tags, counts)
    }
  }
}

type Counts = Readonly<Record<AggregatedStatus, number>>

function isEmpty(counts: Counts): boolean {
  return Object.values(counts).every((count) => count === 0)
}

function summary(Name: string, tags: ReadonlySet<string>, counts: Counts): object {
  return {
    Name,
    Tags: [...tags].toSorted(),
    Passing: counts.passing,
    Warning: counts.warning,
    Critical: counts.critical,
    Maintenance: counts.maintenance,
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
      .map(({ service, checks }) => ({ tags: service.tags, checks }))
  const keeps = (of: Node, service: Service): boolean =>
    isOnNode(of.name) &&
    (hasMeta?.(of.meta) ?? true) &&
    (filter?.(serviceNodeJson({ node: of, service, checks: [] }, identity.datacenter)) ?? true)
  return (catalog, name, viewer) => {
    const { rights } = viewer.caller
    const isAll = rights.allowsAll('node', 'read') && rights.allowsAll('service', 'read')
    return isPlain && isAll ? plain(catalog, name) : whole(catalog, name, viewer)
  }

  function* whole(catalog: CatalogReader, name: string, viewer: Viewer): Generator<Counted, void> {
    for (const { node: of, service, checks } of catalog.pages.instances(name)) {
      if (!viewer.seesInstance(of.name, service.name)) continue
      if (keeps(of, service)) yield { tags: service.tags, checks }
    }
  }
}
