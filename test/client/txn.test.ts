import t from 'tap'
import { Client } from '../../src/client/client.ts'
import { KvClient } from '../../src/client/kv.ts'
import { TxnClient } from '../../src/client/txn.ts'
import { TestApi } from '../api/support.ts'

t.test('the client does transactions, and tells why one was not done', async (t) => {
  const api = new TestApi(t)
  const address = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const client = new Client({ address })
  const txn = new TxnClient(client)
  const flags = '18446744073709551615'
  const made = await txn.run([
    { verb: 'cas', key: 'a', index: '0', value: Buffer.from('ä"\n'), flags },
    { verb: 'get', key: 'a' },
    { verb: 'delete', key: 'b' },
  ])
  t.match(made, { isDone: true })
  const entries = made.isDone ? made.entries : []
  t.strictSame(
    entries.map(({ value, flags: of }) => [value.toString(), of]),
    [
      ['', flags],
      ['ä"\n', flags],
    ],
  )
  t.strictSame(
    await txn.run([
      { verb: 'set', key: 'c' },
      { verb: 'lock', key: 'a' },
      { verb: 'get', key: 'q"' },
    ]),
    {
      isDone: false,
      faults: [
        { op: 1, what: 'missing session' },
        { op: 2, what: 'key "q\\"" doesn\'t exist' },
      ],
    },
  )
  t.equal(await new KvClient(client).entry('c'), undefined)
  t.match(await txn.run([{ verb: 'get-tree', key: 'a' }], { stale: true, datacenter: 'dc1' }), {
    isDone: true,
    entries: [{ key: 'a', flags }],
  })
  await t.rejects(
    txn.run(Array.from({ length: 129 }, () => ({ verb: 'delete', key: 'a' }) as const)),
    {
      code: 'agent-refused',
      message: /^Transaction contains too many operations/,
    },
  )
  await t.rejects(txn.run([], { datacenter: 'dc2' }), { message: /No path to datacenter/ })
})
