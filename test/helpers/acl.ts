import { createHash } from 'node:crypto'
import { must } from '../../src/base/assert.ts'
import type { AclCommand, PutMode } from '../../src/state/acl/commands.ts'
import { aclFamily } from '../../src/state/acl/family.ts'
import type {
  PolicyDefinition,
  RoleDefinition,
  TokenDefinition,
} from '../../src/state/acl/model.ts'
import type { AclReader } from '../../src/state/acl/reader.ts'
import { MemoryState } from './memory-state.ts'

/** An ID that ends in a number. */
export function aclId(number: number): string {
  return `10000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** What a test says of a token: all else is empty. */
export function tokenDefinition(text: Partial<TokenDefinition> = {}): TokenDefinition {
  return {
    description: '',
    policies: [],
    roles: [],
    serviceIdentities: [],
    nodeIdentities: [],
    isLocal: false,
    createTimeMs: 1000,
    expirationTimeMs: 0,
    ...text,
  }
}

export function policyDefinition(
  name: string,
  text: Partial<PolicyDefinition> = {},
): PolicyDefinition {
  return { name, description: '', rules: '', datacenters: [], ...text }
}

export function roleDefinition(name: string, text: Partial<RoleDefinition> = {}): RoleDefinition {
  return {
    name,
    description: '',
    policies: [],
    serviceIdentities: [],
    nodeIdentities: [],
    ...text,
  }
}

/** Tokens, policies and roles in memory, and the log that fills them. The secret of token n is `secret-n`. */
export class MemoryAcl {
  readonly state = new MemoryState()
  readonly reader: AclReader = this.state.of(aclFamily)

  /** Undefined: it was done; else why not. */
  apply(body: AclCommand): unknown {
    const outcome = this.state.apply(body)
    return must(outcome.ok ? outcome : undefined).value
  }

  token(number: number, text: Partial<TokenDefinition> = {}, mode: PutMode = 'create'): unknown {
    return this.apply({
      kind: 'acl-token-put',
      mode,
      accessorId: aclId(number),
      secretHash: secretHash(`secret-${number}`),
      token: tokenDefinition(text),
    })
  }

  policy(number: number, policy: PolicyDefinition, mode: PutMode = 'create'): unknown {
    return this.apply({ kind: 'acl-policy-put', mode, id: aclId(number), policy })
  }

  role(number: number, role: RoleDefinition, mode: PutMode = 'create'): unknown {
    return this.apply({ kind: 'acl-role-put', mode, id: aclId(number), role })
  }
}
