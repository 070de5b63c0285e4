import { reach } from '../../http/consistency.ts'
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
  const [isNamed, isTagged] = [remembered(service), tag && remembered(tag)]
  return context.catalog.readSliced((catalog) => nodesWith(catalog, names, isNamed, isTagged))
}

type Test = (text: string) => boolean

/** Pauses after each service: there may be thousands, and a filter takes its time. */
function* nodesWith(
  catalog: CatalogReader,
  names: readonly string[],
  isNamed: Test,
  isTagged: Test | undefined,
): Generator<void, readonly string[]> {
  const found: string[] = []
  for (const name of names) {
    for (const { name: service, tags } of catalog.pages.servicesOfNode(name)) {
      const isFound = isNamed(service) && (isTagged === undefined || tags.some(isTagged))
      if (isFound) found.push(name)
      yield
      if (isFound) break
    }
  }
  return found
}

/** Most services have the name, and the tags, of another one. */
function remembered({ matches }: Filter): Test {
  const known = new Map<string, boolean>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const result = matches(text)
    known.set(text, result)
    return result
  }
}
