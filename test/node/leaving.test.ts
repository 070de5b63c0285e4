import t from 'tap'
import type { Test } from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import { leavable, leaveCluster } from '../../src/node/leaving.ts'
import { TestBackend } from '../helpers/test-backend.ts'

const other = { address: '127.0.0.1:8302', isVoter: true, isLeader: true, lastIndex: 0 }

async function start(test: Test): Promise<TestBackend> {
  const backend = new TestBackend(test.testdir())
  test.teardown(() => backend.close())
  await backend.ready
  backend.servers.push({ id: 'other', ...other })
  return backend
}

function parts(backend: TestBackend, leave: () => Promise<string>) {
  return {
    identity: backend.identity,
    read: backend.read.bind(backend),
    propose: backend.propose.bind(backend),
    cluster: backend.cluster.bind(backend),
    outOfService: (): Error | undefined => undefined,
    leave,
  }
}

const service = {
  id: 'web-1',
  name: 'web',
  address: '',
  port: 80,
  tags: [],
  meta: {},
  weights: { passing: 1, warning: 1 },
  taggedAddresses: {},
  enableTagOverride: false,
  owner: 'agent',
  extra: {},
} as const

t.test('the node is out of the catalog before the server leaves', async (t) => {
  const backend = await start(t)
  const leave = (): Promise<string> => {
    t.equal(
      backend.read((catalog) => catalog.node('n1')),
      undefined,
    )
    return Promise.resolve('id')
  }
  t.equal(await leaveCluster(parts(backend, leave)), 'id')
})

t.test('a server that cannot leave is registered as before', async (t) => {
  const backend = await start(t)
  backend.apply({ kind: 'register', nodeName: 'n1', service, checks: [], replaceChecks: false })
  const refuse = (): Promise<string> => {
    t.equal(
      backend.read((catalog) => catalog.service('n1', 'web-1')),
      undefined,
    )
    return Promise.reject(svcdError('operation-refused', { reason: 'quorum-not-live' }))
  }
  await t.rejects(leaveCluster(parts(backend, refuse)), { code: 'operation-refused' })
  t.match(
    backend.read((catalog) => catalog.service('n1', 'web-1')),
    service,
  )
})

t.test('a lone server has nobody to leave, and stays registered for its next start', async (t) => {
  const backend = await start(t)
  backend.servers.pop()
  const never = (): Promise<string> => Promise.reject(new Error('must not be asked'))
  t.equal(await leaveCluster(parts(backend, never)), backend.identity.nodeId)
  t.strictSame(backend.proposed, [])
})

t.test('the only voter of several servers stays, and stays registered', async (t) => {
  const backend = await start(t)
  backend.servers.pop()
  backend.servers.push({ id: 'learner', ...other, isVoter: false })
  const never = (): Promise<string> => Promise.reject(new Error('must not be asked'))
  await t.rejects(leaveCluster(parts(backend, never)), { message: /the only voter cannot leave/ })
  t.strictSame(backend.proposed, [])
})

t.test('a server that leaves takes nothing from the server that has its name', async (t) => {
  const backend = await start(t)
  const identity = { ...backend.identity, nodeId: 'another-id' }
  backend.apply({ kind: 'register', nodeName: 'n1', service, checks: [], replaceChecks: false })
  backend.servers.push({ id: identity.nodeId, ...other, isLeader: false })
  const leaving = { ...parts(backend, () => Promise.resolve('another-id')), identity }
  t.equal(await leaveCluster(leaving), 'another-id')
  t.strictSame(backend.proposed, [])
  t.match(
    backend.read((catalog) => catalog.service('n1', 'web-1')),
    service,
  )
})

t.test(
  'a server leaves under the name that the catalog has of it, and comes back under it',
  async (t) => {
    const backend = await start(t)
    const identity = { ...backend.identity, nodeName: 'n2' }
    const holder = { name: 'n2', id: 'other', address: '127.0.0.2', taggedAddresses: {}, meta: {} }
    const alive = {
      checkId: 'serfHealth',
      name: '',
      status: 'passing',
      notes: '',
      output: '',
    } as const
    const check = { ...alive, serviceId: '', type: '', interval: '', timeout: '', definition: {} }
    const named = { kind: 'register', nodeName: 'n2', node: holder, checks: [check] } as const
    backend.apply({ ...named, replaceChecks: false })
    const names = (): readonly string[] =>
      backend.read((catalog) => [...catalog.nodes()].map(({ name }) => name))
    const refuse = (): Promise<string> => {
      t.strictSame(names(), ['n2'])
      return Promise.reject(svcdError('no-leader', {}))
    }
    await t.rejects(leaveCluster({ ...parts(backend, refuse), identity }), { code: 'no-leader' })
    t.strictSame(names(), ['n1', 'n2'])
  },
)

t.test('a node of its name that has no id goes with the server', async (t) => {
  const backend = await start(t)
  backend.apply({ kind: 'deregister', nodeName: 'n1' })
  const node = { name: 'n1', id: '', address: '127.0.0.1', taggedAddresses: {}, meta: {} }
  const named = { kind: 'register', nodeName: 'n1', node, checks: [] } as const
  backend.apply({ ...named, replaceChecks: false })
  await leaveCluster(parts(backend, () => Promise.resolve('id')))
  t.equal(
    backend.read((catalog) => catalog.node('n1')),
    undefined,
  )
})

t.test(
  'a name that another server takes while the leaving fails stays with that server',
  async (t) => {
    const backend = await start(t)
    const holder = { name: 'n1', id: 'other', address: '127.0.0.2', taggedAddresses: {}, meta: {} }
    const alive = {
      checkId: 'serfHealth',
      name: '',
      status: 'passing',
      notes: '',
      output: '',
    } as const
    const check = { ...alive, serviceId: '', type: '', interval: '', timeout: '', definition: {} }
    const refuse = (): Promise<string> => {
      const named = { kind: 'register', nodeName: 'n1', node: holder, checks: [check] } as const
      backend.apply({ ...named, replaceChecks: false })
      return Promise.reject(svcdError('no-leader', {}))
    }
    await t.rejects(leaveCluster(parts(backend, refuse)), { code: 'no-leader' })
    t.match(
      backend.read((catalog) => catalog.node('n1')),
      holder,
    )
  },
)

t.test(
  'a server that does not know the servers of its cluster does not say that it left',
  async (t) => {
    const backend = await start(t)
    backend.servers = []
    const never = (): Promise<string> => Promise.reject(new Error('must not be asked'))
    await t.rejects(leaveCluster(parts(backend, never)), { code: 'no-leader' })
    const damaged = (): Error => svcdError('state-damaged', { reason: 'a page' })
    const fetching = { ...parts(backend, never), outOfService: damaged }
    await t.rejects(leaveCluster(fetching), { code: 'state-damaged' })
    t.strictSame(backend.proposed, [])
  },
)

t.test('while it leaves the agent registers nothing again, unless the leaving fails', async (t) => {
  const backend = await start(t)
  const leaving: boolean[] = []
  const { cluster, left } = leavable({
    identity: backend.identity,
    read: (query) => backend.read(query),
    propose: (body, origin) => backend.propose(body, origin),
    outOfService: () => undefined,
    cluster: {
      cluster: () => backend.cluster(),
      operate: (operation) => backend.operate(operation),
      peers: () => [],
      autopilot: () => backend.autopilot(),
      serverHealth: () => backend.serverHealth(),
    },
    onLeaving: (isLeaving) => void leaving.push(isLeaving),
  })
  backend.refusal = svcdError('operation-refused', { reason: 'quorum-not-live' })
  await t.rejects(cluster.operate({ kind: 'leave' }), { code: 'operation-refused' })
  t.strictSame(leaving, [true, false])
  backend.refusal = undefined
  t.equal(await cluster.operate({ kind: 'transfer', to: undefined }), 'done')
  t.strictSame(leaving, [true, false], 'another operation is no leaving')
  t.equal(await cluster.operate({ kind: 'leave' }), 'done')
  await left
  t.strictSame(leaving, [true, false, true])
})
