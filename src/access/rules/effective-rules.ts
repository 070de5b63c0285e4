import { mergePolicies } from './merge.ts'
import type { RuleOfPolicy } from './merge.ts'
import type { Policy } from './policy.ts'
import type { Level, Resource } from './resource.ts'

/** What several policies say together about one name, or about all names that begin with it. */
export interface EffectiveRule {
  readonly resource: Resource
  readonly isPrefix: boolean
  readonly name: string
  readonly level: Level
  /** The policy of the rule that wins. */
  readonly policy: string
  /** The line of that rule in the text of the policy, from 1. */
  readonly line: number
}

/** The rules that count, by resource: of several for the same name, the one that wins. */
export function effectiveRules(policies: readonly Policy[]): readonly EffectiveRule[] {
  return [...mergePolicies(policies)].flatMap(([resource, { exact, prefix }]) => [
    ...[...prefix].map(([name, found]) => rule(resource, true, name, found)),
    ...[...exact].map(([name, found]) => rule(resource, false, name, found)),
  ])
}

function rule(
  resource: Resource,
  isPrefix: boolean,
  name: string,
  { level, winner }: { readonly level: Level; readonly winner: RuleOfPolicy },
): EffectiveRule {
  const { policy, rule: from } = winner
  return { resource, isPrefix, name, level, policy, line: from.line }
}
