import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { SvcdError } from '../../../src/base/errors.ts'
import { Authorizer } from '../../../src/access/rules/authorizer.ts'
import { parseRules, rulesBytesMax } from '../../../src/access/rules/parse-rules.ts'
import { policyFrom } from '../../../src/access/rules/policy.ts'
import { namedResources, scalarResources } from '../../../src/access/rules/resource.ts'
import type { Level, Resource } from '../../../src/access/rules/resource.ts'
import { printRule } from '../../../src/access/rules/rule.ts'
import { ruleCase } from '../../helpers/access-rules.ts'
import type { RuleCase } from '../../helpers/access-rules.ts'
import { naiveAllows } from './naive.ts'

const cases = fc.nat().map((seed) => ruleCase(seed, scalarResources))
const defaults = ['allow', 'deny'] as const

function authorizerOf({ policies }: RuleCase, defaultPolicy: 'allow' | 'deny'): Authorizer {
  const read = policies.map(({ text }, at) => policyFrom(`p${at}`, text))
  return new Authorizer(read, defaultPolicy)
}

/** Without lines and what is undefined. */
function plain(rules: readonly object[]): unknown {
  return JSON.parse(JSON.stringify(rules.map((rule) => ({ ...rule, line: undefined }))))
}

t.test('each form of a policy means the same rules', async (t) => {
  fc.assert(
    fc.property(cases, ({ policies }) => {
      for (const { rules, text } of policies) {
        const read = parseRules(text)
        if (!isDeepStrictEqual(plain(read), plain(rules))) t.fail('other rules', { text, read })
      }
    }),
    { numRuns: 200 },
  )
})

t.test('a printed rule is read as the same rule', async (t) => {
  const level = fc.constantFrom<Level>('read', 'write', 'deny')
  const rule = fc.record({
    resource: fc.constantFrom(...namedResources),
    isPrefix: fc.boolean(),
    name: fc.string({
      unit: fc.oneof(
        fc.constantFrom('$', '{', '}', '"', '\\', '\n'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
    }),
    level,
  })
  fc.assert(
    fc.property(rule, (rule) => {
      t.strictSame(parseRules(printRule({ ...rule, line: 1 })), [{ ...rule, line: 1 }])
    }),
  )
})

t.test('decisions are those of the slow twin', async (t) => {
  fc.assert(
    fc.property(cases, fc.constantFrom(...defaults), (each, defaultPolicy) => {
      const authorizer = authorizerOf(each, defaultPolicy)
      const rules = each.policies.flatMap(({ rules }) => rules)
      const asks = [
        ...each.asks,
        { resource: 'intention', name: '*', access: 'read' } as const,
        { resource: 'intention', name: '*', access: 'write' } as const,
      ]
      for (const ask of asks) {
        const { resource, name, access } = ask
        const is = authorizer.allows(resource, name, access)
        if (is !== naiveAllows(rules, defaultPolicy, ask))
          t.fail('another decision', { ask, rules })
        const { isAllowed, by } = authorizer.explain(resource, name, access)
        if (isAllowed !== is) t.fail('the explanation says otherwise', { ask, rules })
        const text = each.policies[Number(by?.policy.slice(1))]?.text
        if (by !== undefined && !isAt(by.line, by.rule, text)) t.fail('no such rule', { by, text })
      }
    }),
    { numRuns: 500 },
  )
})

function isAt(line: number, rule: string, text = ''): boolean {
  return parseRules(text).some((each) => each.line === line && printRule(each) === rule)
}

t.test(
  'what is allowed for all names is allowed for each, and otherwise not for one',
  async (t) => {
    const resources: readonly Resource[] = [...namedResources, 'intention', 'operator', 'mesh']
    fc.assert(
      fc.property(cases, fc.constantFrom(...defaults), (each, defaultPolicy) => {
        const authorizer = authorizerOf(each, defaultPolicy)
        const names = each.policies.flatMap(({ rules }) =>
          rules.flatMap(({ name }) => [name, `${name}~`]),
        )
        for (const resource of resources) {
          for (const access of ['read', 'list', 'write'] as const) {
            const some = [...names, '~'].map((name) => authorizer.allows(resource, name, access))
            const all = [
              authorizer.allowsAll(resource, access),
              authorizer.allowsSome(resource, access),
            ]
            const expected = [!some.includes(false), some.includes(true)]
            if (String(all) !== String(expected))
              t.fail('all or some', { resource, access, all, expected })
            for (const prefix of names) {
              const below = [...names, `${prefix}~~`].filter((name) => name.startsWith(prefix))
              const isSome = below.some((name) => authorizer.allows(resource, name, access))
              if (authorizer.allowsBelow(resource, prefix, access) !== isSome)
                t.fail('below', { resource, access, prefix, isSome })
            }
          }
        }
      }),
      { numRuns: 300 },
    )
  },
)

t.test('a further rule that denies allows nothing that was not allowed', async (t) => {
  fc.assert(
    fc.property(cases, cases, fc.constantFrom(...defaults), (each, other, defaultPolicy) => {
      const before = each.policies.map(({ text }) => policyFrom('before', text))
      const denying = [...each.policies, ...other.policies].flatMap(({ rules }) =>
        rules.map(({ resource, isPrefix, name }) => ({
          resource,
          isPrefix,
          name,
          level: 'deny' as const,
          line: 1,
        })),
      )
      const added = [...before, { name: 'added', rules: denying.slice(0, 5) }]
      const [wide, narrow] = [
        new Authorizer(before, defaultPolicy),
        new Authorizer(added, defaultPolicy),
      ]
      for (const { resource, name, access } of each.asks) {
        const is = narrow.allows(resource, name, access)
        if (is && !wide.allows(resource, name, access)) t.fail('wider', { resource, name, access })
      }
    }),
    { numRuns: 200 },
  )
})

t.test('the order of policies does not matter', async (t) => {
  fc.assert(
    fc.property(cases, (each) => {
      const there = authorizerOf(each, 'deny')
      const back = authorizerOf({ ...each, policies: each.policies.toReversed() }, 'deny')
      for (const { resource, name, access } of each.asks) {
        const isSame = there.allows(resource, name, access) === back.allows(resource, name, access)
        if (!isSame) t.fail('other order, other decision', { resource, name, access })
      }
    }),
    { numRuns: 100 },
  )
})

t.test('any text is read, or refused with a line and a column in it', async (t) => {
  const marks = [
    '{',
    '}',
    '[',
    ']',
    '"',
    '=',
    ',',
    '\n',
    '/*',
    '*/',
    '#',
    '//',
    '<<E\n',
    '\nE\n',
    '\\',
    '${',
    ':',
  ]
  const words = [
    'key',
    'service_prefix',
    'policy',
    'intentions',
    'operator',
    'read',
    'null',
    'x',
    '1.5e3',
  ]
  const soup = fc.array(fc.constantFrom(...marks, ...words, ' ', '"a"', '"read"'), {
    maxLength: 40,
  })
  const edited = fc
    .tuple(fc.nat(), fc.nat(), fc.nat(9), fc.constantFrom(...marks, ...words, ''))
    .map(([seed, at, removed, added]) => {
      const { text } = must(ruleCase(seed, scalarResources).policies[0])
      const place = at % (text.length + 1)
      return text.slice(0, place) + added + text.slice(place + removed)
    })
  const texts = fc.oneof(
    soup.map((parts) => parts.join('')),
    edited,
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const fault = faultOf(text)
      if (fault === undefined) return
      const found = /^Failed to parse ACL rules: At (\d+):(\d+): [^]+$/.exec(fault)
      const [, line, column] = found ?? []
      const lines = text.replaceAll('\r\n', '\n').split('\n')
      const length = Array.from(lines[Number(line) - 1] ?? '').length
      const isInside =
        line !== undefined && Number(line) <= lines.length && Number(column) <= length + 1
      if (!isInside) t.fail('not in the text', { text, fault })
    }),
    { numRuns: 3000 },
  )
})

/** The text of the error; undefined if the rules are good. Any other error than of rules ends the test. */
function faultOf(text: string): string | undefined {
  try {
    parseRules(text)
    return undefined
  } catch (error) {
    if (error instanceof SvcdError) return error.message
    throw error
  }
}

t.test('anything repeated needs linear time and little stack', async (t) => {
  const size = 256 * 1024
  const parts = [
    '{',
    '[',
    '"',
    '"${',
    '"a" ',
    '<<E\n',
    '<<-E\nx\nE\n',
    '#',
    '/*',
    '// x\n',
    '\\',
    '\n',
    ' ',
    '\r',
    '1',
    'é',
    '😀',
    'a',
    'a ',
    'a-',
    'key ',
    'key = [',
    'key "a" {',
    'key "a" { policy = "read" }\n',
    'acl = ""\n',
    '{"a":',
    '[[],',
    '{"key":[',
    '{"key":[{"a":[',
    '"\\u0061',
    'key_prefix "" { policy = <<E\n',
    'policy = "read" ',
    '.5e',
    '-',
  ]
  for (const part of parts) {
    for (const text of [
      part,
      `{"key":${part}`,
      `key "a" { ${part}`,
      `key "${part}`,
      `key = [ ${part}`,
      `{ "${part}`,
    ]) {
      const before = process.cpuUsage()
      faultOf(`${text}${part.repeat(Math.floor(size / Buffer.byteLength(part)))}`)
      const { user, system } = process.cpuUsage(before)
      const seconds = (user + system) / 1e6
      // Quadratic time would be a minute.
      if (seconds > 5) t.fail(`${JSON.stringify(text)} needs ${seconds} s`)
    }
  }
  const deep = Array.from(
    { length: 2000 },
    (_, at) => `key_prefix "${'a'.repeat(at)}" { policy = "read" }`,
  )
  const authorizer = new Authorizer(
    [{ name: 'deep', rules: parseRules(deep.slice(0, 1300).join('\n')) }],
    'deny',
  )
  t.ok(authorizer.allows('key', 'a'.repeat(1000), 'read'))
  t.match(
    faultOf('#'.repeat(rulesBytesMax + 1)),
    /have 1048577 bytes, and at most 1048576 are allowed/,
  )
})
