import fc from 'fast-check'

// Rules of tokens in their shortest form, and what they allow: a second, simple implementation of src/access.

const namedKinds = ['agent', 'event', 'key', 'node', 'query', 'service', 'session'] as const
const scalarKinds = ['acl', 'keyring', 'operator'] as const

type RuleKind = (typeof namedKinds)[number] | (typeof scalarKinds)[number]
/** Rules of services decide about intentions. */
export type Kind = RuleKind | 'intention'
export type Access = 'read' | 'list' | 'write' | 'write-prefix'

export interface PlainRule {
  readonly kind: RuleKind
  readonly isPrefix: boolean
  /** '' for kinds without names. */
  readonly name: string
  readonly level: 'read' | 'list' | 'write' | 'deny'
  /** Of a service. Left out: they follow from the level. */
  readonly intentions?: 'read' | 'write' | 'deny' | undefined
}

/** The node of the agent that is asked. */
export const ownNode = 'n1'
/** Some begin with others, and two differ in their case only. */
export const suffixes = ['a', 'ab', 'abc', 'b', 'A'] as const
export type Suffix = (typeof suffixes)[number]

/** What the names of each kind begin with, so that a name tells its kind. Sessions and agents have names of nodes. */
const beginnings = {
  agent: 'node-',
  event: 'evt-',
  key: 'key-',
  node: 'node-',
  query: 'qry-',
  service: 'svc-',
  session: 'node-',
} as const satisfies Record<(typeof namedKinds)[number], string>

export type NamedKind = keyof typeof beginnings

export function nameOf(kind: NamedKind, suffix: string): string {
  return `${beginnings[kind]}${suffix}`
}

const anyNamed: fc.Arbitrary<PlainRule> = fc
  .record({
    kind: fc.constantFrom(...namedKinds, 'node' as const, 'service' as const),
    isPrefix: fc.boolean(),
    suffix: fc.constantFrom(...suffixes),
    about: fc.constantFrom('all', 'own', 'below', 'name', 'name', 'name'),
    level: fc.constantFrom('read', 'read', 'write', 'write', 'deny', 'list' as const),
    ofIntentions: fc.constantFrom(undefined, undefined, 'read', 'write', 'write', 'deny'),
  })
  .map(({ kind, isPrefix, suffix, about, level: any, ofIntentions }): PlainRule => {
    const level = any === 'list' && kind !== 'key' ? 'read' : any
    const rest = kind === 'service' ? { kind, level, intentions: ofIntentions } : { kind, level }
    if (about === 'all') return { ...rest, isPrefix: true, name: '' }
    const name = nameOf(kind, suffix)
    if (about === 'own' && name.startsWith('node-')) return { ...rest, isPrefix, name: ownNode }
    const below = about === 'below' && kind === 'key' ? '/below' : ''
    return { ...rest, isPrefix, name: `${name}${below}` }
  })

const anyScalar: fc.Arbitrary<PlainRule> = fc
  .tuple(fc.constantFrom(...scalarKinds), fc.constantFrom('read', 'write', 'deny'))
  .map(([kind, level]) => ({ kind, isPrefix: false, name: '', level }))

export const anyRule: fc.Arbitrary<PlainRule> = fc.oneof(
  { weight: 6, arbitrary: anyNamed },
  { weight: 1, arbitrary: anyScalar },
)

/** Rules, each in a policy of its own: the same name may have several. */
export const anyRules: fc.Arbitrary<readonly PlainRule[]> = fc.array(anyRule, {
  minLength: 2,
  maxLength: 20,
})

export const anyDeny: fc.Arbitrary<PlainRule> = anyRule.map(denyOf)

function denyOf(rule: PlainRule): PlainRule {
  const deny = { ...rule, level: 'deny' } as const
  return rule.intentions === undefined ? deny : { ...deny, intentions: 'deny' }
}

/** Takes most of {@link allRules} away. */
export const largeDeny: PlainRule = { kind: 'node', isPrefix: true, name: '', level: 'deny' }

/** In the rule language. */
export function textOf({ kind, isPrefix, name, level, intentions }: PlainRule): string {
  if (isScalar(kind)) return `${kind} = "${level}"`
  const more = intentions === undefined ? '' : ` intentions = "${intentions}"`
  return `${kind}${isPrefix ? '_prefix' : ''} ${JSON.stringify(name)} { policy = "${level}"${more} }`
}

/** Every kind and every name. */
export const allRules: readonly PlainRule[] = [...namedKinds, ...scalarKinds].map((kind) => ({
  kind,
  isPrefix: !isScalar(kind),
  name: '',
  level: 'write',
  intentions: kind === 'service' ? 'write' : undefined,
}))

export type May = (kind: Kind, name: string, access?: Access) => boolean

/** An exact rule decides, else the longest prefix, else the default; deny wins, then write, then list. */
export function naive(rules: readonly PlainRule[], isOpen: boolean): May {
  return (kind, name, access = 'read') => {
    if (kind === 'intention') return naive(intentionRules(rules), isOpen)('service', name, access)
    const own = rules.filter((rule) => rule.kind === kind)
    // The default never allows anything with tokens.
    const byDefault = isOpen && kind !== 'acl'
    if (access === 'write-prefix') return mayWriteAll(own, name, byDefault)
    const about = own.filter((rule) =>
      rule.isPrefix ? name.startsWith(rule.name) : name === rule.name,
    )
    const rank = (rule: PlainRule): number => (rule.isPrefix ? rule.name.length : Infinity)
    const best = Math.max(...about.map(rank))
    const level = strongest(about.filter((rule) => rank(rule) === best))
    return level === undefined ? byDefault : allows(level, access)
  }
}

/** The rules of services as rules of intentions: of those with one name, the ones that say something about intentions count. */
function intentionRules(rules: readonly PlainRule[]): readonly PlainRule[] {
  const own = rules.filter(({ kind }) => kind === 'service')
  return own.flatMap((rule): readonly PlainRule[] => {
    const { intentions, isPrefix, name } = rule
    if (intentions !== undefined) return [{ ...rule, level: intentions }]
    const same = own.filter((other) => other.isPrefix === isPrefix && other.name === name)
    if (same.some((other) => other.intentions !== undefined)) return []
    const level = strongest(same) === 'deny' ? 'deny' : 'read'
    return [{ ...rule, level }]
  })
}

/** The prefix that covers all of them lets write, and so does every rule below it. */
function mayWriteAll(own: readonly PlainRule[], prefix: string, byDefault: boolean): boolean {
  const covering = own.filter((rule) => rule.isPrefix && prefix.startsWith(rule.name))
  const longest = Math.max(...covering.map(({ name }) => name.length))
  const level = strongest(covering.filter(({ name }) => name.length === longest))
  if (level !== undefined && level !== 'write') return false
  for (const isPrefix of [true, false]) {
    const below = own.filter((rule) => rule.isPrefix === isPrefix && rule.name.startsWith(prefix))
    for (const { name } of below) {
      if (strongest(below.filter((rule) => rule.name === name)) !== 'write') return false
    }
  }
  return level === 'write' || byDefault
}

function strongest(rules: readonly PlainRule[]): PlainRule['level'] | undefined {
  const order = ['deny', 'write', 'list', 'read'] as const
  return order.find((level) => rules.some((rule) => rule.level === level))
}

function allows(level: PlainRule['level'], access: Access): boolean {
  if (level === 'deny') return false
  return level === 'write' || access === 'read' || (access === 'list' && level === 'list')
}

function isScalar(kind: RuleKind): boolean {
  return (scalarKinds as readonly string[]).includes(kind)
}
