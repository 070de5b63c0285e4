import { globalManagement, globalReadOnly } from '../access/rules/built-in.ts'
import { nodeIdentityRules, serviceIdentityRules } from '../access/rules/identities.ts'
import { policyFrom } from '../access/rules/policy.ts'
import type { Policy } from '../access/rules/policy.ts'
import { namedResources, scalarResources } from '../access/rules/resource.ts'
import { reasonOf } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { PolicyVersion } from '../state/acl/reader.ts'

/** One set of rules that a token has. */
export type RuleSource =
  | ({ readonly kind: 'policy' } & Pick<PolicyVersion, 'id' | 'name' | 'modifyIndex'>)
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'node'; readonly name: string }

/** Two sources with the same key have the same rules. */
export function keyOfSource(source: RuleSource): string {
  return source.kind === 'policy'
    ? `policy ${source.id} ${source.modifyIndex}`
    : `${source.kind} ${source.name}`
}

/** Characters of the texts whose rules are kept. */
const keptMax = 8 * 1024 * 1024
/** What an empty text counts. */
const entryWeight = 100

interface Kept {
  readonly policy: Policy
  readonly weight: number
}

/** Parses the text of each version of a policy once. */
export class PolicyTexts {
  readonly #logger: Logger
  readonly #kept = new Map<string, Kept>()
  #weight = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** `textOf` gives the stored text of a policy. */
  policy(source: RuleSource, textOf: (id: string) => string): Policy {
    const key = keyOfSource(source)
    const known = this.#kept.get(key)
    if (known !== undefined) {
      // The ones that were used last stay.
      this.#kept.delete(key)
      this.#kept.set(key, known)
      return known.policy
    }
    const text = rulesOf(source, textOf)
    const policy = this.#parse(source, text)
    this.#keep(key, { policy, weight: text.length + entryWeight })
    return policy
  }

  #parse(source: RuleSource, text: string): Policy {
    const name = nameOf(source)
    try {
      return policyFrom(name, text)
    } catch (error) {
      // Its denials are not known either, so it denies all: never less than its author wanted.
      const fields = { policy: name, reason: reasonOf(error) }
      this.#logger.error(
        fields,
        'the rules of a policy cannot be parsed: tokens with this policy may do nothing. Write the policy again',
      )
      return denyAll(name)
    }
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.set(key, kept)
    this.#weight += kept.weight
    for (const [oldest, { weight }] of this.#kept) {
      if (this.#weight <= keptMax || oldest === key) break
      this.#kept.delete(oldest)
      this.#weight -= weight
    }
  }
}

/** For explanations and logs. */
export function nameOf(source: RuleSource): string {
  return source.kind === 'policy' ? source.name : `${source.kind} identity ${source.name}`
}

function rulesOf(source: RuleSource, textOf: (id: string) => string): string {
  if (source.kind === 'service') return serviceIdentityRules(source.name)
  if (source.kind === 'node') return nodeIdentityRules(source.name)
  const builtIn = [globalManagement, globalReadOnly].find(({ id }) => id === source.id)
  return builtIn?.rules ?? textOf(source.id)
}

function denyAll(name: string): Policy {
  const rules = [...namedResources, ...scalarResources].map((resource) => ({
    resource,
    isPrefix: true,
    name: '',
    level: 'deny' as const,
    line: 1,
  }))
  return { name, rules }
}
