import type { Database, Statement } from 'better-sqlite3'
import { must } from '../../base/assert.ts'
import { forgottenUpTo } from '../machine/subjects.ts'
import { anonymousToken, builtInPolicies } from './model.ts'
import type { AclLink, AclPolicy, AclRole, AclToken } from './model.ts'
import { policyOf, roleOf, tokenOf } from './rows.ts'
import type { PolicyRow, RoleRow, TokenRow } from './tables.ts'

export interface AclCounts {
  /** With the anonymous one. */
  readonly tokens: number
  /** Without the built-in ones. */
  readonly policies: number
  readonly roles: number
}

/** A policy as {@link AclReader.policyVersion} finds it. */
export interface PolicyVersion extends AclLink {
  readonly modifyIndex: number
  readonly datacenters: readonly string[]
}

const pageRows = 64

/** Reads tokens, policies and roles over one connection. Lists are in the order of the IDs. */
export class AclReader {
  readonly #sql: ReturnType<typeof prepare>

  constructor(db: Database) {
    this.#sql = prepare(db)
  }

  token(accessorId: string): AclToken | undefined {
    const id = accessorId.toLowerCase()
    const row = this.#sql.token.get(id)
    if (row !== undefined) return tokenOf(row)
    return id === anonymousToken.accessorId ? anonymousToken : undefined
  }

  /** As {@link token}, but of the anonymous one only what was changed. */
  storedToken(accessorId: string): AclToken | undefined {
    const row = this.#sql.token.get(accessorId)
    return row === undefined ? undefined : tokenOf(row)
  }

  /** The token whose secret has this SHA-256, in hex. */
  tokenOfSecret(hash: string): AclToken | undefined {
    if (hash === anonymousToken.secretHash) return this.token(anonymousToken.accessorId)
    const row = this.#sql.ofSecret.get(hash)
    return row === undefined ? undefined : tokenOf(row)
  }

  /** With the anonymous token, which comes first. */
  *tokens(): Generator<AclToken, void> {
    yield must(this.token(anonymousToken.accessorId))
    for (const token of this.storedTokens()) {
      if (token.accessorId !== anonymousToken.accessorId) yield token
    }
  }

  /** Without the anonymous token, unless it was changed. */
  *storedTokens(): Generator<AclToken, void> {
    for (const row of paged(this.#sql.tokens, (each) => each.accessor_id)) yield tokenOf(row)
  }

  /** When the next token expires after a time, in milliseconds. */
  nextExpirationMs(afterMs: number): number | undefined {
    return this.#sql.nextExpiration.get(afterMs)
  }

  /** Without the rules of the built-in policies, as `access` has them. */
  policy(id: string): AclPolicy | undefined {
    const row = this.#sql.policy.get(id.toLowerCase())
    return row === undefined ? undefined : policyOf(row)
  }

  policyNamed(name: string): AclPolicy | undefined {
    const row = this.#sql.policyNamed.get(name)
    return row === undefined ? undefined : policyOf(row)
  }

  /** Without the built-in ones. */
  *policies(): Generator<AclPolicy, void> {
    for (const row of paged(this.#sql.policies, (each) => each.id)) yield policyOf(row)
  }

  /** All of a policy but its text, which may be long. The built-in ones have the modify index 1. */
  policyVersion(id: string): PolicyVersion | undefined {
    const builtIn = builtInPolicies.find((each) => each.id === id)
    if (builtIn !== undefined) return { ...builtIn, modifyIndex: 1, datacenters: [] }
    const row = this.#sql.policyVersion.get(id)
    if (row === undefined) return undefined
    const { name, datacenters, modify_index: modifyIndex } = row
    return { id, name, modifyIndex, datacenters: JSON.parse(datacenters) as string[] }
  }

  /** The ID of the policy with this name, a built-in one or not. */
  policyIdOf(name: string): string | undefined {
    const builtIn = builtInPolicies.find((each) => each.name === name)
    return builtIn?.id ?? this.#sql.policyId.get(name)
  }

  role(id: string): AclRole | undefined {
    const row = this.#sql.role.get(id.toLowerCase())
    return row === undefined ? undefined : roleOf(row)
  }

  roleNamed(name: string): AclRole | undefined {
    const row = this.#sql.roleNamed.get(name)
    return row === undefined ? undefined : roleOf(row)
  }

  *roles(): Generator<AclRole, void> {
    for (const row of paged(this.#sql.roles, (each) => each.id)) yield roleOf(row)
  }

  /** The linked policies that are there. */
  policyLinks(ids: readonly string[]): readonly AclLink[] {
    return links(ids, (id) => builtInName(id) ?? this.#sql.policyName.get(id))
  }

  roleLinks(ids: readonly string[]): readonly AclLink[] {
    return links(ids, (id) => this.#sql.roleName.get(id))
  }

  /** The number that allows a bootstrap once more; 0: there was none. */
  resetIndex(): number {
    return this.#sql.resetIndex.get() ?? 0
  }

  counts(): AclCounts {
    return must(this.#sql.counts.get(anonymousToken.accessorId))
  }

  /** As that of the catalog: it rises with every change of a subject, and never falls. */
  indexOf(subject: string): number {
    return this.#sql.index.get(subject) ?? forgottenUpTo(this.appliedIndex())
  }

  /** The last entry of the log that it shows. */
  appliedIndex(): number {
    return this.#sql.appliedIndex.get() ?? 0
  }
}

function builtInName(id: string): string | undefined {
  return builtInPolicies.find((each) => each.id === id)?.name
}

function links(
  ids: readonly string[],
  nameOf: (id: string) => string | undefined,
): readonly AclLink[] {
  return ids.flatMap((id) => {
    const name = nameOf(id)
    return name === undefined ? [] : [{ id, name }]
  })
}

function* paged<Row>(
  statement: Statement<[string, number], Row>,
  keyOf: (row: Row) => string,
): Generator<Row, void> {
  for (let from = ''; ;) {
    const rows = statement.all(from, pageRows)
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageRows) return
    from = keyOf(last)
  }
}

function prepare(db: Database) {
  const rows = <P extends unknown[], R>(text: string): Statement<P, R> => db.prepare<P, R>(text)
  const one = <P extends unknown[], R>(text: string): Statement<P, R> =>
    db.prepare<P, R>(text).pluck()
  return {
    token: rows<[string], TokenRow>('SELECT * FROM acl_tokens WHERE accessor_id = ?'),
    ofSecret: rows<[string], TokenRow>('SELECT * FROM acl_tokens WHERE secret_hash = ?'),
    tokens: rows<[string, number], TokenRow>(
      'SELECT * FROM acl_tokens WHERE accessor_id > ? ORDER BY accessor_id LIMIT ?',
    ),
    nextExpiration: one<[number], number>(
      `SELECT expiration_time_ms FROM acl_tokens
       WHERE expiration_time_ms > 0 AND expiration_time_ms > ? ORDER BY expiration_time_ms LIMIT 1`,
    ),
    policy: rows<[string], PolicyRow>('SELECT * FROM acl_policies WHERE id = ?'),
    policyNamed: rows<[string], PolicyRow>('SELECT * FROM acl_policies WHERE name = ?'),
    policyVersion: rows<[string], Pick<PolicyRow, 'name' | 'datacenters' | 'modify_index'>>(
      'SELECT name, datacenters, modify_index FROM acl_policies WHERE id = ?',
    ),
    policyName: one<[string], string>('SELECT name FROM acl_policies WHERE id = ?'),
    policyId: one<[string], string>('SELECT id FROM acl_policies WHERE name = ?'),
    policies: rows<[string, number], PolicyRow>(
      'SELECT * FROM acl_policies WHERE id > ? ORDER BY id LIMIT ?',
    ),
    role: rows<[string], RoleRow>('SELECT * FROM acl_roles WHERE id = ?'),
    roleNamed: rows<[string], RoleRow>('SELECT * FROM acl_roles WHERE name = ?'),
    roleName: one<[string], string>('SELECT name FROM acl_roles WHERE id = ?'),
    roles: rows<[string, number], RoleRow>(
      'SELECT * FROM acl_roles WHERE id > ? ORDER BY id LIMIT ?',
    ),
    resetIndex: one<[], number>('SELECT reset_index FROM acl_bootstrap'),
    counts: rows<[string], AclCounts>(
      `SELECT 1 + (SELECT count(*) FROM acl_tokens WHERE accessor_id <> ?) AS tokens,
              (SELECT count(*) FROM acl_policies) AS policies,
              (SELECT count(*) FROM acl_roles) AS roles`,
    ),
    index: one<[string], number>('SELECT modify_index FROM subjects WHERE subject = ?'),
    appliedIndex: one<[], number>("SELECT value FROM meta WHERE key = 'applied_index'"),
  }
}
