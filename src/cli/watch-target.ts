import { queryOf } from '../client/client.ts'
import { svcdError } from '../base/errors.ts'
import { listOptions, type ReadOptions } from './new-command.ts'
import type { WatchedKind } from './watched-rows.ts'

export interface WatchOptions extends ReadOptions {
  readonly service?: string
  readonly services?: boolean
  readonly nodes?: boolean
  readonly node?: string
  readonly checks?: boolean
  readonly state?: string
  readonly passing?: boolean
  readonly tag?: readonly string[]
}

/** The target of a watch: a path below /v1/watch/. */
export interface WatchTarget {
  readonly kind: WatchedKind
  readonly path: string
}

/** The target that the options name. Throws `usage` if they name none or several. */
export function watchTarget(options: WatchOptions): WatchTarget {
  const { service, services, nodes, node, checks, passing, tag: tags } = options
  const ofChecks = checks === true
  const kinds = { services, nodes, checks, ...(!ofChecks && { service, node }) }
  const given = Object.entries(kinds).filter(([, value]) => value !== undefined)
  const [kind, value] = given[0] ?? []
  if (given.length !== 1 || kind === undefined) {
    throw usage('Use one of --service NAME, --services, --nodes, --node NAME and --checks.')
  }
  if ((passing === true || tags !== undefined) && kind !== 'service') {
    throw usage('--passing and --tag select instances of a service; use them with --service NAME.')
  }
  if (options.state !== undefined && !ofChecks) throw usage('Use --state only with --checks.')
  const query = queryOf({ ...listOptions(options), passing, tags })
  if (ofChecks) return { kind: 'checks', path: `checks${withChecksOf(options, query)}` }
  // A name, or `true` of an option without a value.
  const name = typeof value === 'string' ? `/${encodeURIComponent(value)}` : ''
  return { kind: kind as WatchedKind, path: `${kind}${name}${query}` }
}

function withChecksOf({ service, node, state }: WatchOptions, query: string): string {
  const given = Object.entries({ service, node, state }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  if (given.length > 1) throw usage('With --checks use only one of --service, --node and --state.')
  const parameters = new URLSearchParams(query)
  for (const [name, value] of given) parameters.set(name, value)
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}

function usage(reason: string): Error {
  return svcdError('usage', { reason: `${reason} See \`svcd watch --help\`.` })
}
