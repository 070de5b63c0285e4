import { must } from '../../src/base/assert.ts'
import { namedResources, scalarResources } from '../../src/access/rules/resource.ts'
import type {
  Access,
  Level,
  NamedResource,
  Resource,
  ScalarResource,
} from '../../src/access/rules/resource.ts'
import type { Rule } from '../../src/access/rules/rule.ts'

/** A rule without its place in a text. */
export type PlainRule = Omit<Rule, 'line'>

/** A question to an authorizer. */
export interface Ask {
  readonly resource: Resource
  readonly name: string
  readonly access: Access
}

/** Policies of one token, and questions about what it may do. */
export interface RuleCase {
  readonly policies: readonly { readonly rules: readonly PlainRule[]; readonly text: string }[]
  readonly asks: readonly Ask[]
}

const segments = ['a', 'b', 'ab', '/', 'app/', 'web', '-api', ' ', 'ä', '"', '\\', '${x}', '😀', '']
const levels: readonly Level[] = ['read', 'write', 'deny']

/** Random numbers that are the same for the same seed, on every machine. */
class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 to `sides` - 1. */
  roll(sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }

  of<T>(some: readonly T[]): T {
    return must(some[this.roll(some.length)])
  }

  some<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make)
  }
}

/** Consul 1.8 has no rules of meshes and peerings. */
const scalarsOfConsul = ['acl', 'keyring', 'operator'] as const

/** The case of a seed: 1 to 8 policies with names that meet each other, and 64 questions. */
export function ruleCase(
  seed: number,
  scalars: readonly ScalarResource[] = scalarsOfConsul,
): RuleCase {
  const dice = new Dice(seed)
  const names = dice.some(3 + dice.roll(8), () => nameOf(dice))
  // Few kinds in a case: otherwise no two rules would be about the same.
  const kinds = dice.some(1 + dice.roll(3), () => dice.of(namedResources))
  const policies = dice.some(1 + dice.roll(8), () => {
    const rules = uniqueScalars(
      dice.some(1 + dice.roll(12), () => ruleOf(dice, names, kinds, scalars)),
    )
    return { rules, text: textOf(rules, dice) }
  })
  const asks = dice.some(64, () => askOf(dice, names, kinds, scalars))
  return { policies, asks }
}

function nameOf(dice: Dice): string {
  return dice.some(dice.roll(5), () => dice.of(segments)).join('')
}

function ruleOf(
  dice: Dice,
  names: readonly string[],
  kinds: readonly NamedResource[],
  scalars: readonly ScalarResource[],
): PlainRule {
  if (dice.roll(8) === 0) {
    const resource = dice.of(scalars)
    return { resource, isPrefix: true, name: '', level: dice.of(levels) }
  }
  const resource = dice.of(kinds)
  const level = dice.of(resource === 'key' ? [...levels, 'list' as const] : levels)
  const rule = { resource, isPrefix: dice.roll(2) === 0, name: dice.of(names), level }
  return resource === 'service' && dice.roll(2) === 0
    ? { ...rule, intentions: dice.of(levels) }
    : rule
}

/** A policy has at most one rule of each resource without names. */
function uniqueScalars(rules: readonly PlainRule[]): readonly PlainRule[] {
  const isScalar = ({ resource }: PlainRule): boolean =>
    (scalarResources as readonly string[]).includes(resource)
  return rules.filter(
    (rule, at) =>
      !isScalar(rule) || rules.findIndex((each) => each.resource === rule.resource) === at,
  )
}

function askOf(
  dice: Dice,
  names: readonly string[],
  kinds: readonly NamedResource[],
  scalars: readonly ScalarResource[],
): Ask {
  const isScalar = dice.roll(8) === 0
  let resource: Resource = isScalar ? dice.of(scalars) : dice.of(kinds)
  if (resource === 'service' && dice.roll(2) === 0) resource = 'intention'
  const known = dice.of(names)
  const name = dice.of([known, known, `${known}${nameOf(dice)}`, nameOf(dice), known.slice(0, -1)])
  const access = dice.of<Access>(
    resource === 'key' ? ['read', 'list', 'write', 'write-prefix'] : ['read', 'write'],
  )
  // Half of a character is no name.
  return { resource, name: name.replaceAll(/\p{Surrogate}/gu, ''), access }
}

/** The policy in one of the forms that the rule language has. */
function textOf(rules: readonly PlainRule[], dice: Dice): string {
  const style = dice.roll(4)
  if (style === 0) return jsonOf(rules, dice)
  return rules
    .map((rule) => hclOf(rule, dice))
    .join(dice.of(['\n', ' ', '\r\n\r\n', ' # x\n', ', ']))
}

function jsonOf(rules: readonly PlainRule[], dice: Dice): string {
  const members = rules.map((rule) => {
    const word = JSON.stringify(wordOf(rule))
    if (!hasName(rule)) return `${word}: "${rule.level}"`
    const { name, level, intentions } = rule
    const block = JSON.stringify({ [name]: { policy: level, intentions } })
    return `${word}: ${dice.of([block, `[${block}]`, ` ${block}\n`])}`
  })
  return `${dice.of(['', '\n '])}{${members.join(', ')}}`
}

function hclOf(rule: PlainRule, dice: Dice): string {
  const word = dice.of([wordOf(rule), `"${wordOf(rule)}"`, wordOf(rule).toUpperCase()])
  const level = `"${rule.level}"`
  if (!hasName(rule)) return `${word} ${dice.of(['=', '=\n', '/* = */ = '])} ${level}`
  const intentions = rule.intentions === undefined ? [] : [`intentions = "${rule.intentions}"`]
  const fields = [
    dice.of([`policy = ${level}`, `"policy" = ${level},`, `Policy=${level}`]),
    ...intentions,
  ]
  const block = `{ ${fields.join(dice.of([' ', '\n', ' // x\n']))} }`
  const name = hclQuoted(rule.name, dice)
  return dice.of([
    `${word} ${name} ${block}`,
    `${word} = { ${name} = ${block} }`,
    `${word} ${name}${block}`,
  ])
}

function wordOf({ resource, isPrefix }: PlainRule): string {
  return isPrefix && hasName({ resource }) ? `${resource}_prefix` : resource
}

function hasName({ resource }: Pick<PlainRule, 'resource'>): boolean {
  return (namedResources as readonly string[]).includes(resource)
}

function hclQuoted(name: string, dice: Dice): string {
  const quoted = JSON.stringify(name)
  // As HCL has it: what is inside of ${…} is taken as it is, and it may also be written as escapes.
  const style = dice.roll(3)
  if (style === 0) return quoted.replaceAll('${', '\\x24{')
  if (style === 1) return quoted.replaceAll('a', '\\141').replaceAll('ä', '\\xc3\\xa4')
  return quoted.replaceAll('b', '\\u0062').replaceAll('😀', '\\U0001F600')
}
