import { keyInPath } from '../client/kv.ts'
import { eventQuery } from '../client/event.ts'
import { queryOf } from '../client/client.ts'
import { svcdError } from '../base/errors.ts'
import { withoutSlash } from './kv/kv-options.ts'
import { listOptions, type ReadOptions } from './new-command.ts'
import type { WatchedKind } from './watched-rows.ts'

export interface WatchOptions extends ReadOptions {
  readonly service?: string
  readonly services?: boolean
  readonly nodes?: boolean
  readonly node?: string
  readonly checks?: boolean
  readonly key?: string
  readonly prefix?: string
  readonly event?: string
  readonly events?: boolean
  readonly state?: string
  readonly passing?: boolean
  readonly tag?: readonly string[]
  // Of Consul's form.
  readonly type?: string
  readonly name?: string
  readonly passingonly?: string
  // Of a command.
  readonly shell?: boolean
  readonly exitOnFailure?: boolean
}

/** The target of a watch: a path below /v1/watch/. */
export interface WatchTarget {
  readonly kind: WatchedKind
  readonly path: string
}

/** The target that the options name. Throws `usage` if they name none or several. */
export function watchTarget(options: WatchOptions): WatchTarget {
  const { service, services, nodes, node, checks, key, prefix, event, events } = options
  const ofChecks = checks === true
  const kinds = { services, nodes, checks, ...(!ofChecks && { service, node }) }
  const all = { ...kinds, key, prefix, event, events }
  const given = Object.entries(all).filter(([, value]) => value !== undefined)
  const [kind, value] = given[0] ?? []
  if (given.length !== 1 || kind === undefined) {
    throw usage(
      'Use one of --service NAME, --services, --nodes, --node NAME, --checks, --key KEY, --prefix PREFIX, --event NAME and --events.',
    )
  }
  refuseStray(options, kind)
  if (kind === 'key') return keyTarget(String(value), options)
  if (kind === 'prefix') return prefixTarget(String(value), options)
  if (kind === 'event' || kind === 'events') return eventTarget(event, options)
  if (ofChecks) return checksTarget(options)
  // A name, or `true` of an option without a value.
  return catalogTarget(kind as CatalogKind, typeof value === 'string' ? value : undefined, options)
}

/** Refuses options that have no effect on what is watched. */
function refuseStray(options: WatchOptions, kind: string): void {
  const { passing, tag, state, filter, nodeMeta } = options
  if ((passing === true || tag !== undefined) && kind !== 'service') {
    throw usage('--passing and --tag select instances of a service; use them with --service NAME.')
  }
  if (state !== undefined && kind !== 'checks') throw usage('Use --state only with --checks.')
  const isOfCatalog = !['key', 'prefix', 'event', 'events'].includes(kind)
  if ((filter !== undefined || nodeMeta !== undefined) && !isOfCatalog) {
    throw usage('--filter and --node-meta do not select keys or events.')
  }
}

export function keyTarget(given: string, options: ReadOptions): WatchTarget {
  const key = withoutSlash(given)
  if (key === '') throw usage('Must specify a single key to watch.')
  return { kind: 'key', path: `key/${keyInPath(key)}${freshnessQuery(options)}` }
}

/** An empty prefix is that of the whole tree. */
export function prefixTarget(given: string, options: ReadOptions): WatchTarget {
  const path = `keyprefix/${keyInPath(withoutSlash(given))}${freshnessQuery(options)}`
  return { kind: 'keyprefix', path }
}

/** Events of one name, or of all. */
export function eventTarget(name: string | undefined, options: ReadOptions): WatchTarget {
  if (name === '') throw usage('The name of the event is empty.')
  return { kind: 'event', path: `event${eventQuery({ name, datacenter: options.datacenter })}` }
}

function freshnessQuery({ datacenter, stale }: ReadOptions): string {
  return queryOf({ datacenter, stale })
}

type CatalogKind = 'service' | 'services' | 'nodes' | 'node'

export function catalogTarget(
  kind: CatalogKind,
  name: string | undefined,
  options: WatchOptions,
): WatchTarget {
  const { passing, tag: tags } = options
  const query = queryOf({ ...listOptions(options), passing, tags })
  return {
    kind,
    path: `${kind}${name === undefined ? '' : `/${encodeURIComponent(name)}`}${query}`,
  }
}

/** All checks, or those of a service, of a node or in a state. */
export function checksTarget(options: WatchOptions): WatchTarget {
  const { service, node, state } = options
  const given = Object.entries({ service, node, state }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  if (given.length > 1) throw usage('With --checks use only one of --service, --node and --state.')
  const parameters = new URLSearchParams(queryOf(listOptions(options)))
  for (const [name, value] of given) parameters.set(name, value)
  const query = parameters.size === 0 ? '' : `?${parameters.toString()}`
  return { kind: 'checks', path: `checks${query}` }
}

export function usage(reason: string): Error {
  return svcdError('usage', { reason: `${reason} See \`svcd watch --help\`.` })
}
