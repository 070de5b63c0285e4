import type { Policy } from './policy.ts'
import { overrules } from './resource.ts'
import type { Level, Resource } from './resource.ts'
import type { Rule } from './rule.ts'

/** A rule and the policy that has it. */
export interface RuleOfPolicy {
  readonly policy: string
  readonly rule: Rule
}

/** What all rules of one name say together: the level of the rule that wins. */
export interface Decision {
  readonly level: Level
  readonly winner: RuleOfPolicy
  /** The rules with the same name that do not win. */
  readonly others: readonly RuleOfPolicy[]
}

/** The decisions about one resource, by name. */
export interface Decisions {
  readonly exact: ReadonlyMap<string, Decision>
  readonly prefix: ReadonlyMap<string, Decision>
}

type Candidates = Map<string, RuleOfPolicy[]>

/**
 * Merges policies. Of several rules with the same name, deny wins over write, write over list, list over read.
 * Which policy comes first does not matter.
 */
export function mergePolicies(policies: readonly Policy[]): ReadonlyMap<Resource, Decisions> {
  const byResource = new Map<Resource, { exact: Candidates; prefix: Candidates }>()
  for (const { name: policy, rules } of policies) {
    for (const rule of rules) {
      let found = byResource.get(rule.resource)
      if (found === undefined) {
        found = { exact: new Map(), prefix: new Map() }
        byResource.set(rule.resource, found)
      }
      const candidates = rule.isPrefix ? found.prefix : found.exact
      const same = candidates.get(rule.name)
      if (same === undefined) candidates.set(rule.name, [{ policy, rule }])
      else same.push({ policy, rule })
    }
  }
  const merged = new Map<Resource, Decisions>()
  for (const [resource, { exact, prefix }] of byResource) {
    merged.set(resource, { exact: decided(exact, strongest), prefix: decided(prefix, strongest) })
    if (resource !== 'service') continue
    merged.set('intention', {
      exact: decided(exact, intentionsOf),
      prefix: decided(prefix, intentionsOf),
    })
  }
  return merged
}

function decided(
  candidates: Candidates,
  decide: (same: readonly RuleOfPolicy[]) => Omit<Decision, 'others'>,
): ReadonlyMap<string, Decision> {
  const decisions = new Map<string, Decision>()
  for (const [name, same] of candidates) {
    const { level, winner } = decide(same)
    decisions.set(name, { level, winner, others: same.filter((each) => each !== winner) })
  }
  return decisions
}

function strongest(same: readonly RuleOfPolicy[]): Omit<Decision, 'others'> {
  const winner = same.reduce((best, each) =>
    overrules(each.rule.level, best.rule.level) ? each : best,
  )
  return { level: winner.rule.level, winner }
}

/** Without a rule for intentions, the right to read or write a service includes reading the intentions to it. */
function intentionsOf(same: readonly RuleOfPolicy[]): Omit<Decision, 'others'> {
  let winner: RuleOfPolicy | undefined
  let level: Level | undefined
  for (const each of same) {
    const { intentions } = each.rule
    if (intentions === undefined) continue
    if (level !== undefined && !overrules(intentions, level)) continue
    level = intentions
    winner = each
  }
  if (level !== undefined && winner !== undefined) return { level, winner }
  const ofService = strongest(same)
  return { ...ofService, level: ofService.level === 'deny' ? 'deny' : 'read' }
}
