import { nameOf, ownNode } from '../../helpers/plain-rules.ts'
import type { Access, Kind, May, Suffix } from '../../helpers/plain-rules.ts'
import { intentionPair } from './fuzz-world.ts'
import type { lowerSuffixes, World } from './fuzz-world.ts'

/** What a request is about. */
export interface Pick {
  readonly suffix: Suffix
  readonly other: Suffix
  /** Of nodes and queries. */
  readonly lower: (typeof lowerSuffixes)[number]
  readonly otherLower: (typeof lowerSuffixes)[number]
  /** Which of the forms that a request may have. */
  readonly way: number
}

/** A request, and what Consul's documentation says that it needs. */
export interface Request {
  readonly path: string
  readonly body?: unknown
  /** Whether it is not refused. Left out: nobody is refused, and what is shown is filtered. */
  readonly isAllowed?: (may: May) => boolean
  /** The status of a refusal: default 403. */
  readonly refusedWith?: number
  /** Names of nodes in the answer are those of sessions, which have rules of their own. */
  readonly isOfSessions?: boolean
  /** Who may write tokens may also read these. */
  readonly isOfQueries?: boolean
  /** What it shows without a right of its own, as in Consul. */
  readonly alsoShows?: RegExp
  /** Makes what it did undone. */
  readonly undo?: () => Promise<unknown>
}

export type Case = (world: World, pick: Pick) => Request

export const needs =
  (kind: Kind, name: string, access: Access) =>
  (may: May): boolean =>
    may(kind, name, access)

/** Who may write tokens may read all queries. */
export const readsQuery =
  (name: string) =>
  (may: May): boolean =>
    may('query', name) || may('acl', '', 'write')

/** A query shows the name of its service. */
export const ofQueries = { alsoShows: /^svc-/, isOfQueries: true } as const

/** An intention shows the names of its services, and its mark says who may see it. */
export const ofIntentions = { alsoShows: /^svc-/ } as const

/** Who may read one side may read an intention. */
export const readsIntention =
  (suffix: string) =>
  (may: May): boolean =>
    intentionPair(suffix).some((name) => may('intention', name))

/** Who may write the destination may write an intention. */
export const writesIntention =
  (...suffixes: readonly string[]) =>
  (may: May): boolean =>
    suffixes.every((suffix) => may('intention', intentionPair(suffix)[1], 'write'))

export const node = ({ lower }: Pick): string => nameOf('node', lower)
export const service = ({ suffix }: Pick): string => nameOf('service', suffix)
export const key = ({ suffix, way }: Pick): string =>
  `${nameOf('key', suffix)}${way % 2 === 0 ? '/below' : ''}`
export const unknownId = '99999999-0000-4000-8000-000000000000'
/** The agent's own node, and its checks. */
export const ofOwnNode = /^(?:n1|mark\(node:n1\))$/

/** A row that is checked before its handler. */
export const guarded =
  (kind: Kind, access: Access, path: string, body?: unknown, alsoShows?: RegExp): Case =>
  () => ({
    path,
    body,
    isAllowed: needs(kind, kind === 'agent' || kind === 'node' ? ownNode : '', access),
    ...(alsoShows === undefined ? {} : { alsoShows }),
  })
export const open = (path: string): Case => filtered(() => path)
/** A row that is refused to nobody. */
export function filtered(pathOf: (pick: Pick) => string, rest: Partial<Request> = {}): Case {
  return (_world, pick) => ({ path: pathOf(pick), ...rest })
}
export const everything = /./
