import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { svcdError } from '../../../../src/base/errors.ts'
import type { Test } from 'tap'
import type { CommandBody } from '../../../../src/state/families.ts'
import type { CheckDefinition, ServiceDefinition } from '../../../../src/state/catalog/model.ts'
import { packSnapshot, unpackSnapshot } from '../../../../src/archive/archive.ts'
import { runSnapshotJob } from '../../../../src/storage/snapshot/job.ts'
import type { SnapshotJob } from '../../../../src/storage/snapshot/job.ts'
import { tamper, toFormat } from '../../../helpers/state.ts'
import { TestApi } from '../../support.ts'

async function archiveOf(api: TestApi): Promise<Buffer> {
  const response = await api.app.inject({ method: 'GET', url: '/v1/snapshot' })
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.rawPayload
}

async function restore(api: TestApi, archive: Buffer | undefined): Promise<[number, string]> {
  const { status, body } = await api.ask('PUT', '/v1/snapshot', archive)
  return [status, body]
}

/** Everything that the catalog says, without the indexes, which a restore cannot bring back. */
function contents(api: TestApi): unknown {
  const rows = api.backend.read((catalog) =>
    catalog
      .nodes()
      .map((node) => [node, catalog.servicesOfNode(node.name), catalog.checksOfNode(node.name)]),
  )
  return JSON.parse(
    JSON.stringify(rows, (key, value: unknown) =>
      key === 'createIndex' || key === 'modifyIndex' ? undefined : value,
    ),
  )
}

async function register(api: TestApi, node: string, id: string, more: object = {}): Promise<void> {
  const { status, body } = await api.put('catalog/register', {
    Node: node,
    Address: '10.0.0.1',
    Service: { Service: 'web', ID: id, Port: 80, Tags: ['a'] },
    Checks: [
      { CheckID: `c-${id}`, Name: 'c', Status: 'passing', ServiceID: id },
      { CheckID: 'disk', Name: 'disk', Status: 'warning' },
    ],
    ...more,
  })
  if (status !== 200) throw new Error(body)
}

t.test('a snapshot is a gzip tar, and its headers say what it is of', async (t) => {
  const api = new TestApi(t)
  const response = await api.app.inject({ method: 'GET', url: '/v1/snapshot' })
  t.equal(response.headers['content-type'], 'application/x-gzip')
  t.equal(response.headers['x-consul-index'], '1')
  t.equal(response.headers['x-consul-knownleader'], 'true')
  t.ok(Number(response.headers['x-svcd-state-bytes']) > 4096)
  t.match(gunzipSync(response.rawPayload).toString('latin1'), /^meta\.json\0[^]*SHA256SUMS/)
  t.equal((await api.ask('HEAD', '/v1/snapshot')).status, 200)
  t.equal((await api.ask('POST', '/v1/snapshot')).headers['allow'], 'OPTIONS,GET,PUT')
  api.backend.isLeading = false
  await api.get('snapshot')
  t.equal(api.backend.barriers, 1, 'all that was acknowledged is in it')
})

t.test('a restore makes the catalog what it was, by commands', async (t) => {
  const api = new TestApi(t)
  await register(api, 'a', 'web-1')
  await register(api, 'a', 'web-2')
  await register(api, 'b', 'web-1')
  await register(api, 'gone', 'web-1')
  const before = contents(api)
  const archive = await archiveOf(api)

  await api.put('catalog/deregister', { Node: 'gone' })
  await api.put('catalog/deregister', { Node: 'a', ServiceID: 'web-2' })
  await api.put('catalog/deregister', { Node: 'b', CheckID: 'c-web-1' })
  await register(api, 'a', 'web-1', {
    Checks: [{ CheckID: 'disk', Name: 'x', Status: 'critical' }],
  })
  await register(api, 'b', 'web-9', { NodeMeta: { k: 'v' }, Address: '10.9.9.9' })
  await register(api, 'new', 'web-1')
  t.notSame(contents(api), before)

  const first = api.backend.proposed.length
  t.strictSame(await restore(api, archive), [200, ''])
  t.strictSame(contents(api), before)
  const written = api.backend.proposed.slice(first)
  t.ok(written.every(({ origin }) => origin.cause === 'snapshot restore'))

  t.strictSame(await restore(api, archive), [200, ''])
  t.equal(api.backend.proposed.length, first + written.length, 'what is the same costs nothing')
})

t.test(
  'a restore of nodes that were renamed since leaves nothing of their present names',
  async (t) => {
    const ids = ['aaaaaaaa-0000-4000-8000-000000000001', 'bbbbbbbb-0000-4000-8000-000000000002']
    const [x, y] = ids.map((ID) => ({ ID }))
    const archivedAs = async (...nodes: (readonly [string, object | undefined])[]) => {
      const api = new TestApi(t)
      for (const [name, id] of nodes) await register(api, name, `on-${name}`, id)
      return { api, before: contents(api), archive: await archiveOf(api) }
    }
    const clear = async (api: TestApi, ...names: readonly string[]) => {
      for (const Node of names) await api.put('catalog/deregister', { Node })
    }

    await t.test('one', async (t) => {
      const { api, before, archive } = await archivedAs(['a', x])
      await clear(api, 'a')
      await register(api, 'b', 'newer', x)
      t.strictSame(await restore(api, archive), [200, ''])
      t.strictSame(contents(api), before)
    })
    await t.test('two that have swapped their names', async (t) => {
      const { api, before, archive } = await archivedAs(['a', x], ['b', y])
      await clear(api, 'a', 'b')
      await register(api, 'a', 'newer', y)
      await register(api, 'b', 'on-b', x)
      t.strictSame(await restore(api, archive), [200, ''])
      t.strictSame(contents(api), before)
    })
    await t.test('one under the name of a node without an id', async (t) => {
      const { api, before, archive } = await archivedAs(['a', x], ['b', undefined])
      await clear(api, 'a', 'b')
      await register(api, 'b', 'on-b', x)
      t.strictSame(await restore(api, archive), [200, ''])
      t.strictSame(contents(api), before)
    })
  },
)

const check: CheckDefinition = {
  checkId: 'serfHealth',
  name: 'Serf Health Status',
  status: 'passing',
  notes: '',
  output: 'Agent alive and reachable',
  serviceId: '',
  type: '',
  interval: '',
  timeout: '',
  definition: {},
}

function service(id: string, owner: ServiceDefinition['owner']): ServiceDefinition {
  return {
    id,
    name: id,
    address: '',
    port: 1,
    tags: [],
    meta: {},
    weights: { passing: 1, warning: 1 },
    taggedAddresses: {},
    enableTagOverride: false,
    owner,
    extra: {},
  }
}

function serverNode(
  name: string,
  id: string,
  services: readonly ServiceDefinition[],
): CommandBody[] {
  const node = { name, id, address: '10.0.0.2', taggedAddresses: {}, meta: {} }
  return services.map((one) => ({
    kind: 'register',
    nodeName: name,
    node,
    service: one,
    checks: [check],
    replaceChecks: false,
  }))
}

t.test('a server says of itself what it is, and what its agent has now', async (t) => {
  const api = new TestApi(t)
  const { backend } = api
  await backend.ready
  const own = backend.identity.nodeId
  const server = (...services: ServiceDefinition[]): void => {
    for (const body of serverNode('n1', own, services)) backend.apply(body)
  }
  server(service('consul', 'catalog'), service('lost', 'agent'), service('lent', 'catalog'))
  server({ ...service('kept', 'agent'), port: 1 })
  const archive = await archiveOf(api)
  backend.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'lost' })
  backend.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'lent' })
  server(
    { ...service('kept', 'agent'), port: 2 },
    service('later', 'agent'),
    service('x', 'catalog'),
  )
  t.strictSame(await restore(api, archive), [200, ''])
  const ports = backend.read((catalog) =>
    catalog.servicesOfNode('n1').map(({ id, port }) => `${id} ${port}`),
  )
  t.strictSame(ports, ['consul 1', 'kept 2', 'later 1', 'lent 1', 'lost 1'])
})

t.test('a server of another cluster comes back, but not as one that lives', async (t) => {
  const api = new TestApi(t)
  const old = '99999999-2222-3333-4444-555555555555'
  for (const body of serverNode('old', old, [
    service('consul', 'catalog'),
    service('db', 'agent'),
  ])) {
    api.backend.apply(body)
  }
  const archive = await archiveOf(api)
  await api.put('catalog/deregister', { Node: 'old' })
  t.strictSame(await restore(api, archive), [200, ''])
  const [found] = api.backend.read((catalog) => catalog.instances('db'))
  t.match(found, { node: { name: 'old' }, checks: [{ checkId: 'serfHealth', status: 'critical' }] })
})

t.test('a damaged archive changes nothing', async (t) => {
  const api = new TestApi(t)
  await register(api, 'a', 'web-1')
  const archive = await archiveOf(api)
  await register(api, 'later', 'web-1')
  const before = contents(api)
  const flipped = Buffer.from(archive)
  // Several bytes: a few bits of a compressed archive mean nothing.
  const middle = flipped.length >> 1
  for (let at = middle; at < middle + 8; at++) flipped[at] = (flipped[at] ?? 0) ^ 0xff
  const cases: readonly (readonly [string, Buffer | undefined, RegExp])[] = [
    ['cut', archive.subarray(0, archive.length >> 1), /truncated/],
    ['flipped', flipped, /damaged|checksum|SHA-256/],
    ['junk', Buffer.from('not an archive'), /not a gzip archive/],
    ['nothing', undefined, /it is empty/],
  ]
  for (const [name, body, reason] of cases) {
    const [status, text] = await restore(api, body)
    t.equal(status, 400, name)
    t.match(text, /^The snapshot in the request cannot be used: /, name)
    t.match(text, reason, name)
  }
  t.strictSame(contents(api), before)
})

/** `archive` as another release would have made it, whose state differs by `change`. */
async function ofOtherRelease(
  t: Test,
  archive: Buffer,
  change: (path: string) => void,
): Promise<Buffer> {
  const path = join(t.testdirName, 'other.state')
  const run = async (job: SnapshotJob) => runSnapshotJob(job)
  const { meta } = await unpackSnapshot(Readable.from([archive]), { name: 'x', path, run })
  change(path)
  const { schemaVersion, size, sha256 } = runSnapshotJob({ kind: 'check', path })
  const packed = packSnapshot({ path, meta: { ...meta, schemaVersion, size, sha256 } })
  return Buffer.concat(await packed.toArray())
}

t.test('an archive of an older release is restored, one of a newer is refused', async (t) => {
  const api = new TestApi(t)
  await register(api, 'a', 'web-1')
  const archive = await archiveOf(api)
  const before = contents(api)
  await api.put('catalog/deregister', { Node: 'a' })
  const newer = await ofOtherRelease(t, archive, (path) => {
    tamper(path, 'PRAGMA user_version = 99')
  })
  const [status, text] = await restore(api, newer)
  t.equal(status, 400)
  t.match(text, /^The snapshot in the request cannot be used: it has format 99, .*upgrade/)
  const older = await ofOtherRelease(t, archive, (path) => {
    toFormat(path, 1)
  })
  t.strictSame(await restore(api, older), [200, ''])
  t.strictSame(contents(api), before)
})

t.test('without a leader there is no restore, and no snapshot but a stale one', async (t) => {
  const api = new TestApi(t)
  await register(api, 'a', 'web-1')
  const archive = await archiveOf(api)
  await api.put('catalog/deregister', { Node: 'a' })
  api.backend.leaderAddress = ''
  t.strictSame(await restore(api, archive), [500, svcdError('no-leader', {}).message])
  t.match(await api.get('snapshot'), { status: 500, body: 'No cluster leader' })
  t.equal((await api.get('snapshot?stale')).status, 200)
})

t.test('a restore that breaks off says how far it came', async (t) => {
  const api = new TestApi(t)
  // More than one batch of commands.
  for (let n = 0; n < 700; n++) await register(api, `node-${n}`, 'web')
  const archive = await archiveOf(api)
  for (let n = 0; n < 700; n++) await api.put('catalog/deregister', { Node: `node-${n}` })
  const propose = api.backend.propose.bind(api.backend)
  let left = 1
  api.backend.propose = (...args) => {
    if (left-- === 0) api.backend.leaderAddress = ''
    return propose(...args)
  }
  const [status, body] = await restore(api, archive)
  t.equal(status, 500)
  t.match(
    body,
    /^The restore stopped after [1-9]\d+ changes: No cluster leader\..*[^.]\. Run it again/,
  )
  api.backend.leaderAddress = '127.0.0.1:8300'
  t.strictSame(await restore(api, archive), [200, ''])
  t.equal(api.backend.read((catalog) => catalog.nodes()).length, 701)
})
