/** What an intention is about: a service, or `*` for all. Namespaces are only stored and compared. */
export interface IntentionName {
  readonly namespace: string
  readonly name: string
}

/** Whether one service may call another, as its author defines it. The fields are Consul's. */
export interface IntentionDefinition {
  readonly source: IntentionName
  readonly destination: IntentionName
  readonly action: 'allow' | 'deny'
  readonly description: string
  readonly meta: Readonly<Record<string, string>>
  /** Only stored. */
  readonly defaultAddress: string
  readonly defaultPort: number
}

export interface IntentionTimes {
  readonly createTimeMs: number
  readonly updateTimeMs: number
}

export interface Intention extends IntentionDefinition, IntentionTimes {
  readonly id: string
  readonly createIndex: number
  readonly modifyIndex: number
}

/** The side of an intention that a name is looked up on. */
export type IntentionSide = 'source' | 'destination'

export const anyName = '*'
export const defaultNamespace = 'default'

/** The one with the highest precedence decides: exact names before `*`, and the destination before the source. */
export function precedenceOf({
  source,
  destination,
}: Pick<IntentionDefinition, 'source' | 'destination'>): number {
  return 3 * exactParts(destination) + 1 + exactParts(source)
}

function exactParts({ namespace, name }: IntentionName): 0 | 1 | 2 {
  if (namespace === anyName) return 0
  return name === anyName ? 1 : 2
}

/** How a name is found and kept unique: in any case, as in Consul. */
export function keyOf({ namespace, name }: IntentionName): string {
  return `${namespace}/${name}`.toLowerCase()
}

/** The keys of all names that stand for this one. */
export function matchingKeys(of: IntentionName): readonly [string, string, string] {
  const all = { namespace: anyName, name: anyName }
  if (of.namespace === anyName) return [keyOf(all), keyOf(all), keyOf(all)]
  return [keyOf(of), keyOf({ ...of, name: anyName }), keyOf(all)]
}

/** Whether an intention is about a caller. Unlike look-ups, this compares names exactly, as Consul does. */
export function isFrom({ source }: IntentionDefinition, caller: IntentionName): boolean {
  const isNamespace = source.namespace === anyName || source.namespace === caller.namespace
  return isNamespace && (source.name === anyName || source.name === caller.name)
}

/** `web`, or `eng/web` in another namespace than the default one. */
export function shownName({ namespace, name }: IntentionName): string {
  return namespace === defaultNamespace ? name : `${namespace}/${name}`
}
