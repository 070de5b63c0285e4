import type { Caller } from '../../src/access/caller.ts'
import type { Requester } from '../../src/access/requester.ts'
import type { Rights } from '../../src/access/rights.ts'
import { Authorizer } from '../../src/access/rules/authorizer.ts'
import { policyFrom } from '../../src/access/rules/policy.ts'
import { svcdError } from '../../src/base/errors.ts'
import type { Tokens } from '../../src/ports/tokens.ts'

/** Every resource and every name. */
export const managementRules = [
  'acl = "write"',
  'keyring = "write"',
  'operator = "write"',
  'service_prefix "" { policy = "write" intentions = "write" }',
  ...['agent', 'event', 'key', 'node', 'query', 'session'].map(
    (resource) => `${resource}_prefix "" { policy = "write" }`,
  ),
].join('\n')

/** Tokens in memory, by their secrets. The token without a secret is the anonymous one. */
export class TestTokens implements Tokens {
  readonly isEnabled: boolean
  readonly defaultPolicy: 'allow' | 'deny'
  readonly #requesters = new Map<string, Requester>()
  readonly #listeners = new Set<() => void>()

  constructor(defaultPolicy: 'allow' | 'deny' = 'deny', isEnabled = true) {
    this.defaultPolicy = defaultPolicy
    this.isEnabled = isEnabled
    this.set('', '')
    this.set('root', managementRules)
  }

  /** Makes a token, or gives it other rights. */
  set(secret: string, ...rules: readonly string[]): this {
    const policies = rules.map((text, at) => policyFrom(`policy-${at}`, text))
    return this.setRights(secret, new Authorizer(policies, this.defaultPolicy))
  }

  setRights(secret: string, rights: Rights): this {
    const name = secret === '' ? 'anonymous' : secret
    return this.setCaller(secret, { name, rights })
  }

  setCaller(secret: string, caller: Caller, accessorId = `accessor-of-${caller.name}`): this {
    this.#requesters.set(secret, { caller, accessorId })
    this.#tell()
    return this
  }

  delete(secret: string): void {
    this.#requesters.delete(secret)
    this.#tell()
  }

  /** How many are told of changes. */
  get listeners(): number {
    return this.#listeners.size
  }

  requester(secret: string | undefined): Requester {
    const known = this.#requesters.get(secret ?? '')
    if (known === undefined) throw svcdError('acl-not-found', {})
    return known
  }

  isSecret(text: string): boolean {
    return text !== '' && this.#requesters.has(text)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
