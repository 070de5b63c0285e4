import type { Access, Resource } from './rules/resource.ts'

/** What a caller may do. The authorizer of a token is one. Immutable. */
export interface Rights {
  /** Whether the access to what has this name is allowed; `name` is empty for resources without names. */
  allows(resource: Resource, name: string, access: Access): boolean
  /** Whether it is allowed for every possible name, so that nothing needs to be filtered. */
  allowsAll(resource: Resource, access: Exclude<Access, 'write-prefix'>): boolean
  /** Whether it is allowed for at least one possible name. */
  allowsSome(resource: Resource, access: Exclude<Access, 'write-prefix'>): boolean
  /** Whether it is allowed for at least one name that begins with `prefix`. */
  allowsBelow(resource: Resource, prefix: string, access: Exclude<Access, 'write-prefix'>): boolean
}

/** The rights of every caller while access control is off. */
export const everything: Rights = Object.freeze({
  allows: () => true,
  allowsAll: () => true,
  allowsSome: () => true,
  allowsBelow: () => true,
})
