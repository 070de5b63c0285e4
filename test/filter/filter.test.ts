import fc from 'fast-check'
import t from 'tap'
import { compileFilter } from '../../src/filter/compile.ts'
import type { Fields } from '../../src/filter/fields.ts'
import { parseFilter } from '../../src/filter/parse.ts'
import { compilePattern } from '../../src/filter/pattern.ts'

const fields: Fields = {
  ID: { kind: 'string' },
  Note: { kind: 'string' },
  Port: { kind: 'integer' },
  Flag: { kind: 'boolean' },
  Tags: { kind: 'strings' },
  Meta: { kind: 'map', of: { kind: 'string' } },
  Addresses: {
    kind: 'map',
    of: { kind: 'object', fields: { Address: { kind: 'string' }, Port: { kind: 'integer' } } },
  },
  Node: { kind: 'object', fields: { Name: { kind: 'string' } } },
  Checks: {
    kind: 'objects',
    fields: { Status: { kind: 'string' }, Tags: { kind: 'strings' } },
  },
}

const row = {
  ID: 'web-1',
  Port: 8080,
  Tags: ['v1', 'B'],
  Meta: { version: '1', 'a b': 'x"y', empty: '' },
  Addresses: { lan: { Address: '10.0.0.1', Port: 80 } },
  Node: { Name: 'n1' },
  Checks: [
    { Status: 'passing', Tags: [] },
    { Status: 'warning', Tags: ['v1'] },
  ],
}

const accepted: readonly (readonly [expression: string, isKept: boolean])[] = [
  ['ID == "web-1"', true],
  ['ID=="web-1"', true],
  ['  ID  ==\n\t"web-1"  ', true],
  ['ID == `web-1`', true],
  ['ID == web', false],
  ['ID != web', true],
  ['ID == "web\\x2d1"', true],
  ['ID == "web\\u002d1"', true],
  ['ID == "web\\0551"', true],
  ['Meta["a b"] == "x\\"y"', true],
  ['Meta[ "a b" ] == `x"y`', true],
  ['Port == 8080', true],
  ['Port == "8080"', true],
  ['Port == "0x1f90"', true],
  ['Port == -1', false],
  ['Port != 80', true],
  ['Flag == false', true],
  ['Flag != T', true],
  ['v1 in Tags', true],
  ['"v1" in Tags', true],
  ['b in Tags', false],
  ['b not in Tags', true],
  ['Tags contains B', true],
  ['Tags not contains B', false],
  ['Tags is empty', false],
  ['Tags is not empty', true],
  ['ID contains "eb-"', true],
  ['"eb-" in ID', true],
  ['1 in ID', true],
  ['Note is empty', true],
  ['Note == ""', true],
  ['version in Meta', true],
  ['Meta contains "a b"', true],
  ['Meta contains nope', false],
  ['Meta is empty', false],
  ['Meta.version == 1', true],
  ['Meta.nope == 1', false],
  ['Meta.nope != 1', true],
  ['Meta.nope is empty', true],
  ['Meta.nope is not empty', false],
  ['Meta.empty is empty', true],
  ['Meta.nope matches ".*"', false],
  ['Meta.nope not matches x', true],
  ['x in Meta.nope', false],
  ['x not in Meta.nope', true],
  ['Meta.toString is empty', true],
  ['Addresses.lan.Address == "10.0.0.1"', true],
  ['Addresses.lan.Port == 80', true],
  ['Addresses.wan.Port == 80', false],
  ['Addresses.wan.Port != 80', true],
  ['Addresses contains lan', true],
  ['Node.Name == n1', true],
  ['Node["Name"] == n1', true],
  ['Checks.Status == passing', true],
  ['Checks.Status != passing', true],
  ['not Checks.Status == passing', false],
  ['Checks.Status == critical', false],
  ['Checks.Tags contains v1', true],
  ['Checks is empty', false],
  ['ID matches "^web-[0-9]+$"', true],
  ['ID not matches "^web-[0-9]+$"', false],
  ['ID matches "WEB"', false],
  ['ID matches "(?i)WEB"', true],
  ['not ID == web', true],
  ['not not ID == web', false],
  ['not not not ID == web', true],
  ['(ID == web)', false],
  ['((ID == web or Port == 8080))', true],
  ['( ID == web ) or ( Port == 8080 )', true],
  ['ID == web and Port == 8080 or Flag == false', true],
  ['ID == web and (Port == 8080 or Flag == false)', false],
  ['Flag == false or ID == web and Port == 1', true],
  ['not ID == web and Port == 8080', true],
  ['not (ID == web or Port == 8080)', false],
  ['ID == not', false],
  ['ID == and', false],
  ['ID == a.b', false],
]

t.test('an expression keeps a row, or not', async (t) => {
  for (const [expression, isKept] of accepted) {
    t.equal(compileFilter(expression, fields)(row), isKept, expression)
  }
})

const refused: readonly (readonly [expression: string, place: string, fault: RegExp])[] = [
  ['', '1:1 (0)', /expected a selector, a value, "not" or "\("/],
  ['ID ==', '1:6 (5)', /expected a value, found the end/],
  ['ID', '1:3 (2)', /expected "==", .*"in" or "not in", found the end/],
  ['"ID"', '1:5 (4)', /expected "in" or "not in"/],
  ['"ID" == x', '1:5 (4)', /expected "in" or "not in", found "=="/],
  ['ID == web-1', '1:10 (9)', /found "-1"\. Quote values that contain/],
  ['ID == x AND Port == 1', '1:9 (8)', /expected "and", "or" or the end .*found "AND"/],
  ['ID == x and', '1:9 (8)', /expected "and", "or" or the end/],
  ['ID == x and ', '1:13 (12)', /expected a selector/],
  ['ID == x andPort == 1', '1:9 (8)', /expected "and"/],
  ['(ID == x', '1:9 (8)', /Unmatched parentheses: expected a "\)" for the "\(" in column 1/],
  ['ID == x)', '1:8 (7)', /found "\)"/],
  ['not(ID == x)', '1:4 (3)', /expected "=="/],
  ['ID == "x', '1:7 (6)', /Unterminated string literal/],
  ['ID == `x', '1:7 (6)', /Unterminated string literal/],
  ['ID == "\\q"', '1:8 (7)', /Invalid escape/],
  ['ID == "\\U00110000"', '1:18 (17)', /not a Unicode character/],
  ["ID == 'x'", '1:7 (6)', /expected a value, found "'x'"/],
  ['Port == 08', '1:9 (8)', /Invalid number literal/],
  ['Port == 1e3', '1:9 (8)', /Invalid number literal/],
  ['5 in', '1:2 (1)', /expected "in" or "not in"/],
  ['5 in ', '1:6 (5)', /Invalid selector/],
  ['5 in 6', '1:6 (5)', /Invalid selector/],
  ['Meta[x] == 1', '1:6 (5)', /Invalid index/],
  ['Meta["x" == 1', '1:10 (9)', /Unclosed index expression/],
  ['Meta. == 1', '1:6 (5)', /expected a name after "\."/],
  [
    'ID == x and\n  Foo == 1',
    '2:3 (14)',
    /Selector "Foo" is not valid; the fields are Addresses, Checks/,
  ],
  ['ID == "é" and Foo == 1', '1:15 (15)', /Selector "Foo" is not valid/],
  ['id == x', '1:1 (0)', /Selector "id" is not valid/],
  ['toString == x', '1:1 (0)', /Selector "toString" is not valid/],
  ['ID.x == 1', '1:1 (0)', /Selector "ID\.x" is not valid; it has no fields/],
  ['Tags.x == 1', '1:1 (0)', /Selector "Tags\.x" is not valid/],
  ['Node == 1', '1:1 (0)', /Invalid match operator "Equal" for selector "Node"/],
  ['Tags == v1', '1:1 (0)', /Invalid match operator "Equal" for selector "Tags"/],
  ['Port matches x', '1:1 (0)', /Invalid match operator "Matches" for selector "Port"/],
  ['Port is empty', '1:1 (0)', /Invalid match operator "IsEmpty" for selector "Port"/],
  ['5 in Port', '1:1 (0)', /Invalid match operator "In" for selector "Port"/],
  ['Port == x', '1:1 (0)', /Failed to coerce value "x" for selector "Port" to a whole number/],
  ['Port == 1.5', '1:1 (0)', /Failed to coerce value "1\.5"/],
  ['Flag == yes', '1:1 (0)', /Failed to coerce value "yes" .*true or false/],
  ['ID matches "("', '1:1 (0)', /Failed to compile regular expression "\(": missing closing \)/],
]

t.test('a fault is told with its place', async (t) => {
  for (const [expression, place, fault] of refused) {
    try {
      compileFilter(expression, fields)
      t.fail(`accepted: ${expression}`)
    } catch (error) {
      const { message } = error as Error
      t.match(error, { code: 'invalid-filter' }, expression)
      t.match(message, `Failed to create boolean expression evaluator: ${place}: `, expression)
      t.match(message, fault, expression)
    }
  }
})

t.test('size and depth have an end, and what is below it is fast', async (t) => {
  const nested = (depth: number): string => `${'('.repeat(depth)}ID == x${')'.repeat(depth)}`
  t.equal(compileFilter(nested(100), fields)(row), false)
  t.throws(() => parseFilter(nested(101)), /1:101 \(100\): parentheses are nested over 100 levels/)
  t.throws(() => parseFilter(nested(1000)), /nested over 100 levels/)
  t.throws(
    () => parseFilter(`ID == "${'x'.repeat(1024 * 1024)}"`),
    /has 1048584 bytes; the limit is 65536/,
  )
  t.equal(compileFilter(`${'not '.repeat(10_001)}ID == x`, fields)(row), true, 'not is counted')
  const many = Array.from({ length: 3000 }, () => 'ID == x').join(' or ')
  t.equal(compileFilter(`${many} or Port == 8080`, fields)(row), true)
  t.throws(() => parseFilter(`${'ID == x and '.repeat(5000)}(`), /expected a selector/)
})

t.test('no text makes the parser fail otherwise than by its error', async () => {
  const words =
    'ID Port == != in not is empty contains matches and or ( ) [ ] " ` . 1 - x "a" \\ é \n'.split(
      ' ',
    )
  const word = fc.constantFrom(...words)
  const texts = fc.array(word, { maxLength: 20 }).map((words) => words.join(' '))
  fc.assert(
    fc.property(fc.oneof(texts, fc.string()), (text) => {
      try {
        compileFilter(text, fields)(row)
      } catch (error) {
        return (error as { code?: unknown }).code === 'invalid-filter'
      }
      return true
    }),
    { numRuns: 3000 },
  )
})

const patterns: readonly (readonly [pattern: string, matches: string, misses: string])[] = [
  ['', '', 'nothing misses'],
  ['a.c', 'xabcx', 'a\nc'],
  ['(?s)a.c', 'a\nc', 'ac'],
  ['^a$', 'a', 'a\n'],
  ['(?m)^a$', 'x\na\ny', 'ba'],
  ['\\Aa\\z', 'a', 'a\n'],
  ['a|b|cd', 'xcd', 'c'],
  ['a*b+c?', 'b', 'a'],
  ['^a{2,3}$', 'aaa', 'aaaa'],
  ['^a{2}$', 'aa', 'a'],
  ['^a{2,}$', 'aaaaa', 'a'],
  ['^a{,2}$', 'a{,2}', 'a'],
  ['x{', 'x{', 'x'],
  ['^[a-c]+?$', 'abc', 'd'],
  ['^[^a-c]$', 'd', 'a'],
  ['^[]a]+$', ']a', 'b'],
  ['^[^]a]$', 'b', ']'],
  ['^[a\\-z]+$', 'a-z', 'b'],
  ['^[a-]+$', '-a', 'b'],
  ['^[[:alpha:]_]+$', 'aZ_', 'a1'],
  ['^[[:^alpha:]]+$', '12', 'a'],
  ['^[\\d\\s]+$', '1 2', 'a'],
  ['^\\w+\\W\\d\\D\\s\\S$', 'ab-1x y', 'ab'],
  ['\\bweb\\b', 'a web b', 'webs'],
  ['\\Beb', 'web', 'eb'],
  ['^(?i)WEB-É$', 'web-é', 'wab-é'],
  ['^(?i:W)eb$', 'web', 'wEB'],
  ['^(?i)a(?-i)b$', 'Ab', 'AB'],
  ['(?P<name>a)(?:b)(c)', 'abc', 'ab'],
  ['^\\Qa.b\\E$', 'a.b', 'axb'],
  ['^\\x41\\x{1F600}\\n\\t\\101$', 'A😀\n\tA', 'A'],
  ['^.$', '😀', 'ab'],
  ['^\\pL\\p{Greek}\\P{Lu}$', 'aαb', 'aαB'],
  ['^\\p{^Lu}$', 'a', 'A'],
  ['^(a*)*$', 'aaaa', 'b'],
  ['^(|a)+$', 'aa', 'b'],
  ['\\.', 'a.b', 'ab'],
  ['ß', 'ß', 'SS'],
]

t.test('matches reads patterns as RE2 does', async (t) => {
  for (const [pattern, hit, miss] of patterns) {
    const matches = compilePattern(pattern)
    t.equal(matches(hit), true, `${pattern} on ${JSON.stringify(hit)}`)
    if (pattern !== '') t.equal(matches(miss), false, `${pattern} on ${JSON.stringify(miss)}`)
  }
})

const faults: readonly (readonly [pattern: string, fault: string])[] = [
  ['(', 'missing closing ): `(`'],
  [')', 'unexpected ): `)`'],
  ['[a', 'missing closing ]: `[a`'],
  ['[z-a]', 'invalid character class range: `z-a`'],
  ['[[:nope:]]', 'invalid character class range: `[:nope:]`'],
  ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
  ['*a', 'missing argument to repetition operator: `*`'],
  ['a**', 'invalid nested repetition operator: `*`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['a{3,2}', 'invalid repeat count: `{3,2}`'],
  ['a\\', 'trailing backslash at end of expression: ``'],
  ['(a)\\1', 'invalid escape sequence: `\\1`'],
  ['\\y', 'invalid escape sequence: `\\y`'],
  ['\\x{110000}', 'invalid escape sequence: `\\x{110000}`'],
  ['a(?=b)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['a(?!b)', 'invalid or unsupported Perl syntax: `(?!`'],
  ['(?<!b)', 'invalid or unsupported Perl syntax: `(?<`'],
  ['((a{100}){100}){100}', 'expression needs over 2000 steps'],
  ['('.repeat(1000), 'expression nests over 100 groups'],
]

t.test('what RE2 does not take is refused, and what would be too large', async (t) => {
  for (const [pattern, fault] of faults) {
    t.throws(() => compilePattern(pattern), { name: 'PatternError', message: fault }, pattern)
  }
})

t.test('a pattern gives the verdict of a backtracking engine', async () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '^', '$', '\\b', '\\w', '(?:a|b)')
  const piece = fc
    .tuple(atom, fc.constantFrom('', '', '*', '+', '?', '*?', '{2}', '{1,2}'))
    .map(([of, times]) => (/^(\^|\$|\\b)$/.test(of) ? of : of + times))
  const sequence = fc.array(piece, { maxLength: 5 }).map((parts) => parts.join(''))
  const pattern = fc
    .tuple(sequence, sequence, fc.constantFrom('', '*', '+', '?'))
    .map(([a, b, times]) => `(?:${a}|${b})${times}`)
  const subject = fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é', '😀'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, subject, (source, text) => {
      return compilePattern(source)(text) === new RegExp(source, 'u').test(text)
    }),
    { numRuns: 2000 },
  )
})

t.test('a pattern that would stop a backtracking engine takes linear time', async (t) => {
  const subject = 'a'.repeat(4096)
  for (const pattern of [
    '^(a+)+$',
    '^(a|a)*$',
    '^(a*)*b',
    '(.*)*x',
    `${'a?'.repeat(60)}${'a'.repeat(60)}b`,
  ]) {
    const started = performance.now()
    compilePattern(pattern)(`${subject}!`)
    t.ok(performance.now() - started < 2000, pattern)
  }
})
