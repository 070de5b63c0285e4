import t from 'tap'
import { Batch } from '../../src/ui/core/batch.ts'
import { totalOf, worstOf } from '../../src/ui/core/health.ts'
import { reasonText } from '../../src/ui/core/reason-text.ts'
import { matchPath, pathTo, withParameters } from '../../src/ui/core/route.ts'
import { ServerEventReader } from '../../src/ui/core/server-events.ts'
import { parseSort, sorted, sortText, toggled } from '../../src/ui/core/sort.ts'
import { firstLine, numberText, visibleText } from '../../src/ui/core/text.ts'
import { agoText, clockText, exactText } from '../../src/ui/core/time-text.ts'
import { visibleRows } from '../../src/ui/core/window.ts'

// The pure parts of the web UI, without a browser.

const names = [
  'web',
  'a/b',
  'a b',
  '100%',
  'ä',
  '?q=1',
  '#x',
  '..',
  '.',
  '%2F',
  '<b>',
  '\u202e',
  '&amp;',
  "'",
  '"',
  'a//b',
  'http://x/y?z',
]

t.test('each name goes into a path and comes back', async (t) => {
  for (const name of names) {
    const url = new URL(pathTo('services', name, 'n1', name), 'http://127.0.0.1/')
    const path = url.pathname.replace('/ui/', '')
    const values = matchPath('services/:service/:node/:id', path)
    t.strictSame(values, { service: name, node: 'n1', id: name }, JSON.stringify(name))
  }
})

t.test('a path that fits no pattern is no page', async (t) => {
  t.equal(matchPath('services/:name', 'services'), undefined)
  t.equal(matchPath('services/:name', 'services/a/b'), undefined)
  t.equal(matchPath('services/:name', 'services/%zz'), undefined)
  t.strictSame(matchPath('services/:name', 'services/a/'), { name: 'a' })
  t.equal(withParameters('/ui/x', { q: '', tab: undefined }), '/ui/x')
  t.equal(withParameters('/ui/x', { q: 'a b&c' }), '/ui/x?q=a+b%26c')
})

t.test('a stream is taken apart wherever it is cut', async (t) => {
  const stream = 'retry: 1000\n\nid: 4\ndata: [1]\n\n:\n\nid: 5\r\ndata: [1,\r\ndata: 2]\r\n\r\n'
  for (let size = 1; size <= stream.length; size++) {
    const reader = new ServerEventReader()
    const events = []
    for (let at = 0; at < stream.length; at += size) {
      events.push(...reader.push(stream.slice(at, at + size)))
    }
    t.strictSame(
      events,
      [
        { id: '4', data: '[1]' },
        { id: '5', data: '[1,\n2]' },
      ],
      `pieces of ${size}`,
    )
  }
})

t.test('only the rows that can be seen are drawn, with a few more', async (t) => {
  t.strictSame(visibleRows(10_000, 36, 0, 720), { from: 0, to: 29 })
  t.strictSame(visibleRows(10_000, 36, 36 * 500, 720), { from: 492, to: 529 })
  t.strictSame(visibleRows(10, 36, 36 * 500, 720), { from: 2, to: 10 }, 'behind the end')
  t.strictSame(visibleRows(0, 36, 0, 720), { from: 0, to: 0 })
  t.strictSame(visibleRows(100, 36, -2000, 720).to, 9, 'below the window')
})

t.test('rows keep their order where their keys are the same', async (t) => {
  const rows = [
    { n: 2, id: 'a' },
    { n: 1, id: 'b' },
    { n: 2, id: 'c' },
  ]
  const ids = (isDescending: boolean) =>
    sorted(rows, ({ n }) => n, isDescending).map(({ id }) => id)
  t.strictSame(ids(false), ['b', 'a', 'c'])
  t.strictSame(ids(true), ['a', 'c', 'b'])
  const byName = { column: 'name', isDescending: false }
  t.strictSame(parseSort('-status', byName), { column: 'status', isDescending: true })
  t.strictSame(parseSort('', byName), byName)
  t.equal(sortText(toggled(byName, 'name')), '-name')
  t.equal(sortText(toggled(byName, 'status')), 'status')
})

t.test('characters that hide or turn text are shown as such', async (t) => {
  t.equal(visibleText('a\u202eb'), 'a\\u{202e}b')
  t.equal(visibleText('\u001b[31mred\u001b[0m'), 'red')
  t.equal(visibleText('\u001b]0;x\u0007'), '\\u{1b}]0;x\\u{7}')
  t.equal(visibleText('a\r\nb\tc'), 'a\nb\tc')
  t.equal(visibleText('<script>é漢'), '<script>é漢')
  const numbers = [0, 7, 999, 1000, 12_345, 1_234_567].map(numberText)
  t.strictSame(numbers, ['0', '7', '999', '1,000', '12,345', '1,234,567'])
  t.equal(firstLine('\n  first\nsecond'), 'first')
  t.equal(firstLine('x'.repeat(500), 10), `${'x'.repeat(9)}…`)
})

t.test('the reason of a status begins with what matters', async (t) => {
  const http = 'HTTP GET http://10.9.0.2:8080/health'
  const cases = [
    [
      `${http}: 503 Service Unavailable Output: {"a":1}`,
      'HTTP 503 Service Unavailable from /health: {"a":1}',
    ],
    [`${http}: 500 Internal Server Error`, 'HTTP 500 Internal Server Error from /health'],
    ['connection refused\nsecond line', 'connection refused'],
    ['HTTP is not spoken here', 'HTTP is not spoken here'],
    ['', 'the check'],
  ] as const
  for (const [output, text] of cases) t.equal(reasonText(output, 'the check'), text)
})

t.test('times are short, and exact where one looks closer', async (t) => {
  const cases = [
    [0, 'now'],
    [-5000, 'now'],
    [12_000, '12 s'],
    [240_000, '4 m'],
    [3 * 3_600_000, '3 h'],
    [47 * 3_600_000, '47 h'],
    [9 * 86_400_000, '9 d'],
  ] as const
  for (const [elapsedMs, text] of cases) t.equal(agoText(elapsedMs), text)
  const time = Date.UTC(2026, 10, 28, 12, 3, 11)
  t.equal(clockText(time, true), '12:03:11')
  t.equal(exactText(time, true), '2026-11-28 12:03:11 UTC')
})

t.test('a service is as well as its worst instance', async (t) => {
  const none = { Passing: 0, Warning: 0, Critical: 0, Maintenance: 0 }
  t.equal(worstOf(none), 'unknown')
  t.equal(worstOf({ ...none, Passing: 3 }), 'passing')
  t.equal(worstOf({ ...none, Passing: 3, Maintenance: 1 }), 'maintenance')
  t.equal(worstOf({ ...none, Maintenance: 1, Warning: 1 }), 'warning')
  t.equal(worstOf({ ...none, Passing: 9, Critical: 1 }), 'critical')
  t.equal(totalOf({ Passing: 1, Warning: 2, Critical: 3, Maintenance: 4 }), 10)
})

t.test(
  'what is asked while a batch is under way is sent by itself, and nothing twice',
  async (t) => {
    const sent: (readonly string[])[] = []
    const answers: (() => void)[] = []
    const batch = new Batch<string>((items) => {
      sent.push(items)
      return new Promise((resolve) => answers.push(resolve))
    })
    const add = (...keys: readonly string[]): void => keys.forEach((key) => batch.add(key, key))
    add('a', 'b', 'a')
    await Promise.resolve()
    t.strictSame(sent, [['a', 'b']])
    add('b', 'c')
    await Promise.resolve()
    t.strictSame(sent, [['a', 'b'], ['c']])
    answers.shift()?.()
    await new Promise(setImmediate)
    add('a', 'c')
    await Promise.resolve()
    t.strictSame(sent, [['a', 'b'], ['c'], ['a']], 'once answered, a question can be asked again')
  },
)
