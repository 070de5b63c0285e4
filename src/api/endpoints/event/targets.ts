import { reach } from '../../../http/consistency.ts'
import type { ApiContext } from '../../context.ts'
import type { CatalogReader } from '../../../state/catalog/query.ts'
import { serverMembers } from '../agent/members.ts'
import type { Filter } from './choice.ts'

export interface Filters {
  readonly node: Filter | undefined
  readonly service: Filter | undefined
  readonly tag: Filter | undefined
}

/**
 * The names of the nodes that an event is for, as the filters choose them now; undefined: all nodes. Only
 * nodes with an agent count, because only agents tell of events. That is decided once, when an event is
 * fired: an event that came and went with a service would reach its readers late, or twice.
 */
export async function targetsOf(
  context: ApiContext,
  { node, service, tag }: Filters,
): Promise<readonly string[] | undefined> {
  if (node === undefined && service === undefined) return undefined
  // A service that was registered before, on whatever server, must be seen.
  await reach(context, 'leader')
  const names = serverMembers(context)
    .map(({ name }) => name)
    .filter((name) => name !== '' && (node?.matches(name) ?? true))
  if (service === undefined) return names
  return context.catalog.readSliced((catalog) => nodesWith(catalog, names, service, tag))
}

/** Pauses after each service: there may be thousands, and a filter takes its time. */
function* nodesWith(
  catalog: CatalogReader,
  names: readonly string[],
  service: Filter,
  tag: Filter | undefined,
): Generator<void, readonly string[]> {
  const found: string[] = []
  for (const name of names) {
    for (const { name: own, tags } of catalog.pages.servicesOfNode(name)) {
      const isFound = service.matches(own) && (tag === undefined || tags.some(tag.matches))
      if (isFound) found.push(name)
      yield
      if (isFound) break
    }
  }
  return found
}
