import { judge } from '../health/judge.ts'
import type { Candidate, Verdict } from '../health/judge.ts'
import type { ServiceQuery } from '../state/query/model.ts'

/** An instance, as far as a query looks at it. */
export interface Choosable extends Candidate {
  readonly service: Candidate['service'] & {
    readonly tags: readonly string[]
    readonly meta: Readonly<Record<string, string>>
  }
}

type Meta = Readonly<Record<string, string>>

/**
 * Which instances a query chooses: undefined for those that it leaves out, otherwise their verdict, by the
 * checks that count for the query. `nodeMeta` is only called if the query asks for it.
 */
export function chooserOf(
  query: ServiceQuery,
): (instance: Choosable, nodeMeta: () => Meta) => Verdict | undefined {
  const ignored = new Set(query.ignoreCheckIds)
  const hasTags = tagsOf(query.tags ?? [])
  const ofService = metaOf(query.serviceMeta ?? {})
  const ofNode = metaOf(query.nodeMeta ?? {})
  const { onlyPassing } = query
  // It asks for members of a service mesh, and there is none.
  if (query.connect) return () => undefined
  return (instance, nodeMeta) => {
    const { service } = instance
    if (!hasTags(service.tags) || ofService?.(service.meta) === false) return undefined
    if (ofNode?.(nodeMeta()) === false) return undefined
    const checks =
      ignored.size === 0
        ? instance.checks
        : instance.checks.filter(({ checkId }) => !ignored.has(checkId))
    const verdict = judge({ service, checks }, { onlyPassing })
    return verdict.inAnswer ? verdict : undefined
  }
}

/** All of them in any case, and none of those with `!` in front. */
function tagsOf(wanted: readonly string[]): (tags: readonly string[]) => boolean {
  if (wanted.length === 0) return () => true
  const lower = wanted.map((tag) => tag.toLowerCase())
  const required = lower.filter((tag) => !tag.startsWith('!'))
  const refused = lower.filter((tag) => tag.startsWith('!')).map((tag) => tag.slice(1))
  return (tags) => {
    const own = new Set(tags.map((tag) => tag.toLowerCase()))
    return required.every((tag) => own.has(tag)) && !refused.some((tag) => own.has(tag))
  }
}

function metaOf(wanted: Meta): ((meta: Meta) => boolean) | undefined {
  const pairs = Object.entries(wanted)
  if (pairs.length === 0) return undefined
  return (meta) => pairs.every(([key, value]) => Object.hasOwn(meta, key) && meta[key] === value)
}

/** The near ones first; the others keep their order. `node` in any case; undefined or '': none is near. */
export function nearFirst<T>(
  instances: readonly T[],
  nodeOf: (instance: T) => string,
  node: string | undefined,
): { readonly ordered: readonly T[]; readonly near: number } {
  if (node === undefined || node === '') return { ordered: instances, near: 0 }
  const key = node.toLowerCase()
  const near = instances.filter((instance) => nodeOf(instance).toLowerCase() === key)
  if (near.length === 0) return { ordered: instances, near: 0 }
  const others = instances.filter((instance) => nodeOf(instance).toLowerCase() !== key)
  return { ordered: [...near, ...others], near: near.length }
}
