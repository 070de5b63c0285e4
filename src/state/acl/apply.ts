import type { Database } from 'better-sqlite3'
import { unreachable } from '../../base/assert.ts'
import type { Change } from '../machine/change.ts'
import type { Outcome } from '../machine/command.ts'
import type { Applier } from '../machine/family.ts'
import { isSameRow } from '../machine/table.ts'
import { expiredMax } from './commands.ts'
import type {
  AclCommand,
  AclRefusal,
  BootstrapCommand,
  PolicyPutCommand,
  RolePutCommand,
  TokenPutCommand,
} from './commands.ts'
import { anonymousToken, builtInPolicies } from './model.ts'
import type { Grants, TokenDefinition } from './model.ts'
import { policyRow, roleRow, tokenRow } from './rows.ts'
import { aclSubject } from './subjects.ts'
import { bootstrapTable, policiesTable, rolesTable, tokensTable } from './tables.ts'
import type { BootstrapRow, PolicyRow, RoleRow, TokenRow } from './tables.ts'

export function openAcl(db: Database, gate: Change): Applier<AclCommand> {
  const writer = new AclWriter(db, gate)
  return {
    apply(body): Outcome {
      const { index } = gate
      const refusal = writer.apply(body)
      return refusal === undefined ? { ok: true, index } : { ok: true, index, value: refusal }
    },
  }
}

class AclWriter {
  readonly #gate: Change
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database, gate: Change) {
    this.#gate = gate
    this.#sql = prepare(db)
  }

  apply(body: AclCommand): AclRefusal | undefined {
    switch (body.kind) {
      case 'acl-bootstrap':
        return this.#bootstrap(body)
      case 'acl-bootstrap-restore':
        return this.#setBootstrapped(body.resetIndex)
      case 'acl-token-put':
        return this.#putToken(body)
      case 'acl-token-delete':
        return this.#deleteToken(body.accessorId.toLowerCase())
      case 'acl-tokens-expire':
        for (const row of this.#sql.expired.all(body.untilMs, expiredMax)) this.#removeToken(row)
        return undefined
      case 'acl-policy-put':
        return this.#putPolicy(body)
      case 'acl-policy-delete':
        return this.#deletePolicy(body.id.toLowerCase())
      case 'acl-role-put':
        return this.#putRole(body)
      case 'acl-role-delete':
        return this.#deleteRole(body.id.toLowerCase())
      default:
        return unreachable(body)
    }
  }

  #bootstrap({ accessorId, secretHash, token, resetIndex, isInitial }: BootstrapCommand) {
    const before = this.#sql.bootstrap.get()
    if (isInitial && this.#secretOwner(secretHash) !== undefined) return 'taken-secret'
    if (!isInitial && before !== undefined && before.reset_index !== resetIndex) {
      return `bootstrapped ${before.reset_index}` as const
    }
    const put = { kind: 'acl-token-put', mode: 'create', accessorId, secretHash, token } as const
    const refusal = this.#putToken(put)
    const isMarked = isInitial && before !== undefined
    if (refusal === undefined && !isMarked) this.#setBootstrapped(this.#gate.index)
    return refusal
  }

  #setBootstrapped(index: number): undefined {
    const before = this.#sql.bootstrap.get()
    if (before?.reset_index === index) return
    const row: BootstrapRow = { name: 'bootstrap', reset_index: index }
    if (index !== 0) this.#gate.put(bootstrapTable, row, before)
    else if (before !== undefined) this.#gate.remove(bootstrapTable, before)
  }

  #putToken({ mode, accessorId, secretHash, token }: TokenPutCommand): AclRefusal | undefined {
    const id = accessorId.toLowerCase()
    const isAnonymous = id === anonymousToken.accessorId
    const before = this.#sql.token.get(id)
    if (mode === 'create' && (before !== undefined || isAnonymous)) return 'taken-id'
    if (mode === 'update' && before === undefined && !isAnonymous) return 'unknown-id'
    const hash = isAnonymous
      ? anonymousToken.secretHash
      : mode === 'update'
        ? (before?.secret_hash ?? secretHash)
        : secretHash
    const owner = this.#secretOwner(hash)
    if (owner !== undefined && owner !== id) return 'taken-secret'
    const fault = mode === 'any' ? undefined : this.#linkFault(token, token.roles)
    if (fault !== undefined) return fault
    const whole = mode === 'update' ? { ...token, ...keptOf(before) } : token
    const { index } = this.#gate
    const row = tokenRow({ accessorId: id, secretHash: hash }, whole, {
      create: before?.create_index ?? index,
      modify: index,
    })
    if (before !== undefined && isSameRow(before, row)) return undefined
    this.#gate.put(tokensTable, row, before)
    this.#gate.touch(aclSubject.tokens)
    return undefined
  }

  /** The accessor ID of the token with this secret. */
  #secretOwner(hash: string): string | undefined {
    return hash === anonymousToken.secretHash
      ? anonymousToken.accessorId
      : this.#sql.ofSecret.get(hash)
  }

  #linkFault({ policies }: Grants, roles: readonly string[] = []): AclRefusal | undefined {
    for (const id of policies) {
      const isBuiltIn = builtInPolicies.some((each) => each.id === id)
      if (!isBuiltIn && this.#sql.policy.get(id) === undefined) return `unknown-policy ${id}`
    }
    for (const id of roles) if (this.#sql.role.get(id) === undefined) return `unknown-role ${id}`
    return undefined
  }

  #deleteToken(id: string): AclRefusal | undefined {
    const row = this.#sql.token.get(id)
    if (row === undefined) return 'unknown-id'
    this.#removeToken(row)
    return undefined
  }

  #removeToken(row: TokenRow): void {
    this.#gate.remove(tokensTable, row)
    this.#gate.touch(aclSubject.tokens)
  }

  #putPolicy({ mode, id: asked, policy }: PolicyPutCommand): AclRefusal | undefined {
    const id = asked.toLowerCase()
    const isBuiltIn = builtInPolicies.some((each) => each.id === id)
    const before = this.#sql.policy.get(id)
    if (isBuiltIn || (mode === 'create' && before !== undefined)) return 'taken-id'
    if (mode === 'update' && before === undefined) return 'unknown-id'
    const other = this.#sql.policyNamed.get(policy.name)
    const isBuiltInName = builtInPolicies.some(({ name }) => name === policy.name)
    if (isBuiltInName || (other !== undefined && other !== id)) return 'taken-name'
    const { index } = this.#gate
    const row = policyRow(id, policy, { create: before?.create_index ?? index, modify: index })
    if (before !== undefined && isSameRow(before, row)) return undefined
    this.#gate.put(policiesTable, row, before)
    this.#gate.touch(aclSubject.policies)
    // Tokens and roles show the names of their policies.
    if (before?.name !== row.name) this.#touchLinks()
    return undefined
  }

  #deletePolicy(id: string): AclRefusal | undefined {
    const row = this.#sql.policy.get(id)
    if (row === undefined) return 'unknown-id'
    this.#gate.remove(policiesTable, row)
    this.#gate.touch(aclSubject.policies)
    this.#touchLinks()
    return undefined
  }

  #putRole({ mode, id: asked, role }: RolePutCommand): AclRefusal | undefined {
    const id = asked.toLowerCase()
    const before = this.#sql.role.get(id)
    if (mode === 'create' && before !== undefined) return 'taken-id'
    if (mode === 'update' && before === undefined) return 'unknown-id'
    const other = this.#sql.roleNamed.get(role.name)
    if (other !== undefined && other !== id) return 'taken-name'
    const fault = mode === 'any' ? undefined : this.#linkFault(role)
    if (fault !== undefined) return fault
    const { index } = this.#gate
    const row = roleRow(id, role, { create: before?.create_index ?? index, modify: index })
    if (before !== undefined && isSameRow(before, row)) return undefined
    this.#gate.put(rolesTable, row, before)
    this.#gate.touch(aclSubject.roles)
    if (before?.name !== row.name) this.#gate.touch(aclSubject.tokens)
    return undefined
  }

  #deleteRole(id: string): AclRefusal | undefined {
    const row = this.#sql.role.get(id)
    if (row === undefined) return 'unknown-id'
    this.#gate.remove(rolesTable, row)
    this.#gate.touch(aclSubject.roles)
    this.#gate.touch(aclSubject.tokens)
    return undefined
  }

  #touchLinks(): void {
    this.#gate.touch(aclSubject.tokens)
    this.#gate.touch(aclSubject.roles)
  }
}

/** What an update does not change. */
function keptOf(row: TokenRow | undefined): Partial<TokenDefinition> {
  if (row === undefined) {
    const { isLocal, createTimeMs, expirationTimeMs } = anonymousToken
    return { isLocal, createTimeMs, expirationTimeMs }
  }
  return {
    isLocal: row.is_local === 1,
    createTimeMs: row.create_time_ms,
    expirationTimeMs: row.expiration_time_ms,
  }
}

function prepare(db: Database) {
  return {
    token: db.prepare<[string], TokenRow>('SELECT * FROM acl_tokens WHERE accessor_id = ?'),
    ofSecret: db
      .prepare<[string], string>('SELECT accessor_id FROM acl_tokens WHERE secret_hash = ?')
      .pluck(),
    expired: db.prepare<[number, number], TokenRow>(
      `SELECT * FROM acl_tokens WHERE expiration_time_ms > 0 AND expiration_time_ms <= ?
       ORDER BY expiration_time_ms, accessor_id LIMIT ?`,
    ),
    policy: db.prepare<[string], PolicyRow>('SELECT * FROM acl_policies WHERE id = ?'),
    policyNamed: db.prepare<[string], string>('SELECT id FROM acl_policies WHERE name = ?').pluck(),
    role: db.prepare<[string], RoleRow>('SELECT * FROM acl_roles WHERE id = ?'),
    roleNamed: db.prepare<[string], string>('SELECT id FROM acl_roles WHERE name = ?').pluck(),
    bootstrap: db.prepare<[], BootstrapRow>('SELECT * FROM acl_bootstrap'),
  }
}
