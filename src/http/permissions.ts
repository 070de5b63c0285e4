/** Consul's kinds of resources that rules grant access to. */
export type Resource =
  | 'acl'
  | 'agent'
  | 'event'
  | 'key'
  | 'keyring'
  | 'node'
  | 'operator'
  | 'query'
  | 'service'
  | 'session'

/** A right that a caller needs, in Consul's terms. */
export interface Permission {
  readonly resource: Resource
  readonly access: 'read' | 'list' | 'write'
}

/** The rights that an endpoint needs, all of them; or why it needs none. */
export type Needs = Permission | readonly Permission[] | { readonly none: string }

/** Of what is both of a node and of a service: instances and checks. */
export const nodeAndService = {
  read: [
    { resource: 'node', access: 'read' },
    { resource: 'service', access: 'read' },
  ],
  write: [
    { resource: 'node', access: 'write' },
    { resource: 'service', access: 'write' },
  ],
} as const satisfies Readonly<Record<string, readonly Permission[]>>
