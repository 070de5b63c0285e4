/** Resources that have names: each has a word for one name and a word for a prefix of names. */
export const namedResources = [
  'agent',
  'event',
  'key',
  'node',
  'query',
  'service',
  'session',
] as const

/** Resources without names. */
export const scalarResources = ['acl', 'keyring', 'mesh', 'operator', 'peering'] as const

export type NamedResource = (typeof namedResources)[number]
export type ScalarResource = (typeof scalarResources)[number]

/**
 * What a caller may have a right to, in Consul's words. Rules of services also decide about intentions,
 * by the name of the destination.
 */
export type Resource = NamedResource | ScalarResource | 'intention'

/** What a rule grants. `list` is only for keys. */
export type Level = 'deny' | 'read' | 'list' | 'write'

/**
 * What a caller wants to do. `write-prefix` writes everything that begins with the name, for example
 * `kv delete -recurse`. `list` is `read` for everything but keys.
 */
export type Access = 'read' | 'list' | 'write' | 'write-prefix'

/** Whether a rule of this level allows the access. */
export function grants(level: Level, access: Access): boolean {
  if (level === 'write') return true
  if (level === 'list') return access === 'read' || access === 'list'
  return level === 'read' && access === 'read'
}

const ranks: Readonly<Record<Level, number>> = { read: 0, list: 1, write: 2, deny: 3 }

/** Whether `level` wins over `other` when both are given for the same name. */
export function overrules(level: Level, other: Level): boolean {
  return ranks[level] > ranks[other]
}
