import t from 'tap'
import { isConsul, KvApi } from '../kv/kv-api.ts'
import { checkTable } from '../kv/table.ts'
import { done, key, kv, missed, read, refused, unreadable } from './rows.ts'

const ofKv = (fields: string) => `[{"KV":{"Verb":"set","Key":"a",${fields}}}]`

t.test('a body that is not a list of operations is refused as a whole', async (t) => {
  const api = await KvApi.start(t)
  await checkTable(t, api, [
    unreadable('', 'EOF', 'EOF. The body is empty; send a JSON object.'),
    unreadable(
      '{}',
      'json: cannot unmarshal object into Go value of type api.TxnOps',
      'expected a list of operations, got an object',
    ),
    unreadable(
      '[{"KV":{"Verb":"set","Key":"a","Value":"dg',
      'unexpected EOF',
      'unexpected EOF. The JSON ends too early.',
    ),
    unreadable('[{"Bogus":{}}]', 'json: unknown field "Bogus"'),
    unreadable(ofKv('"Bogus":1'), 'json: unknown field "Bogus"'),
    unreadable('[{"Session":{"Verb":"delete"}}]', 'json: unknown field "Session"'),
    unreadable('[{"Service":{"Verb":"get","Service":{"Bogus":1}}}]', 'json: unknown field "Bogus"'),
    ...(
      [
        [
          '"Value":5',
          'cannot unmarshal number',
          'Value',
          '[]uint8',
          'expected base64, got a number',
        ],
        [
          '"Flags":"5"',
          'cannot unmarshal string',
          'Flags',
          'uint64',
          'expected a whole number, got a string',
        ],
        [
          '"Flags":-1',
          'cannot unmarshal number -1',
          'Flags',
          'uint64',
          '-1 is not a whole number between 0 and 2^64-1',
        ],
        [
          '"Index":1.5',
          'cannot unmarshal number 1.5',
          'Index',
          'uint64',
          '1.5 is not a whole number between 0 and 2^64-1',
        ],
        [
          '"Flags":18446744073709551616',
          'cannot unmarshal number 18446744073709551616',
          'Flags',
          'uint64',
          '18446744073709551616 is not a whole number between 0 and 2^64-1',
        ],
      ] as const
    ).map(([fields, what, field, type, reason]) =>
      unreadable(
        ofKv(fields),
        `json: ${what} into Go struct field KVTxnOp.KV.${field} of type ${type}`,
        `json: ${what} into Go struct field .[0].KV.${field} of type ${type}. Invalid [0].KV.${field}: ${reason}`,
      ),
    ),
    ...(['%%%', 'aGk', 'aG k=', 'aGk=aGk='] as const).map((value, at) => {
      const reason = `illegal base64 data at input byte ${[0, 0, 2, 4][at]}`
      return unreadable(
        ofKv(`"Value":"${value}"`),
        reason,
        `${reason}. Invalid [0].KV.Value: is not base64`,
      )
    }),
  ])
})

t.test('what Consul tolerates is tolerated', async (t) => {
  const api = await KvApi.start(t)
  await checkTable(t, api, [
    done(
      '[{"kv":{"verb":"set","KEY":"a","value":"aG\\nk=","fLAGS":18446744073709551615}}]',
      key('a', 1, { flags: '18446744073709551615' }),
    ),
    read([kv('get', 'a')], key('a', 1, { flags: '18446744073709551615', value: 'hi' })),
    done(
      ofKv('"Value":null,"Flags":9007199254740993,"Index":99999999999999999'),
      key('a', 1, { modify: 2, flags: '9007199254740993' }),
    ),
    done([{ ...kv('set', 'b'), Node: { Verb: 'get', Node: { Node: 'x' } } }], key('b', 3)),
    read([{ KV: null, Check: null }, {}]),
  ])
})

t.test('operations that cannot be done are told, and nothing is proposed', async (t) => {
  const api = await KvApi.start(t)
  const proposed = api.api?.backend.proposed.length
  const unknown = (what: string, verb: string) => `unknown ${what} verb "${verb}"`
  await checkTable(t, api, [
    missed([kv('SET', 'a'), kv('', 'a')], [0, unknown('KV', 'SET')], [1, unknown('KV', '')]),
    refused(
      [kv('set', ''), kv('delete', '')],
      [
        [0, 'Must provide key'],
        [1, 'Must provide key'],
      ],
    ),
    refused([{ Node: { Verb: 'x', Node: { Node: 'a' } } }], [[0, unknown('Node', 'x')]]),
    refused(
      [{ Check: { Verb: 'x', Check: { Node: 'a', CheckID: 'b' } } }],
      [[0, unknown('Check', 'x')]],
    ),
    refused(
      [{ Service: { Verb: 'x', Node: 'a', Service: { Service: 'b' } } }],
      [[0, unknown('Service', 'x')]],
    ),
    refused(
      [kv('set', 'a'), { Node: { Verb: 'set' } }],
      [[1, 'Must provide node']],
      ['Must provide node. Set its name in Node.'],
    ),
    refused(
      [{ Node: { Verb: 'set', Node: { Node: 'a', ID: 'x', Address: '10.0.0.1' } } }],
      [[0, 'Bad node ID: uuid string is wrong length']],
      [
        'Bad node ID: "x" is not a UUID. Omit ID, or use a UUID such as 6c0f0bd8-8a6f-4a4d-9a1c-2f3d5e7a9b1c.',
      ],
    ),
    refused(
      [{ Service: { Verb: 'set', Node: 'a', Service: { ID: 'b' } } }],
      [[0, 'Must provide service name with ID']],
      ['Must provide service name with ID. Set the name in Service.Service.'],
    ),
  ])
  t.equal(api.api?.backend.proposed.length, proposed)
})

t.test(
  'what the catalog does not take, a transaction does not take',
  { skip: isConsul },
  async (t) => {
    const api = await KvApi.start(t)
    await checkTable(t, api, [
      refused(
        [
          kv('set', 'a\u0001'),
          { Node: { Verb: 'set', Node: { Node: 'w1' } } },
          { Node: { Verb: 'set', Node: { Node: 'w1', Address: '10.0.0.1', Datacenter: 'dc2' } } },
          { Service: { Verb: 'set', Node: 'w1', Service: { Service: 'web', Address: '0.0.0.0' } } },
          { Service: { Verb: 'set', Node: 'n1', Service: { Service: 'consul' } } },
          { Check: { Verb: 'set', Check: { Node: 'w1', CheckID: 'c', Status: 'bad' } } },
        ],
        [
          [0, 'Invalid Key: a key must not contain control characters'],
          [
            1,
            'Must provide address if SkipNodeUpdate is not set. Set the address of node "w1" in Address.',
          ],
          [2, 'No path to datacenter'],
          [
            3,
            'Invalid service address: clients cannot connect to 0.0.0.0; use an address that they can reach',
          ],
          [
            4,
            'Invalid ID: "consul" is reserved for the server\'s own registration; use another ID',
          ],
          [5, 'Bad check status "bad". Use passing, warning or critical.'],
        ],
      ),
    ])
  },
)

t.test('a transaction has at most 128 operations, and 512 KiB', async (t) => {
  const api = await KvApi.start(t)
  const ops = (count: number) =>
    JSON.stringify(Array.from({ length: count }, (_, at) => kv('set', `k${at}`)))
  const ask = async (asked: Parameters<KvApi['ask']>[2]) => {
    const { status, body } = await api.ask('PUT', 'txn', asked)
    return [status, body.toString().slice(0, 90)]
  }
  if (!isConsul) {
    t.match(await ask({ body: ops(128) }), [200])
    t.strictSame(await ask({ body: ops(129) }), [
      413,
      'Transaction contains too many operations (129 > 128). Split it into several transactions.',
    ])
  }
  const large = `[{"KV":{"Verb":"set","Key":"a","Value":"${'AAAA'.repeat(130_000)}"}}]`
  t.match(await ask({ body: large }), [200])
  const tooLarge = ' '.repeat(524_289 - large.length) + large
  t.match(await ask({ body: tooLarge.slice(1) }), [200], 'it is exactly as large as it may be')
  t.match(await ask({ body: tooLarge }), [
    413,
    /^Request body\(524289 bytes\) too large, max size: 524288 bytes\./,
  ])
  const piece = ' '.repeat(100_000)
  const streamed = await ask({ chunks: [piece, piece, piece, piece, piece, piece, large] })
  t.match(
    streamed,
    [413, /^Request body.* too large, max size: 524288 bytes\./],
    'it grows while it comes',
  )
  t.match(await ask({ chunks: [large.slice(0, 9), large.slice(9)] }), [200])
})
