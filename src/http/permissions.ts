import type { Access, NamedResource, Resource, ScalarResource } from '../access/rules/resource.ts'

/** A right that a caller needs, in Consul's terms. */
export interface Permission {
  readonly resource: Resource
  readonly access: Exclude<Access, 'write-prefix'>
}

/** A right to one thing, by its name; '' for resources without names. */
export interface Need {
  readonly resource: Resource
  readonly name: string
  readonly access: Access
}

/** A right that is checked from the row, before its handler is called. */
export type CheckedNeed =
  | { readonly resource: ScalarResource; readonly access: Permission['access'] }
  | {
      readonly resource: NamedResource
      readonly access: Permission['access']
      /** Whose name the right is for: the argument of the path, or the node of this agent. */
      readonly name: 'argument' | 'own-node'
    }

/** The answer has only the rows to which the caller has all of these rights. */
export interface FilterNeeds {
  readonly filteredBy: readonly Permission[]
}

/** The handler asks for the rights, because the names stand in the body, the parameters or the state. */
export interface HandlerNeeds {
  readonly handlerChecks: readonly Permission[]
}

/** The rights that an endpoint needs, and who checks them; or why it needs none. */
export type Needs = CheckedNeed | FilterNeeds | HandlerNeeds | { readonly none: string }

/** All rights that a row names. */
export function permissionsOf(needs: Needs): readonly Permission[] {
  if ('none' in needs) return []
  if ('filteredBy' in needs) return needs.filteredBy
  return 'handlerChecks' in needs ? needs.handlerChecks : [needs]
}

const readNode = { resource: 'node', access: 'read' } as const
const readService = { resource: 'service', access: 'read' } as const
const writeNode = { resource: 'node', access: 'write' } as const
const writeService = { resource: 'service', access: 'write' } as const

/** Of what is both of a node and of a service: instances and checks. */
export const nodeAndService = {
  read: { filteredBy: [readNode, readService] },
  write: { handlerChecks: [writeNode, writeService] },
} as const satisfies Readonly<Record<string, Needs>>
