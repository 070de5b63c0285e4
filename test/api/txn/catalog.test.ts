import t from 'tap'
import type { Test } from 'tap'
import { KvApi } from '../kv/kv-api.ts'
import { checkTable } from '../kv/table.ts'
import type { Row } from '../kv/table.ts'
import { done, missed, read, refused } from './rows.ts'

const node = (Verb: string, Node: object) => ({ Node: { Verb, Node } })
const service = (Verb: string, Service: object, Node = 'w1') => ({
  Service: { Verb, Node, Service },
})
const check = (Verb: string, Check: object) => ({
  Check: { Verb, Check: { Node: 'w1', ...Check } },
})

const w1 = { Node: 'w1', Address: '10.0.0.1' }
const more = { TaggedAddresses: { lan: '10.0.0.1' }, Meta: { a: 'b' } }

function indexes(create: number, modify: number): string {
  return `"CreateIndex":<${create}>,"ModifyIndex":<${modify}>}}`
}

function nodeRow(
  name: string,
  create: number,
  modify: number,
  { Meta, ...rest }: Partial<typeof more> = {},
) {
  return (
    `{"Node":{"ID":"","Node":"${name}","Address":"10.0.0.1","Datacenter":"dc1",` +
    `"TaggedAddresses":${JSON.stringify(rest.TaggedAddresses ?? null)},` +
    `"Meta":${JSON.stringify(Meta ?? null)},${indexes(create, modify)}`
  )
}

function serviceRow(create: number, modify: number, fields: string) {
  return (
    `{"Service":{"ID":"web","Service":"web",${fields},"EnableTagOverride":false,` +
    `"Proxy":{"MeshGateway":{},"Expose":{}},"Connect":{},${indexes(create, modify)}`
  )
}
const plain = '"Tags":null,"Address":"","Meta":null,"Port":0,"Weights":{"Passing":1,"Warning":1}'

function checkRow(id: string, create: number, modify: number, fields: string) {
  return `{"Check":{"Node":"w1","CheckID":"${id}","Name":"",${fields},${indexes(create, modify)}`
}

/** Compares rows with the fields that came after Consul 1.8. */
async function checkRows(t: Test, api: KvApi, rows: readonly Row[]): Promise<void> {
  const newer = rows.map((row) => {
    const known = row.svcd?.body ?? row.body
    const body = known
      .replaceAll('"Connect":{},', '"Connect":{},"PeerName":"",')
      .replaceAll('"Type":"",', '"Type":"","Interval":"","Timeout":"","ExposedPort":0,')
    return body === known
      ? row
      : { ...row, svcd: { body, because: 'Consul 1.21 has these fields' } }
  })
  await checkTable(t, api, newer)
}

/** Against Consul, what a table leaves there is in the way of the next one. */
async function start(t: Test): Promise<KvApi> {
  const api = await KvApi.start(t)
  t.teardown(async () => {
    const gone = ['w1', 'w2'].map((Node) => node('delete', { Node }))
    await api.ask('PUT', 'txn', { body: JSON.stringify(gone) })
  })
  return api
}

const noNode = (name: string) =>
  [
    [[0, 'Missing node registration']],
    [
      `Missing node registration: there is no node "${name}". Register it first, or earlier in the same transaction.`,
    ],
  ] as const

t.test('nodes are set, read and deleted, and a condition on the index holds', async (t) => {
  const api = await start(t)
  await checkRows(t, api, [
    missed([node('get', { Node: 'w1' })], [0, 'node "w1" doesn\'t exist']),
    done([node('set', { ...w1, ...more })], nodeRow('w1', 1, 1, more)),
    done([node('set', { ...w1, ...more })], nodeRow('w1', 1, 1, more)),
    done([node('set', w1)], nodeRow('w1', 1, 2)),
    read([node('get', { Node: 'w1' })], nodeRow('w1', 1, 2)),
    refused(
      [
        node('cas', w1),
        node('cas', { ...w1, ModifyIndex: 1 }),
        node('cas', { ...w1, Node: 'w2', ModifyIndex: 1 }),
        node('delete-cas', { Node: 'w1', ModifyIndex: 1 }),
        node('delete-cas', { Node: 'w2' }),
      ],
      [
        [0, 'failed to set node "w1", index is stale'],
        [1, 'failed to set node "w1", index is stale'],
        [2, 'failed to set node "w2", index is stale'],
        [3, 'failed to delete node "w1", index is stale'],
        [4, 'failed to delete node "w2", index is stale'],
      ],
    ),
    done([node('cas', { ...w1, Node: 'w2', Datacenter: 'dc1' })], nodeRow('w2', 3, 3)),
    done(['w1', 'w2', 'none'].map((Node) => node('delete', { Node }))),
    missed(
      [node('get', { Node: 'w2' }), node('get', {})],
      [0, 'node "w2" doesn\'t exist'],
      [1, 'node "" doesn\'t exist'],
    ),
  ])
})

t.test('services are set, read and deleted by the rules of the catalog', async (t) => {
  const api = await start(t)
  const rich =
    '"Tags":["a"],"Address":"10.1.1.1","Meta":{"k":"v"},"Port":80,"Weights":{"Passing":5,"Warning":2}'
  const web = {
    ID: 'web',
    Service: 'web',
    Tags: ['a'],
    Meta: { k: 'v' },
    Port: 80,
    Address: '10.1.1.1',
    Weights: { Passing: 5, Warning: 2 },
  }
  await checkRows(t, api, [
    refused([service('set', { Service: 'web' }, 'none')], ...noNode('none')),
    done(
      [node('set', w1), service('set', { Service: 'web', Weights: {} })],
      nodeRow('w1', 1, 1),
      serviceRow(1, 1, plain),
    ),
    done([service('set', web)], serviceRow(1, 2, rich)),
    read([service('get', { ID: 'web' })], serviceRow(1, 2, rich)),
    missed([service('get', { ID: 'x' })], [0, 'service "x" on node "w1" doesn\'t exist']),
    refused(
      [
        service('cas', { ID: 'web', Service: 'web', ModifyIndex: 1 }),
        service('delete-cas', { ID: 'web', Service: 'web', ModifyIndex: 1 }),
        service('delete-cas', { ID: 'x', Service: 'x' }),
      ],
      [
        [0, 'failed to set service "web" on node "w1", index is stale'],
        [1, 'failed to delete service "web" on node "w1", index is stale'],
        [2, 'failed to delete service "x" on node "w1", index is stale'],
      ],
    ),
    done(['x', 'web'].map((ID) => service('delete', { ID, Service: ID }))),
    missed([service('get', { ID: 'web' })], [0, 'service "web" on node "w1" doesn\'t exist']),
  ])
})

t.test('checks are set, read and deleted by the rules of the catalog', async (t) => {
  const api = await start(t)
  const onNode = (status: string) =>
    `"Status":"${status}","Notes":"","Output":"","ServiceID":"","ServiceName":"","ServiceTags":null,"Type":"","Definition":{}`
  const onService =
    '"Status":"passing","Notes":"n","Output":"o","ServiceID":"web","ServiceName":"web","ServiceTags":["a"],"Type":"",' +
    '"Definition":{"Interval":"5s","Timeout":"3s","DeregisterCriticalServiceAfter":"1m20s"}'
  const ofWeb = { CheckID: 'c2', ServiceID: 'web', Status: 'passing', Notes: 'n', Output: 'o' }
  const Definition = {
    Interval: '5s',
    Timeout: '10s',
    TimeoutDuration: '3s',
    DeregisterCriticalServiceAfter: 80_000_000_000,
  }
  const tagged = plain.replace('null', '["a"]')
  await checkRows(t, api, [
    refused([check('set', { CheckID: 'c1' })], ...noNode('w1')),
    done([node('set', w1)], nodeRow('w1', 1, 1)),
    done([check('set', { CheckID: 'c1' })], checkRow('c1', 2, 2, onNode('critical'))),
    done(
      [check('set', { CheckID: 'c1', Status: 'passing' })],
      checkRow('c1', 2, 3, onNode('passing')),
    ),
    refused(
      [check('set', ofWeb)],
      [[0, 'Missing service registration']],
      [
        'Missing service registration: node "w1" has no service with the ID "web". Register it first, or earlier in the same transaction.',
      ],
    ),
    done(
      [
        service('set', { Service: 'web', Tags: ['a'] }),
        check('set', { ...ofWeb, ServiceName: 'not it', Definition }),
      ],
      serviceRow(4, 4, tagged),
      checkRow('c2', 4, 4, onService),
    ),
    read([check('get', { CheckID: 'c2' })], checkRow('c2', 4, 4, onService)),
    missed([check('get', { CheckID: 'x' })], [0, 'check "x" on node "w1" doesn\'t exist']),
    refused(
      [
        check('cas', { CheckID: 'c2', ModifyIndex: 1 }),
        check('cas', { CheckID: 'c2' }),
        check('delete-cas', { CheckID: 'c2', ModifyIndex: 1 }),
        check('delete-cas', { CheckID: 'x' }),
      ],
      [
        [0, 'failed to set check "c2" on node "w1", index is stale'],
        [1, 'failed to set check "c2" on node "w1", index is stale'],
        [2, 'failed to delete check "c2" on node "w1", index is stale'],
        [3, 'failed to delete check "x" on node "w1", index is stale'],
      ],
    ),
    done(['x', 'c2'].map((CheckID) => check('delete', { CheckID }))),
    missed([check('get', { CheckID: 'c2' })], [0, 'check "c2" on node "w1" doesn\'t exist']),
  ])
})
