import type { FastifyRequest } from 'fastify'
import { parseDuration } from '../base/duration.ts'
import { svcdError } from '../base/errors.ts'
import type { Identity } from '../ports/identity.ts'

/** A decoded query string: repeated parameters are lists. */
export type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>

export function parametersOf(request: FastifyRequest): Parameters {
  return request.query as Parameters
}

/** The first value of a parameter, as Go's Query().Get; undefined when it is absent. */
export function parameter(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name]
  return typeof value === 'string' || value === undefined ? value : value[0]
}

export function allParameters(parameters: Parameters, name: string): readonly string[] {
  const value = parameters[name]
  if (value === undefined) return []
  return typeof value === 'string' ? [value] : value
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
])

/** Parses like Go's strconv.ParseBool; undefined if the value is neither true nor false. */
export function parsedBoolean(value: string): boolean | undefined {
  return booleans.get(value)
}

/** A flag whose bare presence (`?passing`, `?passing=`) means true. */
export function flagParameter(parameters: Parameters, name: string): boolean {
  const value = parameter(parameters, name)
  if (value === undefined) return false
  if (value === '') return true
  const flag = parsedBoolean(value)
  if (flag === undefined) {
    throw svcdError('parameter-not-boolean', { name, value: JSON.stringify(value) })
  }
  return flag
}

/** Refuses a datacenter that is not this one. */
export function checkDatacenter(asked: string | undefined, identity: Identity): void {
  if (asked === undefined || asked === '') return
  if (asked.toLowerCase() !== identity.datacenter.toLowerCase()) {
    throw svcdError('no-path-to-datacenter', {})
  }
}

export type Consistency = 'leader' | 'stale' | 'consistent'

/** The options of every read of the catalog. */
export interface ReadOptions {
  readonly consistency: Consistency
  /** 0 = answer immediately. */
  readonly index: number
  /** 0 = the default. */
  readonly waitMs: number
}

// Ignoring one of these would silently return rows that the client did not ask for.
const enterprise = ['ns', 'partition', 'samenessGroup', 'sameness-group'] as const

export function readOptions(parameters: Parameters, identity: Identity): ReadOptions {
  const peer = parameter(parameters, 'peer') ?? ''
  if (peer !== '') throw svcdError('no-peering', { name: 'peer' })
  for (const name of enterprise) {
    const value = parameter(parameters, name) ?? ''
    if (value !== '' && value !== 'default') throw svcdError('no-namespaces', { name })
  }
  const segment = parameter(parameters, 'segment') ?? ''
  if (segment !== '' && segment !== '_all') throw svcdError('no-segments', {})
  checkDatacenter(parameter(parameters, 'dc') ?? parameter(parameters, 'datacenter'), identity)
  return {
    consistency: consistencyOf(parameters),
    index: indexOf(parameter(parameters, 'index')),
    waitMs: waitOf(parameter(parameters, 'wait')),
  }
}

// As in Consul, the presence of these counts; the value is ignored.
function consistencyOf(parameters: Parameters): Consistency {
  const { stale, consistent, cached, leader } = parameters
  const maxStale = parameter(parameters, 'max_stale')
  if (maxStale !== undefined && maxStale !== '' && parseDuration(maxStale) === undefined) {
    throw svcdError('invalid-max-stale', { value: maxStale })
  }
  const isStale = stale !== undefined || (maxStale !== undefined && maxStale !== '')
  const a = isStale ? 'stale' : 'cached'
  if (consistent !== undefined && (isStale || cached !== undefined)) {
    throw svcdError('conflicting-parameters', { a, b: 'consistent' })
  }
  if (leader !== undefined && isStale) throw svcdError('conflicting-parameters', { a, b: 'leader' })
  if (consistent !== undefined) return 'consistent'
  return isStale ? 'stale' : 'leader'
}

function indexOf(value: string | undefined): number {
  if (value === undefined || value === '') return 0
  if (!/^\d{1,20}$/.test(value)) throw svcdError('invalid-index', { value })
  return Number(value)
}

function waitOf(value: string | undefined): number {
  if (value === undefined || value === '') return 0
  const waitMs = parseDuration(value)
  if (waitMs === undefined || waitMs < 0) throw svcdError('invalid-wait', { value })
  return waitMs
}

/** The `node-meta=key:value` filters; a node must match all. */
export function nodeMetaFilter(
  parameters: Parameters,
): ((meta: Readonly<Record<string, string>>) => boolean) | undefined {
  const pairs = allParameters(parameters, 'node-meta').map((pair) => {
    const colon = pair.indexOf(':')
    return colon < 0
      ? ([pair, ''] as const)
      : ([pair.slice(0, colon), pair.slice(colon + 1)] as const)
  })
  if (pairs.length === 0) return undefined
  return (meta) => pairs.every(([key, value]) => Object.hasOwn(meta, key) && meta[key] === value)
}

/** The `tag` filters; an instance must have all these tags, in any case. */
export function tagFilter(
  parameters: Parameters,
): ((tags: readonly string[]) => boolean) | undefined {
  const wanted = allParameters(parameters, 'tag').filter((tag) => tag !== '')
  if (wanted.length === 0) return undefined
  const lower = wanted.map((tag) => tag.toLowerCase())
  return (tags) => lower.every((tag) => tags.some((own) => own.toLowerCase() === tag))
}
