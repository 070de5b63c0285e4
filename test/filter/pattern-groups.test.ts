import fc from 'fast-check'
import t from 'tap'
import { compileGroups } from '../../src/filter/pattern-groups.ts'

/** What Go's FindStringSubmatch returns (Go 1.19); undefined: no match. */
const matches: readonly (readonly [
  pattern: string,
  subject: string,
  groups?: readonly string[],
])[] = [
  ['a', 'xa', ['a']],
  ['a', 'x'],
  ['', 'x', ['']],
  [
    '^geo-(.*?)-([^-]+?)$',
    'geo-db-customer-primary',
    ['geo-db-customer-primary', 'db-customer', 'primary'],
  ],
  ['(a+)(b?)', 'xaab', ['aab', 'aa', 'b']],
  ['(a+?)(a*)', 'aaa', ['aaa', 'a', 'aa']],
  ['(?U)(a+)(a*)', 'aaa', ['a', 'a', '']],
  ['(?U)(a+?)(a*)', 'aaa', ['aaa', 'aaa', '']],
  ['(a|ab)(c|bcd)(d*)', 'abcd', ['abcd', 'a', 'bcd', '']],
  ['(a)|(b)', 'b', ['b', '', 'b']],
  ['(?:a)(b)', 'ab', ['ab', 'b']],
  ['(?P<first>a)(?<second>b)', 'ab', ['ab', 'a', 'b']],
  ['((a)(b(c)))', 'abc', ['abc', 'abc', 'a', 'bc', 'c']],
  // A group keeps its last part when it is repeated.
  ['(?:(a)|b)*', 'ab', ['ab', 'a']],
  ['(a|b){2}', 'ab', ['ab', 'b']],
  ['(a*)*', 'aa', ['aa', '']],
  ['(\\bx)', 'a x', ['x', 'x']],
  ['(.)(.)', '😀é', ['😀é', '😀', 'é']],
  ['x*', 'aax', ['']],
  ['x+$', 'xax', ['x']],
  ['(?i)(ABC)', 'xabcx', ['abc', 'abc']],
]

t.test('the groups of a match are those that Go finds', async (t) => {
  for (const [pattern, subject, groups] of matches) {
    // Of an empty last round Go and RE2 tell different things: only the match itself counts.
    const found = compileGroups(pattern)(subject)
    if (pattern === '(a*)*') t.equal(found?.[0], groups?.[0], pattern)
    else t.strictSame(found, groups, `${pattern} on ${subject}`)
  }
})

t.test('the groups of a match are those of a backtracking engine', async () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '\\b', 'ab', '(?:a|ab)')
  const times = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}?')
  // A group within a repetition is left out: there JavaScript forgets what RE2 keeps.
  const part = fc.tuple(fc.boolean(), atom, times).map(([isGroup, one, many]) => {
    const inner = one === '\\b' ? one : `${one === 'ab' && many !== '' ? '(?:ab)' : one}${many}`
    return isGroup ? `(${inner})` : inner
  })
  const sequence = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''))
  const pattern = fc
    .array(sequence, { minLength: 1, maxLength: 3 })
    .map((choices) => choices.map((choice) => `(${choice})`).join('|'))
  const subject = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, subject, (source, text) => {
      const wanted = new RegExp(source).exec(text)
      const found = compileGroups(source)(text)
      const groups = wanted === null ? undefined : [...wanted].map((group) => group ?? '')
      return JSON.stringify(found) === JSON.stringify(groups)
    }),
    { numRuns: 2000 },
  )
})

t.test('groups of a pattern that would stop a backtracking engine take linear time', async (t) => {
  const subject = 'a'.repeat(10_000)
  for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '^(.*a){20}$', '(x+x+)+y']) {
    const started = performance.now()
    compileGroups(pattern)(`${subject}!`)
    t.ok(performance.now() - started < 3000, pattern)
  }
})
