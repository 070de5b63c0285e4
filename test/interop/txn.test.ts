import Consul from 'consul'
import t from 'tap'
import { ThreeServers } from '../helpers/cluster-process.ts'

// The npm client against three servers: what it writes on one of them is there on all, as a whole.

const b64 = (text: string): string => Buffer.from(text).toString('base64')

interface Answer {
  readonly Results: readonly {
    readonly KV: { readonly Key: string; readonly Value: string | null }
  }[]
  readonly Errors: readonly { readonly OpIndex: number; readonly What: string }[] | null
}

t.test('the npm client does transactions on each server', async (t) => {
  const cluster = await ThreeServers.start(t)
  const clients = cluster.servers.map(({ host, httpPort: port }) => new Consul({ host, port }))
  for (const [at, consul] of clients.entries()) {
    const create = async (...operations: readonly object[]): Promise<Answer> =>
      (await consul.transaction.create(operations as never)) as unknown as Answer
    const [one, two] = [`${at}/one`, `${at}/two`]
    const set = (Key: string, value: string) => ({ KV: { Verb: 'set', Key, Value: b64(value) } })
    const done = await create(
      { KV: { Verb: 'check-not-exists', Key: one } },
      set(one, 'first'),
      set(two, 'second'),
      { KV: { Verb: 'get', Key: one } },
      { Node: { Verb: 'set', Node: { Node: `w${at}`, Address: '10.0.0.1' } } },
      { Service: { Verb: 'set', Node: `w${at}`, Service: { Service: 'web', Port: 80 } } },
    )
    t.match(done, {
      Errors: null,
      Results: [
        { KV: { Key: one, Value: null } },
        { KV: { Key: two, Value: null } },
        { KV: { Key: one, Value: b64('first') } },
        { Node: { Node: `w${at}` } },
        { Service: { ID: 'web', Port: 80 } },
      ],
    })
    for (const other of clients) {
      t.match(await other.kv.get(two), { Value: 'second' })
      const instances = (await other.catalog.service.nodes('web')) as readonly unknown[]
      t.equal(instances.length, at + 1)
    }
    const refused = create(set(one, 'not this'), { KV: { Verb: 'get', Key: 'none' } })
    await t.rejects(refused, { message: /conflict/i })
    for (const other of clients) {
      const read = (await other.transaction.create([
        { KV: { Verb: 'get', Key: one } },
        { KV: { Verb: 'get-tree', Key: `${at}/` } },
      ] as never)) as unknown as Answer
      t.strictSame(
        read.Results.map(({ KV }) => [KV.Key, KV.Value]),
        [
          [one, b64('first')],
          [one, b64('first')],
          [two, b64('second')],
        ],
      )
    }
  }
})
