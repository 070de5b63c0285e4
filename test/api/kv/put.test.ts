import t from 'tap'
import { KvApi } from './kv-api.ts'
import { checkTable, entry } from './table.ts'
import type { Row } from './table.ts'

const json = { 'content-type': 'application/json' }
const yes = { status: 200, body: 'true', headers: json }
const no = { status: 200, body: 'false', headers: json }

function refused(status: number, body: string): Pick<Row, 'status' | 'body' | 'headers'> {
  return { status, body, headers: { 'content-type': 'text/plain; charset=utf-8' } }
}

function found(text: string, index: string): Pick<Row, 'status' | 'body' | 'index'> {
  return { status: 200, body: `[${text}]`, index }
}

function syntax(text: string): Pick<Row, 'status' | 'body' | 'headers'> {
  return refused(500, `strconv.ParseUint: parsing "${text}": invalid syntax`)
}

const tooLarge = 'strconv.ParseUint: parsing "18446744073709551616": value out of range'

t.test('PUT stores the bytes of the body, whatever their type', async (t) => {
  await checkTable(t, await KvApi.start(t), [
    { ask: 'PUT kv/a', send: 'hello', ...yes },
    { ask: 'GET kv/a', ...found(entry('a', 'aGVsbG8=', 1), '<1>'), headers: json },
    {
      ask: 'PUT kv/a',
      send: 'b=1&c=%20',
      contentType: 'application/x-www-form-urlencoded',
      ...yes,
    },
    { ask: 'GET kv/a', ...found(entry('a', 'Yj0xJmM9JTIw', 1, { modify: 2 }), '<2>') },
    { ask: 'PUT kv/json', send: ' {"a" : 1', contentType: 'application/json', ...yes },
    { ask: 'GET kv/json', ...found(entry('json', 'IHsiYSIgOiAx', 3), '<3>') },
    { ask: 'PUT kv/bytes', send: Buffer.from([0, 255, 254, 10, 13, 0]), ...yes },
    { ask: 'GET kv/bytes', ...found(entry('bytes', 'AP/+Cg0A', 4), '<4>') },
    { ask: 'PUT kv/chunks', chunks: ['one', 'two'], ...yes },
    { ask: 'GET kv/chunks', ...found(entry('chunks', 'b25ldHdv', 5), '<5>') },
    { ask: 'PUT kv/empty', send: '', ...yes },
    { ask: 'GET kv/empty', ...found(entry('empty', null, 6), '<6>') },
    { ask: 'PUT kv/none', ...yes },
    { ask: 'GET kv/none', ...found(entry('none', null, 7), '<7>') },
  ])
})

t.test('flags are exact up to 2^64-1, and 0 unless they are given', async (t) => {
  const rows: Row[] = [
    { ask: 'PUT kv/a?flags=18446744073709551615', send: 'v', ...yes },
    {
      ask: 'GET kv/a',
      ...found(entry('a', 'dg==', 1, { flags: '18446744073709551615' }), '<1>'),
    },
    { ask: 'PUT kv/a?flags=9007199254740993', send: 'v', ...yes },
    {
      ask: 'GET kv/?recurse',
      ...found(entry('a', 'dg==', 1, { modify: 2, flags: '9007199254740993' }), '<2>'),
    },
    { ask: 'PUT kv/a', send: 'v', ...yes },
    { ask: 'GET kv/a', ...found(entry('a', 'dg==', 1, { modify: 3 }), '<3>') },
    { ask: 'PUT kv/a?flags=007', send: 'v', ...yes },
    { ask: 'GET kv/a', ...found(entry('a', 'dg==', 1, { modify: 4, flags: '7' }), '<4>') },
    { ask: 'PUT kv/a?flags=1&flags=2', send: 'v', ...yes },
    { ask: 'GET kv/a', ...found(entry('a', 'dg==', 1, { modify: 5, flags: '1' }), '<5>') },
    { ask: 'PUT kv/f?flags=18446744073709551616', send: 'v', ...refused(500, tooLarge) },
    { ask: 'PUT kv/f?flags', send: 'v', ...syntax('') },
  ]
  for (const text of ['-1', 'abc', '', '1.5', '0x10', '+1', '1_000', '1 ', '1"']) {
    const shown = text.replace('"', '\\"')
    rows.push({ ask: `PUT kv/f?flags=${encodeURIComponent(text)}`, send: 'v', ...syntax(shown) })
  }
  rows.push({ ask: 'GET kv/f', status: 404, body: '', index: '*' })
  await checkTable(t, await KvApi.start(t), rows)
})

t.test(
  'cas writes only over the index that it names, and 0 names a key that is not there',
  async (t) => {
    await checkTable(t, await KvApi.start(t), [
      { ask: 'PUT kv/a?cas=5', send: 'v', ...no },
      { ask: 'GET kv/a', status: 404, body: '', index: '*' },
      { ask: 'PUT kv/a?cas=0', send: 'v', ...yes },
      { ask: 'PUT kv/a?cas=0', send: 'w', ...no },
      { ask: 'GET kv/a', ...found(entry('a', 'dg==', 1), '<1>') },
      { ask: 'PUT kv/a?cas=<1>&flags=3', send: 'w', ...yes },
      { ask: 'GET kv/a', ...found(entry('a', 'dw==', 1, { modify: 2, flags: '3' }), '<2>') },
      { ask: 'PUT kv/a?cas=<1>', send: 'x', ...no },
      { ask: 'PUT kv/a?cas=18446744073709551615', send: 'x', ...no },
      { ask: 'GET kv/a', ...found(entry('a', 'dw==', 1, { modify: 2, flags: '3' }), '<2>') },
      // As often as one likes, because nothing changes.
      { ask: 'PUT kv/a?cas=<2>&flags=3', send: 'w', ...yes },
      { ask: 'PUT kv/a?cas=<2>&flags=3', send: 'w', ...yes },
      { ask: 'DELETE kv/a', ...yes },
      { ask: 'PUT kv/a?cas=<2>', send: 'x', ...no },
      { ask: 'PUT kv/a?cas=0', send: 'x', ...yes },
      { ask: 'GET kv/a', ...found(entry('a', 'eA==', 3), '<3>') },
      { ask: 'PUT kv/c?cas', send: 'v', ...syntax('') },
      { ask: 'PUT kv/c?cas=', send: 'v', ...syntax('') },
      { ask: 'PUT kv/c?cas=abc', send: 'v', ...syntax('abc') },
      { ask: 'PUT kv/c?cas=-1', send: 'v', ...syntax('-1') },
      { ask: 'PUT kv/c?cas=18446744073709551616', send: 'v', ...refused(500, tooLarge) },
      { ask: 'PUT kv/c?flags=x&cas=y', send: 'v', ...syntax('x') },
    ])
  },
)

t.test('a PUT of what is there changes no index', async (t) => {
  await checkTable(t, await KvApi.start(t), [
    { ask: 'PUT kv/a?flags=1', send: 'v', ...yes },
    { ask: 'PUT kv/a?flags=1', send: 'v', ...yes },
    { ask: 'GET kv/a', ...found(entry('a', 'dg==', 1, { flags: '1' }), '<1>') },
    { ask: 'GET kv/?recurse', ...found(entry('a', 'dg==', 1, { flags: '1' }), '<1>') },
    { ask: 'PUT kv/a?flags=2', send: 'v', ...yes },
    { ask: 'GET kv/a', ...found(entry('a', 'dg==', 1, { modify: 2, flags: '2' }), '<2>') },
    { ask: 'PUT kv/a?flags=2', send: 'V', ...yes },
    { ask: 'GET kv/a', ...found(entry('a', 'Vg==', 1, { modify: 3, flags: '2' }), '<3>') },
  ])
})

t.test('cas, acquire and release exclude each other', async (t) => {
  const conflicts: readonly (readonly [string, string])[] = [
    ['cas=0&acquire=x', 'acquire=x&cas=0'],
    ['release=x&cas=0', 'cas=0&release=x'],
    ['acquire=x&release=x', 'acquire=x&release=x'],
    ['release=x&cas=0&acquire=x&flags=1', 'acquire=x&cas=0&flags=1&release=x'],
    ['cas&acquire', 'acquire=&cas='],
    ['cas=abc&acquire=1', 'acquire=1&cas=abc'],
    [
      "cas=0&acquire=x+y&b=%2F&b=%C3%A9~*!()'-_.&=&q",
      '=&acquire=x+y&b=%2F&b=%C3%A9~%2A%21%28%29%27-_.&cas=0&q=',
    ],
  ]
  const rows = conflicts.map(([query, shown]) => ({
    ask: `PUT kv/a?${query}`,
    send: 'v',
    ...refused(400, `Conflicting flags: ${shown}`),
  }))
  await checkTable(t, await KvApi.start(t), [
    ...rows,
    { ask: 'GET kv/a', status: 404, body: '', index: '*' },
  ])
})

const limit = 512 * 1024
const overLimit = refused(
  413,
  'Request body(524289 bytes) too large, max size: 524288 bytes. See https://www.consul.io/docs/agent/options.html#kv_max_value_size.',
)
const ours = {
  body: 'Request body(524289 bytes) too large, max size: 524288 bytes. Send less data, or split the request.',
  because: 'the text names the next step',
}

t.test('a value has at most 512 KiB, however it is sent', async (t) => {
  const full = Buffer.alloc(limit, 'x')
  await checkTable(t, await KvApi.start(t), [
    { ask: 'PUT kv/full', send: full, ...yes },
    { ask: 'GET kv/full?raw', status: 200, body: full.toString(), index: '<1>' },
    { ask: 'PUT kv/over', send: Buffer.alloc(limit + 1), ...overLimit, svcd: ours },
    {
      ask: 'PUT kv/over',
      chunks: [full, 'y'],
      ...yes,
      svcd: {
        ...overLimit,
        ...ours,
        because: 'Consul looks at Content-Length only; the limit is one of the value',
      },
    },
    { ask: 'PUT kv/full', chunks: [full.subarray(1), 'y'], ...yes },
    {
      ask: 'GET kv/over?keys',
      status: 200,
      body: '["over"]',
      index: '*',
      svcd: { status: 404, body: '', because: 'it was refused' },
    },
  ])
})

t.test('a PUT must name a key and the datacenter of this agent', async (t) => {
  await checkTable(t, await KvApi.start(t), [
    { ask: 'PUT kv/', send: 'v', ...refused(400, 'Missing key name') },
    { ask: 'PUT kv', send: 'v', status: 301, body: '', headers: { location: '/v1/kv/' } },
    { ask: 'PUT kv/a?dc=dc2', send: 'v', ...refused(500, 'No path to datacenter') },
    { ask: 'PUT kv/a?dc=dc1', send: 'v', ...yes },
    { ask: 'PUT kv/b?recurse&keys&raw', send: 'v', ...yes },
    { ask: 'GET kv/?keys', status: 200, body: '["a","b"]', index: '*' },
  ])
})

t.test('methods that the store does not have', async (t) => {
  const allow = { allow: 'OPTIONS,GET,PUT,DELETE' }
  await checkTable(t, await KvApi.start(t), [
    { ask: 'POST kv/a', send: 'v', ...refused(405, 'method POST not allowed'), headers: allow },
    { ask: 'PATCH kv/a', send: 'v', ...refused(405, 'method PATCH not allowed'), headers: allow },
    { ask: 'OPTIONS kv/a', status: 200, body: '', headers: allow },
    { ask: 'PUT kv/a', send: 'v', ...yes },
    {
      ask: 'HEAD kv/a',
      status: 405,
      body: '',
      headers: allow,
      svcd: { status: 200, index: '*', headers: json, because: 'a HEAD is a GET without its body' },
    },
  ])
})
