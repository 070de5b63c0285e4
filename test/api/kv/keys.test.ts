import t from 'tap'
import { isConsul, KvApi } from './kv-api.ts'
import { checkTable, entry } from './table.ts'
import type { Row } from './table.ts'

/** What stands in the path, and the key that it is. */
const spellings: readonly (readonly [path: string, key: string])[] = [
  ['a%2Fb', 'a/b'],
  ['a%252Fb', 'a%2Fb'],
  ['a%25b', 'a%b'],
  ['a%23b', 'a#b'],
  ['a@b', 'a@b'],
  ['a%40c', 'a@c'],
  ['a%20b', 'a b'],
  ['a+b', 'a+b'],
  ['a,b', 'a,b'],
  ['a;b', 'a;b'],
  ['a:b', 'a:b'],
  ['a=b&c', 'a=b&c'],
  ['%3Fq', '?q'],
  ['%22', '"'],
  ['a%5Cb', 'a\\b'],
  ['%3Cb%3E', '<b>'],
  ['a%2e%2e%2fb', 'a../b'],
  ['a/', 'a/'],
  ['%2Fa', '/a'],
  ['%C3%A9', 'é'],
  ['%F0%9F%98%80', '😀'],
  ['~a*b', '~a*b'],
  ['A', 'A'],
  ['k'.repeat(10 * 1024), 'k'.repeat(10 * 1024)],
]

t.test('a key is what the path says, decoded once', async (t) => {
  const rows: Row[] = []
  for (const [at, [path, key]] of spellings.entries()) {
    if (isConsul && key === '/a') continue
    rows.push({ ask: `PUT kv/${path}`, send: 'v', status: 200, body: 'true' })
    const found = { status: 200, body: `[${entry(key, 'dg==', at + 1)}]`, index: `<${at + 1}>` }
    rows.push({ ask: `GET kv/${path}`, ...found })
    rows.push({
      ask: `GET kv/${path}?keys&separator=%00`,
      status: 200,
      body: JSON.stringify([key]),
      index: '*',
    })
    rows.push({ ask: `DELETE kv/${path}`, status: 200, body: 'true' })
    rows.push({ ask: `GET kv/${path}`, status: 404, body: '', index: '*' })
  }
  await checkTable(t, await KvApi.start(t), rows)
})

t.test('a path with empty or dot segments moves to the clean one', async (t) => {
  const moves: readonly (readonly [path: string, location: string])[] = [
    ['kv/a//b', '/v1/kv/a/b'],
    ['kv//a', '/v1/kv/a'],
    ['kv///a?recurse&cas=1', '/v1/kv/a?recurse&cas=1'],
    ['kv/a//', '/v1/kv/a/'],
    ['kv/a/./b', '/v1/kv/a/b'],
    ['kv/a/../b', '/v1/kv/b'],
    ['kv/a%2Fb//c%25', '/v1/kv/a%2Fb/c%25'],
    ['kv?recurse', '/v1/kv/?recurse'],
  ]
  const rows = moves
    // Consul writes this one as it decoded it, and so loses what it was.
    .filter(([path]) => !isConsul || !path.includes('%2F'))
    .map(([path, location]) => ({
      ask: `PUT ${path}`,
      send: 'v',
      status: 301,
      body: '',
      headers: { location },
    }))
  await checkTable(t, await KvApi.start(t), rows)
})

const unprintable = { status: 400, body: '' }

t.test('what cannot be a key is refused with the reason', async (t) => {
  const control = (code: string): Partial<Row> => ({
    body: `Invalid URL path "a%${code}b": a key must not contain control characters`,
  })
  const rows: Row[] = ['00', '0A', '1F', '7F'].map((code) => ({
    ask: `PUT kv/a%${code}b`,
    ...unprintable,
    svcd: { ...control(code), because: 'the text says what is wrong' },
  }))
  const nothing = { status: 404, body: '', index: '*' }
  const because = 'a key that JSON cannot show could not be told from others'
  await checkTable(t, await KvApi.start(t), [
    ...rows,
    { ask: 'GET kv/a%00b', ...unprintable, svcd: { ...control('00'), because: 'as above' } },
    { ask: 'DELETE kv/a%00b', ...unprintable, svcd: { ...control('00'), because: 'as above' } },
    {
      ask: 'GET kv/%E2%80%A8',
      ...unprintable,
      svcd: { ...nothing, because: 'a line separator is text of a language' },
    },
    {
      ask: 'GET kv/%FF',
      ...nothing,
      svcd: {
        status: 400,
        body: "Bad request: '/v1/kv/%FF' is not a valid url component",
        index: undefined,
        because,
      },
    },
    {
      ask: 'GET kv/a%zz',
      status: 400,
      body: '400 Bad Request',
      svcd: {
        body: "Bad request: '/v1/kv/a%zz' is not a valid url component",
        because: 'the text says more',
      },
    },
    { ask: 'GET kv/?keys', status: 200, body: '[]', index: '*' },
  ])
})

t.test(
  'an escaped double slash is part of the key',
  { skip: isConsul && 'Consul removes it' },
  async (t) => {
    await checkTable(t, await KvApi.start(t), [
      { ask: 'PUT kv/a%2F%2Fb', send: 'v', status: 200, body: 'true' },
      { ask: 'GET kv/a%2F%2Fb', status: 200, body: `[${entry('a//b', 'dg==', 1)}]`, index: '<1>' },
      { ask: 'PUT kv/http:%2F%2Fx%2F..%2Fy', send: 'v', status: 200, body: 'true' },
      { ask: 'GET kv/h?keys', status: 200, body: '["http://x/../y"]', index: '*' },
    ])
  },
)
