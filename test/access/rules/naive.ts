import { grants, overrules } from '../../../src/access/rules/resource.ts'
import type { Level } from '../../../src/access/rules/resource.ts'
import type { Ask, PlainRule } from '../../helpers/access-rules.ts'

// The decisions of Consul, written down as slowly and plainly as possible, to compare the fast ones with.

/** Whether the rules of all policies of a token allow what is asked. */
export function naiveAllows(
  rules: readonly PlainRule[],
  defaultPolicy: 'allow' | 'deny',
  ask: Ask,
): boolean {
  const { name, access } = ask
  const isDefault = defaultPolicy === 'allow' && ask.resource !== 'acl'
  const groups = groupsOf(rulesFor(rules, ask))
  if (ask.resource === 'intention' && name === '*') {
    const catchAll = groups.find(({ isPrefix, name }) => isPrefix && name === '')
    const granted = groups.map(({ level }) => grants(level, access))
    if (access === 'read') return granted.includes(true) || (catchAll === undefined && isDefault)
    return !granted.includes(false) && (catchAll !== undefined || isDefault)
  }
  const covering = groups
    .filter((each) => each.isPrefix && name.startsWith(each.name))
    .toSorted((a, b) => b.name.length - a.name.length)[0]
  if (access === 'write-prefix') {
    const below = groups.filter((each) => each.name.startsWith(name))
    const isWritten = [covering, ...below].every(
      (each) => each === undefined || each.level === 'write',
    )
    return isWritten && (covering !== undefined || isDefault)
  }
  const exact = groups.find((each) => !each.isPrefix && each.name === name)
  const decides = exact ?? covering
  const asked = access === 'list' && ask.resource !== 'key' ? 'read' : access
  return decides === undefined ? isDefault : grants(decides.level, asked)
}

function rulesFor(rules: readonly PlainRule[], { resource }: Ask): readonly PlainRule[] {
  const of = (wanted: string) => rules.filter((rule) => rule.resource === wanted)
  if (resource === 'mesh' || resource === 'peering') {
    return of(resource).length > 0 ? of(resource) : of('operator')
  }
  if (resource !== 'intention') return of(resource)
  return of('service')
    .filter((rule) => rule.intentions !== undefined || !isToldElsewhere(rule, rules))
    .map((rule) => ({ ...rule, level: rule.intentions ?? intentionsFrom(rule, rules) }))
}

/** Whether another rule of the same name says something about intentions. */
function isToldElsewhere(rule: PlainRule, rules: readonly PlainRule[]): boolean {
  return sameAs(rule, rules).some(({ intentions }) => intentions !== undefined)
}

function intentionsFrom(rule: PlainRule, rules: readonly PlainRule[]): Level {
  return strongest(sameAs(rule, rules).map(({ level }) => level)) === 'deny' ? 'deny' : 'read'
}

function sameAs(rule: PlainRule, rules: readonly PlainRule[]): readonly PlainRule[] {
  return rules.filter(
    (each) =>
      each.resource === rule.resource && each.isPrefix === rule.isPrefix && each.name === rule.name,
  )
}

/** One rule for each name. */
function groupsOf(rules: readonly PlainRule[]): readonly PlainRule[] {
  return rules.map((rule) => ({
    ...rule,
    level: strongest(sameAs(rule, rules).map(({ level }) => level)),
  }))
}

function strongest(levels: readonly Level[]): Level {
  return levels.reduce((best, each) => (overrules(each, best) ? each : best))
}
