import { hasFields, isFlag, isListOf, isOneOf, isText, isWhole } from '../../base/shape.ts'
import type { Shape } from '../../base/shape.ts'
import type { CommandKind } from '../machine/family.ts'
import { isAclId } from './model.ts'
import type { PolicyDefinition, RoleDefinition, TokenDefinition } from './model.ts'
import { aclFormat } from './schema.ts'

/** Whether an object with this ID must not or must be there; `any` in a restore, which checks no links. */
export type PutMode = 'create' | 'update' | 'any'

/** Makes the first token, with all rights. */
export interface BootstrapCommand {
  readonly kind: 'acl-bootstrap'
  readonly accessorId: string
  readonly secretHash: string
  readonly token: TokenDefinition
  /** The number that allows it once more; 0 for none. */
  readonly resetIndex: number
  /** True: the token of an option. It is made unless its secret is there, whatever was bootstrapped before. */
  readonly isInitial: boolean
}

/** For a restore: whether it was bootstrapped (0: it was not), and the number that allows it once more. */
export interface BootstrapRestoreCommand {
  readonly kind: 'acl-bootstrap-restore'
  readonly resetIndex: number
}

/** Adds or replaces a token. An update keeps its secret, its times, and whether it is local. */
export interface TokenPutCommand {
  readonly kind: 'acl-token-put'
  readonly mode: PutMode
  readonly accessorId: string
  /** SHA-256 in hex. */
  readonly secretHash: string
  readonly token: TokenDefinition
}

/** Removes a token. The anonymous one becomes as it was at first. */
export interface TokenDeleteCommand {
  readonly kind: 'acl-token-delete'
  readonly accessorId: string
}

/** Removes the tokens that have expired by then, some of them if there are many. */
export interface TokensExpireCommand {
  readonly kind: 'acl-tokens-expire'
  readonly untilMs: number
}

export interface PolicyPutCommand {
  readonly kind: 'acl-policy-put'
  readonly mode: PutMode
  readonly id: string
  /** Its rules have been parsed. */
  readonly policy: PolicyDefinition
}

export interface PolicyDeleteCommand {
  readonly kind: 'acl-policy-delete'
  readonly id: string
}

export interface RolePutCommand {
  readonly kind: 'acl-role-put'
  readonly mode: PutMode
  readonly id: string
  readonly role: RoleDefinition
}

export interface RoleDeleteCommand {
  readonly kind: 'acl-role-delete'
  readonly id: string
}

export type AclCommand =
  | BootstrapCommand
  | BootstrapRestoreCommand
  | TokenPutCommand
  | TokenDeleteCommand
  | TokensExpireCommand
  | PolicyPutCommand
  | PolicyDeleteCommand
  | RolePutCommand
  | RoleDeleteCommand

/** Why a command has changed nothing: the value of its outcome. */
export type AclRefusal =
  /** There is one with this ID, name or secret, or there is none with this ID. */
  | 'taken-id'
  | 'taken-name'
  | 'taken-secret'
  | 'unknown-id'
  /** A linked policy or role is not there. */
  | `unknown-policy ${string}`
  | `unknown-role ${string}`
  /** There was a bootstrap, and this number would allow it once more. */
  | `bootstrapped ${number}`

/** How many expired tokens one command removes at most. */
export const expiredMax = 1000

const isId: Shape = (value) => typeof value === 'string' && isAclId(value)
const isHash: Shape = (value) => typeof value === 'string' && /^[\da-f]{64}$/.test(value)
const isMode = isOneOf('create', 'update', 'any')
const grants = {
  policies: isListOf(isId),
  serviceIdentities: isListOf(hasFields({ serviceName: isText, datacenters: isListOf(isText) })),
  nodeIdentities: isListOf(hasFields({ nodeName: isText, datacenter: isText })),
}
const isToken = hasFields({
  ...grants,
  description: isText,
  roles: isListOf(isId),
  isLocal: isFlag,
  createTimeMs: isWhole,
  expirationTimeMs: isWhole,
})
const isPolicy = hasFields({
  name: isText,
  description: isText,
  rules: isText,
  datacenters: isListOf(isText),
})
const isRole = hasFields({ ...grants, name: isText, description: isText })

const since = aclFormat
/** A command that removes what has its ID: a policy or a role. */
const removal = (what: 'policy' | 'role'): CommandKind => ({
  since,
  needs: 'none',
  about: ({ id }: PolicyDeleteCommand | RoleDeleteCommand) => ({ [what]: id }),
  shape: hasFields({ id: isId }),
})
const ofToken = ({ accessorId }: { readonly accessorId: string }) => ({ token: accessorId })

export const aclCommands: Readonly<Record<AclCommand['kind'], CommandKind>> = {
  'acl-bootstrap': {
    since,
    about: ofToken,
    shape: hasFields({
      accessorId: isId,
      secretHash: isHash,
      token: isToken,
      resetIndex: isWhole,
      isInitial: isFlag,
    }),
  },
  'acl-bootstrap-restore': {
    since,
    needs: 'little',
    about: () => ({}),
    shape: hasFields({ resetIndex: isWhole }),
  },
  'acl-token-put': {
    since,
    about: ofToken,
    shape: hasFields({ mode: isMode, accessorId: isId, secretHash: isHash, token: isToken }),
  },
  'acl-token-delete': {
    since,
    needs: 'none',
    about: ofToken,
    shape: hasFields({ accessorId: isId }),
  },
  'acl-tokens-expire': {
    since,
    needs: 'none',
    about: () => ({}),
    shape: hasFields({ untilMs: isWhole }),
  },
  'acl-policy-put': {
    since,
    about: ({ id, policy: { name } }: PolicyPutCommand) => ({ policy: id, name }),
    shape: hasFields({ mode: isMode, id: isId, policy: isPolicy }),
  },
  'acl-policy-delete': removal('policy'),
  'acl-role-put': {
    since,
    about: ({ id, role: { name } }: RolePutCommand) => ({ role: id, name }),
    shape: hasFields({ mode: isMode, id: isId, role: isRole }),
  },
  'acl-role-delete': removal('role'),
}
