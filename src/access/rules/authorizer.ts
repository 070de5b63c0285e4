import { DecisionTable } from './decision-table.ts'
import { mergePolicies } from './merge.ts'
import type { Decision, RuleOfPolicy } from './merge.ts'
import type { Policy } from './policy.ts'
import { grants } from './resource.ts'
import type { Access, Resource } from './resource.ts'
import { printRule } from './rule.ts'

/** The decision where no rule says anything. */
export type DefaultPolicy = 'allow' | 'deny'

/** Which rule decided. */
export interface Explanation {
  readonly isAllowed: boolean
  /** Undefined: no rule covers the name, and the default policy decided. */
  readonly by: ExplainedRule | undefined
  /** Rules of the same name that the deciding one overrules, or that say the same. */
  readonly others: readonly ExplainedRule[]
}

export interface ExplainedRule {
  readonly policy: string
  /** Line of the policy's text, from 1. */
  readonly line: number
  /** The rule in the rule language. */
  readonly rule: string
}

/** The rights of a token: what its policies allow together. Immutable, and cheap to ask. */
export class Authorizer {
  readonly defaultPolicy: DefaultPolicy
  /** The policies that it was made of, so that another thread can make the same. */
  readonly policies: readonly Policy[]
  readonly #tables = new Map<Resource, DecisionTable>()

  constructor(policies: readonly Policy[], defaultPolicy: DefaultPolicy) {
    this.defaultPolicy = defaultPolicy
    this.policies = policies
    for (const [resource, decisions] of mergePolicies(policies)) {
      this.#tables.set(resource, new DecisionTable(decisions))
    }
    // Without a rule of their own, these go by the rule of the operator.
    const operator = this.#tables.get('operator')
    for (const resource of ['mesh', 'peering'] as const) {
      if (operator !== undefined && !this.#tables.has(resource))
        this.#tables.set(resource, operator)
    }
  }

  /**
   * Whether the access to what has this name is allowed. `name` is empty for resources without names. For intentions,
   * the name `*` means all services: to read, one readable service is enough. To write, all must be writable.
   */
  allows(resource: Resource, name: string, access: Access): boolean {
    const asked = accessTo(resource, access)
    return this.#isAllowed(resource, this.#decision(resource, name, asked), asked)
  }

  /** Whether the access is allowed for every possible name, so that nothing needs to be filtered. */
  allowsAll(resource: Resource, access: Exclude<Access, 'write-prefix'>): boolean {
    const asked = accessTo(resource, access)
    return this.#isAllowed(resource, this.#tables.get(resource)?.ofAll(asked), asked)
  }

  /** Whether the access is allowed for at least one possible name. */
  allowsSome(resource: Resource, access: Exclude<Access, 'write-prefix'>): boolean {
    const asked = accessTo(resource, access)
    return this.#isAllowed(resource, this.#tables.get(resource)?.ofSome(asked), asked)
  }

  /** Whether the access is allowed for at least one name that begins with `prefix`. */
  allowsBelow(
    resource: Resource,
    prefix: string,
    access: Exclude<Access, 'write-prefix'>,
  ): boolean {
    const asked = accessTo(resource, access)
    const decision = this.#tables.get(resource)?.ofSomeBelow(prefix, asked)
    return this.#isAllowed(resource, decision, asked)
  }

  /** As {@link allows}, with the rule that decided. */
  explain(resource: Resource, name: string, access: Access): Explanation {
    const asked = accessTo(resource, access)
    const decision = this.#decision(resource, name, asked)
    return {
      isAllowed: this.#isAllowed(resource, decision, asked),
      by: decision === undefined ? undefined : explained(decision.winner),
      others: decision?.others.map(explained) ?? [],
    }
  }

  #decision(resource: Resource, name: string, access: Access): Decision | undefined {
    const table = this.#tables.get(resource)
    if (table === undefined) return undefined
    if (access === 'write-prefix') return table.ofPrefixWrite(name)
    if (resource !== 'intention' || name !== '*') return table.of(name)
    return access === 'read' ? table.ofSome(access) : table.ofAll(access)
  }

  /** The default policy never allows access to tokens and policies, as in Consul. */
  #isAllowed(resource: Resource, decision: Decision | undefined, access: Access): boolean {
    if (decision !== undefined) return grants(decision.level, access)
    return this.defaultPolicy === 'allow' && resource !== 'acl'
  }
}

/** Only keys can be listed without being read. */
function accessTo<A extends Access>(resource: Resource, access: A): A | 'read' {
  return access === 'list' && resource !== 'key' ? 'read' : access
}

function explained({ policy, rule }: RuleOfPolicy): ExplainedRule {
  return { policy, line: rule.line, rule: printRule(rule) }
}
