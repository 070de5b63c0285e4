import fc from 'fast-check'
import t from 'tap'
import { isBroken, pathOf, readJson } from '../../src/config/json-text.ts'

/** Text, line and column of the fault, and what its reason says. */
const broken: readonly (readonly [string, number, number, string])[] = [
  ['', 1, 1, 'expected a value, found the end of the file'],
  ['{\n  "a": 1,\n}', 3, 1, 'trailing comma before "}"'],
  ['[1, 2,]', 1, 7, 'trailing comma before "]"'],
  ['{"a": 1\n "b": 2}', 2, 2, 'expected "," or "}", found "\\""'],
  ['{"a" 1}', 1, 6, 'expected ":" after the key, found "1"'],
  ["{'a': 1}", 1, 2, 'expected a key in double quotes, found "\'"'],
  ['{"a": tru}', 1, 7, 'expected a value, found "t"'],
  ['{"a": 01}', 1, 8, 'expected "," or "}", found "1"'],
  [
    '{"a": "x\ny"}',
    1,
    7,
    'this string has no closing quote, or contains a character that must be escaped',
  ],
  ['{"a": 1} {', 1, 10, 'there is text after the end of the JSON document'],
  ['['.repeat(100), 1, 66, 'nested deeper than 64 levels'],
]

for (const [text, line, column, reason] of broken) {
  t.test(`a fault is told by line and column: ${JSON.stringify(text.slice(0, 20))}`, async (t) => {
    t.match(readJson(text), { fault: { line, column, reason } })
  })
}

t.test('a long text with a wrong escape is refused immediately', async (t) => {
  // The time grew exponentially with its length, and an agent hung at its start.
  const text = `{"a": "${'x'.repeat(100_000)}\\x27 ${'y'.repeat(100_000)}"}`
  const start = performance.now()
  t.match(readJson(text), { fault: { line: 1, column: 7 } })
  t.ok(performance.now() - start < 2000)
})

t.test('it takes what JSON.parse takes, with the same result, and nothing else', async (t) => {
  const verdict = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return 'broken'
    }
  }
  const own = (text: string): unknown => {
    const read = readJson(text)
    return isBroken(read) ? 'broken' : read.value
  }
  const noise = fc.array(
    fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', 'u00e9', '1', '-', '.', 'e', ' ', 'a'),
  )
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 5 }),
      fc.nat(3),
      noise,
      fc.nat(),
      (value, indent, cut, at) => {
        const text = JSON.stringify(value, undefined, indent)
        t.same(own(text), verdict(text))
        const where = at % (text.length + 1)
        const spoilt = text.slice(0, where) + cut.join('') + text.slice(where)
        t.same(own(spoilt), verdict(spoilt), spoilt)
      },
    ),
  )
})

t.test('values and keys are found by path, whatever their case', async (t) => {
  const read = readJson(
    '\uFEFF{\n  "Services": [\n    {"tls_name": 1},\n    {"b": 2, "b": 3}\n  ]\n}',
  )
  if (isBroken(read)) throw new Error('it is JSON')
  t.strictSame(read.positionOf(pathOf('services[0].TLSName')), { line: 3, column: 18 })
  t.strictSame(read.positionOf(pathOf('services[1].missing.too')), { line: 4, column: 5 })
  t.strictSame(read.positionOfKey(['services'], 'tlsName'), { line: 3, column: 6 })
  t.match(read.duplicates, [
    { line: 4, column: 14, reason: /the key "b" appears twice in this object/ },
  ])
})
