import t from 'tap'
import { suggestionsFor } from '../../src/ui/core/complete.ts'
import { globMatches } from '../../src/ui/core/glob.ts'
import { filterOf, matcherOf } from '../../src/ui/core/match.ts'
import type { Facts } from '../../src/ui/core/match.ts'
import { describeQuery, parseQuery, quoted, withTerm } from '../../src/ui/core/query.ts'

t.test('a query is read word by word, and said in words', async (t) => {
  const cases = [
    ['', ''],
    ['   ', ''],
    ['web', 'name contains web'],
    ['service:web tag:v2 status:critical', 'service is web, tag is v2, status is critical'],
    ['node:n1 meta.version:1.4', 'node is n1, meta version is 1.4'],
    ['-tag:x', 'tag is not x'],
    ['-web', 'name does not contain web'],
    ['status:warning,critical', 'status is warning or critical'],
    ['tag:"a b"', 'tag is a b'],
    ['tag:"a,b",c', 'tag is a,b or c'],
    ['"app:1"', 'name contains app:1'],
    ['TAG:V2 Status:CRITICAL', 'tag is V2, status is CRITICAL'],
    ['meta.Team.Name:x', 'meta Team.Name is x'],
    ['a-b', 'name contains a-b'],
    ['tag:http://x', 'tag is http://x'],
    ['  web   tag:v1  ', 'name contains web, tag is v1'],
  ] as const
  for (const [text, said] of cases) {
    const { terms, faults } = parseQuery(text)
    t.equal(describeQuery(terms), said, text)
    t.strictSame(faults, [], text)
  }
})

t.test('what is not understood is named with its place, and the rest holds', async (t) => {
  const cases = [
    ['web tag:', 4, /tag: needs a value/],
    ['colour:red', 0, /"colour" is not a field; use service, tag, status, node or meta\.KEY/],
    ['web status:broken', 4, /"broken" is not a status; use passing, warning/],
    ['meta:x', 0, /meta needs a key/],
    ['meta.:x', 0, /meta needs a key/],
    ['tag:"a b', 0, /a quotation mark is not closed/],
    ['web -', 4, /a minus needs something/],
    ['tag:,', 0, /needs a value/],
  ] as const
  for (const [text, at, said] of cases) {
    const { faults } = parseQuery(text)
    t.equal(faults.length, 1, text)
    t.equal(faults[0]?.at, at, text)
    t.match(faults[0]?.text, said, text)
  }
  t.equal(describeQuery(parseQuery('web colour:red tag:v1').terms), 'name contains web, tag is v1')
})

t.test('any text is read without an error, and in linear time', async (t) => {
  const pieces = ['"', ':', '-', ' ', 'tag', 'meta.', ',', '\n', '*', '\\', 'é', '\u202e', '<b>']
  let seed = 7
  for (let run = 0; run < 2000; run++) {
    let text = ''
    for (let length = 0; length < 12; length++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      text += pieces[seed % pieces.length] ?? ''
    }
    const { terms, faults } = parseQuery(text)
    t.ok([...terms, ...faults].length <= 12)
  }
  const beganMs = performance.now()
  parseQuery('-"a'.repeat(50_000))
  t.ok(performance.now() - beganMs < 2000)
})

const web: Facts = {
  name: 'web',
  service: ['web'],
  tag: ['v1', 'Primary'],
  status: 'critical',
  node: ['n1'],
  meta: { Version: '1.4.2', zone: 'north' },
}

t.test('a row fulfills a query when it fulfills all of its terms', async (t) => {
  const cases = [
    ['', true],
    ['we', true],
    ['WEB', true],
    ['service:we', false],
    ['service:we*', true],
    ['service:*', true],
    ['tag:v1 tag:primary', true],
    ['tag:v1 tag:v2', false],
    ['tag:v2,v1', true],
    ['-tag:v2', true],
    ['-tag:v1', false],
    ['-tag:v2,v1', false],
    ['status:critical', true],
    ['-status:critical', false],
    ['node:n1', true],
    ['node:n', false],
    ['meta.Version:1.4.*', true],
    ['meta.version:1.4.2', true],
    ['meta.zone:south', false],
    ['-meta.zone:south', true],
    ['meta.missing:*', false],
    ['web -api status:critical,warning tag:v1', true],
  ] as const
  for (const [text, fits] of cases) t.equal(matcherOf(parseQuery(text).terms)(web), fits, text)
})

t.test('a star stands for any characters', async (t) => {
  const cases = [
    ['*', '', true],
    ['a*', 'abc', true],
    ['*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'acb', false],
    ['aa*aa', 'aaa', false],
    ['a.c', 'abc', false],
    ['*b*', 'abc', true],
  ] as const
  for (const [pattern, text, fits] of cases) t.equal(globMatches(pattern, text), fits, pattern)
  const beganMs = performance.now()
  globMatches(`${'a*'.repeat(2000)}b`, 'a'.repeat(20_000))
  t.ok(performance.now() - beganMs < 1000, 'a pattern of many stars takes linear time')
})

t.test('terms that rows of a list cannot be judged by become a filter of the API', async (t) => {
  const selectors = { node: 'Node', meta: 'ServiceMeta' }
  const cases = [
    ['web tag:x', ''],
    ['node:n1', '(Node == `n1`)'],
    ['-node:n1,n2', 'not (Node == `n1` or Node == `n2`)'],
    ['node:web*', '(Node matches `^web.*$`)'],
    ['node:a.b*', '(Node matches `^a\\.b.*$`)'],
    ['meta.version:"1 2"', '(ServiceMeta[`version`] == `1 2`)'],
    ['node:n1 meta.a:b', '(Node == `n1`) and (ServiceMeta[`a`] == `b`)'],
    ['node:a`b', '(Node == "a`b")'],
  ] as const
  for (const [text, filter] of cases) {
    t.equal(filterOf(parseQuery(text).terms, selectors), filter, text)
  }
})

t.test('the last word of a query can be completed', async (t) => {
  const known = { service: ['web', 'web-api', 'my web', 'mail'], tag: ['v1', 'v2', 'primary'] }
  const cases = [
    ['', []],
    ['web ', []],
    ['s', ['service:', 'status:']],
    ['web', ['service:web', 'service:web-api', 'service:"my web"']],
    ['tag:v', ['tag:v1', 'tag:v2']],
    ['-tag:p', ['-tag:primary']],
    ['status:cr', ['status:critical']],
    ['status:critical', []],
    ['node:n', []],
    ['meta.a:b', []],
  ] as const
  for (const [text, words] of cases) {
    t.strictSame(
      suggestionsFor(text, known).map(({ word }) => word),
      words,
      text,
    )
  }
  t.equal(suggestionsFor('web tag:pri', known)[0]?.query, 'web tag:primary')
})

t.test('a click on a tag adds it to the query once', async (t) => {
  t.equal(withTerm('', 'tag:v1'), 'tag:v1')
  t.equal(withTerm('web', 'tag:v1'), 'web tag:v1')
  t.equal(withTerm('web tag:v1', 'tag:v1'), 'web tag:v1')
  for (const tag of ['v1', 'a b', 'a,b']) {
    const { terms } = parseQuery(`tag:${quoted(tag)}`)
    t.strictSame(
      terms.map(({ values }) => values),
      [[tag]],
    )
  }
})
