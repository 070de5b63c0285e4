import t from 'tap'
import { compileQuery } from '../../src/prepared-query/template.ts'
import { templateDefinition } from '../helpers/queries.ts'
import type { QueryText } from '../helpers/queries.ts'

const regexp = '^tp-(.*?)-(.*)$'

function rendered(text: string, name = 'tp-foo-bar', template: QueryText['template'] = {}): string {
  const definition = templateDefinition('tp-', {
    service: { service: text },
    template: { regexp, ...template },
  })
  return compileQuery(definition)(name).service
}

/** What Consul 1.8.7 makes of a text for the name `tp-foo-bar`. */
const texts: Readonly<Record<string, string>> = {
  plain: 'plain',
  '${name.full}': 'tp-foo-bar',
  '${ name.full }': 'tp-foo-bar',
  '${name.full}-${name.prefix}-${name.suffix}-${agent.segment}': 'tp-foo-bar-tp--foo-bar-',
  '${match(0)}${match(1)}': 'tp-foo-barfoo',
  '${match( 2 )}': 'bar',
  '${match(1-1)}': 'tp-foo-bar',
  '${match(-1)}${match(5)}${match(2000000000000)}': '',
  '${match("${1}")}': 'foo',
  $x: '$x',
  '%{x}': '%{x}',
  '$${name.full}': '${name.full}',
  $$x: '$x',
  '$$$${a}': '$${a}',
  '$$${name.full}': '$tp-foo-bar',
  '${name.full}}': 'tp-foo-bar}',
  'ü${name.full}': 'ütp-foo-bar',
  'a\nb': 'a\nb',
  '${\n1\n}': '1',
  '${1}': '1',
  '${1+2}x': '3x',
  '${7/2}': '3',
  '${7%2}': '1',
  '${2*3+4}': '10',
  // All operators bind alike, from left to right.
  '${2+3*4}': '20',
  '${(2+3)*4}': '20',
  '${10-3-2}': '5',
  '${0-5/2}': '-2',
  '${(0-7)/2}': '-3',
  '${(0-7)%3}': '-1',
  '${5 % -3}': '2',
  '${3 - -1}': '4',
  '${-1}': '-1',
  '${""}': '',
  '${"a"}': 'a',
  '${"a}b"}': 'a}b',
  '${"a${name.full}b"}': 'atp-foo-barb',
  '${"x${"y${"z"}"}"}': 'xyz',
  '${ "x" }y${ "z" }': 'xyz',
  '${"\\"q\\""}': '"q"',
  '${"a\\nb"}': 'a\nb',
  '${"\\x"}': '\\x',
  '${"$${x}"}': '${x}',
  '${"$x"}': '$x',
}

t.test('a text has the value that it has in Consul', async (t) => {
  for (const [text, wanted] of Object.entries(texts)) t.equal(rendered(text), wanted, text)
})

t.test('where Consul loses a character, panics or counts differently', async (t) => {
  // Consul drops a dollar at the end.
  t.equal(rendered('${name.full}$'), 'tp-foo-bar$')
  t.equal(rendered('$'), '$')
  // These end its request, or the server.
  t.equal(rendered('${match("0")}'), 'tp-foo-bar')
  t.equal(rendered('${2 + "3"}'), '5')
  // Names match in any case, so the suffix begins behind the prefix in any case.
  t.equal(rendered('${name.suffix}', 'TP-Foo'), 'Foo')
})

const syntax = 'parse error: syntax error'
const faults: Readonly<Record<string, string>> = {
  '${name.foo}': '1:3: unknown variable accessed: name.foo',
  '${Name.full}': '1:3: unknown variable accessed: Name.full',
  '${name.full.x}': '1:3: unknown variable accessed: name.full.x',
  '${match(a)}': '1:9: unknown variable accessed: a',
  '${match}': '1:3: unknown variable accessed: match',
  '${a-b}': '1:3: unknown variable accessed: a-b',
  '${ü}': '1:3: unknown variable accessed: ü',
  '${.5}': '1:3: unknown variable accessed: .5',
  'x\n ${y}': '2:4: unknown variable accessed: y',
  '${__proto__}': '1:3: unknown variable accessed: __proto__',
  '${match()}': '1:3: match: expected 1 arguments, got 0',
  '${match(1,2)}': '1:3: match: expected 1 arguments, got 2',
  '${foo(1)}': '1:3: unknown function called: foo',
  '${name.full + 1}': '__builtin_StringToInt: strconv.ParseInt: parsing "tp-": invalid syntax',
  '${match("x")}': '__builtin_StringToInt: strconv.ParseInt: parsing "x": invalid syntax',
  '${1/0}': 'division by zero',
  '${1%0}': 'division by zero',
  '${9007199254740991 * 9}': 'a number is out of range',
}
const badFormats = [
  '${',
  '${name.full',
  '${name .full}',
  '${name. full}',
  '${name.full name.full}',
  '${}',
  '${ }',
  '${name.full,}',
  '${1+}',
  '${"abc}',
  '${"a"b}',
  "${'a'}",
  '${match(0}',
  '${(1}',
  '${1)}',
  '${match(1).x}',
  '${!true}',
  '${1 == 1}',
  '${1 && 2}',
  '${true ? "a" : "b"}',
  '${# c}',
  '${0x10}',
  '${1e3}',
  '${99999999999999999999}',
]

t.test('a text that has no value is refused, in the words of Consul', async (t) => {
  const refused = (text: string, message: string): void => {
    t.throws(() => rendered(text), { name: 'TemplateError', message }, text)
  }
  for (const [text, fault] of Object.entries(faults)) {
    refused(text, `Bad evaluation for '${text}' in Service.Service: ${fault}`)
  }
  for (const text of badFormats) refused(text, `Bad format '${text}' in Service.Service: ${syntax}`)
  t.throws(() => rendered('x', 'x', { type: 'bad' }), { message: "Bad Template.Type 'bad'" })
  t.throws(() => rendered('x', 'x', { regexp: '(' }), {
    message: 'Bad Regexp: error parsing regexp: missing closing ): `(`',
  })
  t.throws(() => rendered('x', 'x', { regexp: '(a)\\1' }), { message: /^Bad Regexp: .*escape/ })
})

t.test('every text of the service is rendered, and a fault names its place', async (t) => {
  const service = {
    service: '${name.suffix}',
    failover: { nearestN: 1, datacenters: ['dc1', '${name.suffix}'] },
    ignoreCheckIds: ['${name.suffix}'],
    near: '${name.suffix}',
    tags: ['x', '${name.suffix}', ''],
    nodeMeta: { k: '${name.suffix}' },
    serviceMeta: { '${x}': '${name.suffix}' },
  }
  const render = compileQuery(templateDefinition('Pre-', { service }))
  t.match(render('pre-db'), {
    service: 'db',
    failover: { nearestN: 1, datacenters: ['dc1', 'db'] },
    ignoreCheckIds: ['db'],
    near: 'db',
    tags: ['x', 'db', ''],
    nodeMeta: { k: 'db' },
    serviceMeta: { '${x}': 'db' },
  })
  const bare = compileQuery(
    templateDefinition('p', { service, template: { removeEmptyTags: true } }),
  )
  t.strictSame(bare('p').tags, ['x'])
  t.strictSame(bare('pq').tags, ['x', 'q'])
  const places: Readonly<Record<string, QueryText['service']>> = {
    'Service.Tags[1]': { tags: ['a', '${x}'] },
    'Service.NodeMeta[k]': { nodeMeta: { k: '${x}' } },
    'Service.ServiceMeta[k]': { serviceMeta: { k: '${x}' } },
    'Service.Near': { near: '${x}' },
    'Service.IgnoreCheckIDs[0]': { ignoreCheckIds: ['${x}'] },
    'Service.Failover.Datacenters[0]': { failover: { nearestN: 0, datacenters: ['${x}'] } },
  }
  for (const [place, given = {}] of Object.entries(places)) {
    t.throws(() => compileQuery(templateDefinition('p', { service: given })), {
      message: `Bad evaluation for '\${x}' in ${place}: 1:3: unknown variable accessed: x`,
    })
  }
})

t.test('no template takes long or makes long texts, whatever it says', async (t) => {
  const name = `tp-${'a'.repeat(900)}!`
  const fast = (what: string, run: () => unknown): void => {
    const started = performance.now()
    try {
      run()
    } catch (error) {
      t.match(error, { name: 'TemplateError' }, what)
    }
    t.ok(performance.now() - started < 2000, what)
  }
  for (const hostile of ['(a+)+$', '(a|a)*$', '(.*)*(.*)*(.*)*$', '(a|aa)+$', '((a{30}){30})*$']) {
    fast(hostile, () => rendered('${match(1)}', name, { regexp: `^tp-${hostile}` }))
  }
  for (const text of [
    '${name.full}'.repeat(4000),
    `\${${'('.repeat(5000)}1${')'.repeat(5000)}}`,
    '${"'.repeat(5000),
    `\${${'-'.repeat(5000)}1}`,
    `\${${'match('.repeat(5000)}0${')'.repeat(5000)}}`,
    `\${1${'+1'.repeat(20_000)}}`,
    '$'.repeat(60_000),
    '${1'.repeat(20_000),
  ]) {
    fast(text.slice(0, 20), () => rendered(text, name))
  }
  t.throws(() => rendered('${name.full}'.repeat(5), name), { message: /longer than 4096/ })
})
