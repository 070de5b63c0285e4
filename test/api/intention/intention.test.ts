import t from 'tap'
import { Answers } from '../answers.ts'
import type { Row } from '../answers.ts'
import { KvApi, isConsul } from '../kv/kv-api.ts'
import { TestApi } from '../support.ts'

// What Consul 1.8.7 answers. With SVCD_CONSUL_URL, the table runs against it.

const missing = '11111111-1111-4111-8111-111111111111'

/** An intention as it is answered. */
function row(id: string, fields: object): string {
  return JSON.stringify({
    ID: id,
    Description: '',
    SourceNS: 'default',
    SourceName: 'web',
    DestinationNS: 'default',
    DestinationName: 'db',
    SourceType: 'consul',
    Action: 'allow',
    DefaultAddr: '',
    DefaultPort: 0,
    Meta: {},
    Precedence: 9,
    ...fields,
  })
}

const web = row('{A}', {})
const any = row('{B}', {
  Description: 'd',
  SourceName: '*',
  DestinationName: '*',
  Action: 'deny',
  DefaultAddr: '10.0.0.1',
  DefaultPort: 5,
  Meta: { a: 'b' },
  Precedence: 5,
})
const cap = row('{C}', { SourceName: 'Cap', DestinationName: 'Db', Action: 'deny' })
const status = 200
const post = 'POST connect/intentions'
const of = (path: string): string => `GET connect/intentions${path}`

const creating: readonly Row[] = [
  { ask: of(''), status, body: '[]' },
  {
    ask: post,
    send: '{"SourceName":"web","DestinationName":"db","Action":"allow"}',
    creates: 'A',
    status,
    body: '{"ID":"{A}"}',
  },
  ...['web', 'WEB'].map((SourceName): Row => ({
    ask: post,
    send: JSON.stringify({ SourceName, DestinationName: 'db', Action: 'deny' }),
    status: 500,
    body: 'duplicate intention found: ALLOW default/web => default/db (ID: {A}, Precedence: 9)',
    svcd: {
      body: `duplicate intention found: there is one with the source "${SourceName}" and the destination "db" already…`,
      because: 'a token that may write an intention may not be allowed to read it',
    },
  })),
  {
    ask: post,
    send: `{"ID":"${missing}","SourceName":"a","DestinationName":"b","Action":"deny"}`,
    status: 500,
    body: 'ID must be empty when creating a new intention…',
  },
  {
    ask: post,
    send: '{"SourceName":"w*","DestinationName":"","Action":"x","SourceType":"y"}',
    status: 500,
    body: "4 errors occurred:\n\t* DestinationName must be set\n\t* SourceName: wildcard character '*' cannot be used with partial values\n\t* Action must be set to 'allow' or 'deny'\n\t* SourceType must be set to 'consul'\n\n",
  },
  {
    ask: post,
    send: '{"SourceNS":"*","SourceName":"x","DestinationName":"db","Action":"allow"}',
    status: 500,
    body: '1 error occurred:\n\t* SourceName: exact value cannot follow wildcard namespace\n\n',
  },
  ...[
    [{ Description: 'd'.repeat(513) }, 'Description exceeds maximum length 512'],
    [{ Meta: { a: 'v'.repeat(513) } }, 'Meta value for key "a" exceeds maximum length 512'],
    [
      { Meta: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, ''])) },
      'Meta exceeds maximum element count 64',
    ],
  ].map(([fields, fault]): Row => ({
    ask: post,
    send: JSON.stringify({
      SourceName: 'a',
      DestinationName: 'b',
      Action: 'allow',
      ...(fields as object),
    }),
    status: 500,
    body: `1 error occurred:\n\t* ${fault as string}\n\n`,
  })),
  {
    ask: post,
    send: '{"SourceName":1}',
    status: 500,
    body: 'Failed to decode request body: json: cannot unmarshal number…',
    svcd: {
      status: 400,
      body: 'Request decode failed: json: cannot unmarshal number…',
      because: 'bodies are refused with one text, and 400',
    },
  },
  {
    ask: post,
    send: '{"SourceName":"*","DestinationName":"*","Action":"deny","Meta":{"a":"b"},"Description":"d","DefaultAddr":"10.0.0.1","DefaultPort":5,"Precedence":77,"CreatedAt":"2020-01-01T00:00:00Z"}',
    creates: 'B',
    status,
    body: '{"ID":"{B}"}',
  },
  {
    ask: post,
    send: '{"SourceName":"Cap","DestinationName":"Db","Action":"deny"}',
    creates: 'C',
    status,
    body: '{"ID":"{C}"}',
  },
]

const reading: readonly Row[] = [
  { ask: of(''), status, body: `[${cap},${web},${any}]` },
  { ask: of('?filter=SourceName==web'), status, body: `[${web}]` },
  { ask: of('?filter=Meta.a==b+and+Precedence==5'), status, body: `[${any}]` },
  { ask: of('/{A}'), status, body: web },
  { ask: of(`/${missing}`), status: 404, body: 'Intention not found…' },
  {
    ask: of('/hello'),
    status: 400,
    body: 'Bad request: failed intention lookup: index error: UUID must be 36 characters',
    svcd: {
      body: 'failed intention lookup: index error: UUID must be 36 characters…',
      because: 'svcd writes no "Bad request: "',
    },
  },
  { ask: of('/match'), status: 500, body: "required query parameter 'by' not set" },
  {
    ask: of('/match?by=foo&name=a'),
    status: 500,
    body: "'by' parameter must be one of 'source' or 'destination'",
  },
  { ask: of('/match?by=source'), status: 500, body: "required query parameter 'name' not set" },
  { ask: of('/match?by=source&name='), status, body: `{"":[${any}]}` },
  {
    ask: of('/match?by=source&name=a/b/c'),
    status: 500,
    body: `name "a/b/c" is invalid: input can contain at most one '/'`,
  },
  {
    ask: of('/match?by=source&name=web&name=no'),
    status,
    body: `{"no":[${any}],"web":[${web},${any}]}`,
  },
  { ask: of('/match?by=destination&name=DB'), status, body: `{"DB":[${cap},${web},${any}]}` },
  { ask: of('/match?by=destination&name=*'), status, body: `{"*":[${any}]}` },
  { ask: of('/match?by=source&name=default/web'), status, body: `{"default/web":[${web},${any}]}` },
  { ask: of('/match?by=destination&name=eng/db'), status, body: '{"eng/db":null}' },
  { ask: of('/check'), status: 500, body: "required query parameter 'source' not set" },
  {
    ask: of('/check?source=a'),
    status: 500,
    body: "required query parameter 'destination' not set",
  },
  {
    ask: of('/check?source=a/b/c&destination=b'),
    status: 500,
    body: `source "a/b/c" is invalid: input can contain at most one '/'`,
  },
  {
    ask: of('/check?source=a&destination=b/c/d'),
    status: 500,
    body: `destination "b/c/d" is invalid: input can contain at most one '/'`,
  },
  {
    ask: of('/check?source=a&destination=b&source-type=foo'),
    status: 500,
    body: 'unsupported SourceType: "foo"',
  },
  ...(
    [
      ['web', 'db', true],
      ['web', 'DB', true],
      // Consul compares the source in its case, and the destination in any.
      ['WEB', 'db', false],
      ['Cap', 'db', false],
      ['other', 'db', false],
      ['eng/web', 'eng/db', true],
    ] as const
  ).map(([source, destination, isAllowed]): Row => ({
    ask: of(`/check?source=${source}&destination=${destination}`),
    status,
    body: `{"Allowed":${isAllowed}}`,
  })),
]

const changing: readonly Row[] = [
  ...(['PUT', 'DELETE'] as const).map((method): Row => ({
    ask: `${method} connect/intentions/${missing}`,
    send: '{"SourceName":"web","DestinationName":"x","Action":"allow"}',
    status: 500,
    body: `Cannot ${method === 'PUT' ? 'modify' : 'delete'} non-existent intention: '${missing}'…`,
  })),
  {
    ask: 'PUT connect/intentions/{A}',
    send: '{"SourceName":"*","DestinationName":"*","Action":"allow"}',
    status: 500,
    body: 'duplicate intention found: …',
  },
  {
    ask: 'PUT connect/intentions/{A}',
    send: '{"SourceName":"web","DestinationName":"*","Action":"deny"}',
    status,
    body: '{"ID":"{A}"}',
  },
  {
    ask: of('/{A}'),
    status,
    body: row('{A}', { DestinationName: '*', Action: 'deny', Precedence: 6 }),
  },
  { ask: 'DELETE connect/intentions/{A}', status, body: 'true' },
  { ask: of('/{A}'), status: 404, body: 'Intention not found…' },
]

t.test(
  'intentions are created, listed, matched, checked, changed and deleted as in Consul',
  async (t) => {
    const kv = await KvApi.start(t)
    const all = JSON.parse((await kv.ask('GET', 'connect/intentions')).body.toString()) as {
      ID: string
    }[]
    for (const { ID } of all) await kv.ask('DELETE', `connect/intentions/${ID}`)
    await new Answers(kv).check(t, [...creating, ...reading, ...changing])
  },
)

if (!isConsul) {
  t.test(
    'an intention is written and read by its source and destination, as in Consul 1.9',
    async (t) => {
      const api = new TestApi(t)
      const exact = 'connect/intentions/exact?source=web&destination=db'
      t.match(await api.get(exact), { status: 404, body: /^Intention not found: .*"web" to "db"/ })
      t.match(await api.get('connect/intentions/exact?source=web'), {
        status: 500,
        body: /'destination' not set/,
      })
      t.match(await api.put(exact, { Action: 'deny', SourceName: 'other' }), {
        status: 200,
        body: 'true',
      })
      const first = await api.json<{ ID: string }>(exact)
      t.match(first, { SourceName: 'web', DestinationName: 'db', Action: 'deny' })
      t.match(await api.put(exact, { ...first, ID: '', Action: 'allow' }), { status: 200 })
      t.match(await api.json(exact), { ID: first.ID, Action: 'allow' })
      t.match(await api.put(exact, {}), { status: 500, body: /Action must be set/ })
      for (let time = 0; time < 2; time++) {
        t.match(await api.ask('DELETE', `/v1/${exact}`), { status: 200, body: 'true' })
      }
      t.strictSame(await api.json('connect/intentions'), [])
    },
  )

  t.test(
    'a check that is explained says which intention decides, or that the default does',
    async (t) => {
      const api = new TestApi(t)
      const ask = 'connect/intentions/check?source=web&destination=db&explain'
      t.strictSame(await api.json(ask), { Allowed: true, DecidedBy: 'default', Intention: null })
      await api.put('connect/intentions/exact?source=*&destination=db', { Action: 'deny' })
      const { status, body, headers } = await api.get(ask)
      t.equal(status, 200)
      t.match(JSON.parse(body), {
        Allowed: false,
        DecidedBy: 'intention',
        Intention: { SourceName: '*', DestinationName: 'db', Precedence: 8 },
      })
      const waiting = api.get(`${ask}&index=${String(headers['x-consul-index'])}&wait=10s`)
      await api.put('connect/intentions/exact?source=web&destination=db', { Action: 'allow' })
      t.match(JSON.parse((await waiting).body), { Allowed: true, Intention: { Precedence: 9 } })
    },
  )

  t.test('names and metadata have limits, and a namespace has no slash', async (t) => {
    const api = new TestApi(t)
    const body = { SourceName: 'a', DestinationName: 'b', Action: 'allow' }
    for (const [fields, text] of [
      [{ SourceName: 'x'.repeat(256) }, /^Invalid SourceName: is longer than 255 bytes/],
      [{ DestinationNS: 'a/b' }, /^Invalid DestinationNS: a namespace contains no slash/],
      [{ DestinationName: 'a\u202eb' }, /^Invalid DestinationName/],
      [{ DefaultPort: 65_536 }, /^Invalid DefaultPort/],
      [{ SourcePartition: 'p' }, /^Invalid SourcePartition/],
      [{ Permissions: [] }, /unknown field/],
    ] as const) {
      const reply = await api.ask('POST', '/v1/connect/intentions', { ...body, ...fields })
      t.match(reply, { status: 400, body: text })
    }
    t.strictSame(api.backend.proposed, [])
  })
}
