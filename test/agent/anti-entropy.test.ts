import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { catalogDefinition } from '../../src/agent/checks/definition.ts'
import { loadDefinitionFiles } from '../../src/agent/files/files.ts'
import {
  AgentRig,
  endpoint,
  httpCheck,
  origin,
  register,
  ttlCheck,
  web,
} from '../helpers/agent-rig.ts'
import { checkDefinition, serviceDefinition } from '../helpers/catalog.ts'

const longMs = 3_600_000
const put = { kind: 'register', nodeName: 'n1', checks: [], replaceChecks: false } as const

t.test('what the catalog lost is registered again, with the statuses of now', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs), ttlCheck('d', longMs)])
  await rig.agent.updateTtl('c', 'passing', '', origin)
  rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'web' })
  rig.takeProposed()
  await rig.agent.reconcile()
  t.strictSame(rig.takeProposed(), ['register web c=passing d=critical'])
  rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', checkId: 'd' })
  await rig.agent.reconcile()
  t.strictSame(rig.takeProposed(), ['register d=critical'])
  rig.catalog.apply({ kind: 'deregister', nodeName: 'n1' })
  await rig.agent.reconcile()
  t.strictSame(rig.takeProposed(), [
    'register node consul serfHealth=passing',
    'register web c=passing d=critical',
  ])
  await rig.agent.reconcile()
  t.strictSame(rig.takeProposed(), [], 'and what is right is left alone')
})

t.test('it comes back by itself, within the time that is set', async (t) => {
  const rig = await AgentRig.start(t, { reconcileEveryMs: 50 })
  await register(rig)
  rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'web' })
  await rig.until(() => rig.catalog.reader.service('n1', 'web') !== undefined)
})

t.test('what somebody wrote over is put right, their tags excepted', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs)], web({ enableTagOverride: true, tags: ['mine'] }))
  const theirs = web({ owner: 'catalog', enableTagOverride: true, tags: ['theirs'], port: 666 })
  rig.catalog.apply({ ...put, service: theirs })
  const check = checkDefinition('c', { serviceId: 'web', status: 'passing' })
  rig.catalog.apply({ ...put, checks: [check] })
  await rig.agent.reconcile()
  t.match(rig.catalog.reader.service('n1', 'web'), { port: 80, owner: 'agent', tags: ['theirs'] })
  t.equal(rig.status('c'), 'critical')
  t.match(rig.agent.service('web'), { tags: ['theirs'] })
})

t.test('what the agent has no more is removed, and what is not its own left alone', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig)
  const run = { ...ttlCheck('ghost-check', longMs), owner: 'agent' } as const
  const definition = catalogDefinition(run)
  rig.catalog.apply({ ...put, service: serviceDefinition('ghost', { owner: 'agent' }) })
  rig.catalog.apply({ ...put, service: serviceDefinition('ghost-file', { owner: 'file' }) })
  rig.catalog.apply({ ...put, service: serviceDefinition('theirs', { owner: 'catalog' }) })
  rig.catalog.apply({
    ...put,
    checks: [
      checkDefinition('ghost-check', { definition }),
      checkDefinition('their-check', { definition: { TTL: '10s' } }),
      checkDefinition('their-web-check', { serviceId: 'web' }),
    ],
  })
  rig.takeProposed()
  await rig.agent.reconcile()
  t.strictSame(rig.takeProposed().toSorted(), [
    'deregister ghost',
    'deregister ghost-check',
    'deregister ghost-file',
  ])
  const { reader } = rig.catalog
  t.strictSame(
    reader.servicesOfNode('n1').map(({ id }) => id),
    ['consul', 'theirs', 'web'],
  )
  t.strictSame(
    reader.checksOfNode('n1').map(({ checkId }) => checkId),
    ['serfHealth', 'their-check', 'their-web-check'],
  )
})

t.test(
  'nothing is compared when the catalog did not change, nor while the node leaves',
  async (t) => {
    let hasChanged = true
    const parts = { version: () => 1, hasChangedSince: () => hasChanged }
    const rig = await AgentRig.start(t, parts)
    await register(rig)
    await rig.agent.reconcile()
    hasChanged = false
    rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'web' })
    rig.takeProposed()
    await rig.agent.reconcile()
    t.strictSame(rig.takeProposed(), [])
    hasChanged = true
    rig.agent.pauseReconciling(true)
    await rig.agent.reconcile()
    t.strictSame(rig.takeProposed(), [])
    rig.agent.pauseReconciling(false)
    await rig.agent.reconcile()
    t.strictSame(rig.takeProposed(), ['register web'])
  },
)

t.test('without a leader it is tried again', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig)
  rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'web' })
  rig.refusal = new Error('no leader')
  await rig.agent.reconcile()
  t.equal(rig.catalog.reader.service('n1', 'web'), undefined)
  rig.refusal = undefined
  await rig.until(() => rig.catalog.reader.service('n1', 'web') !== undefined)
})

t.test(
  'files: what they define is added, changed and removed, and nothing else flaps',
  async (t) => {
    const rig = await AgentRig.start(t)
    const health = await endpoint(t)
    const directory = t.testdirName
    const path = join(directory, 'web.json')
    const load = async (content: object | string): Promise<string[]> => {
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
      rig.takeProposed()
      await rig.agent.load(await loadDefinitionFiles([path]))
      return rig.takeProposed()
    }
    const http = { id: 'h', http: health.url, interval: '1h' }
    await rig.agent.registerService(
      {
        service: web({ id: 'api' }),
        checks: [httpCheck('x', { url: health.url }, { serviceId: 'api' })],
      },
      { replaceExistingChecks: false },
      origin,
    )
    await rig.until(() => rig.status('x') === 'passing')
    const files = { service: { name: 'web', port: 80, checks: [http, { id: 't', ttl: '1h' }] } }
    t.strictSame(await load(files), ['register web h=critical t=critical'])
    t.match(rig.catalog.reader.service('n1', 'web'), { owner: 'file', port: 80 })
    await rig.until(() => rig.status('h') === 'passing')
    await rig.agent.updateTtl('t', 'passing', 'fine', origin)

    t.strictSame(await load(files), [], 'the same again is nothing')
    files.service.port = 81
    t.strictSame(await load(files), ['register web h=passing t=passing'])
    t.strictSame(await load('{"service": {'), [], 'what cannot be read removes nothing')
    await rig.restart()
    t.strictSame(rig.takeProposed(), [])
    t.match([...rig.agent.checks()], [{ checkId: 'h', status: 'passing' }, { checkId: 't' }, {}])
    files.service.checks = [http]
    t.strictSame(await load(files), ['deregister t'])
    t.strictSame(await load({ check: { name: 'n', ttl: '1h', status: 'warning' } }), [
      'deregister web',
      'register n=warning',
    ])
    writeFileSync(path, '{}')
    await rig.agent.load(await loadDefinitionFiles([path]))
    t.strictSame(
      [...rig.agent.services()].map(({ id }) => id),
      ['api'],
    )
    t.strictSame(
      [...rig.agent.checks()].map(({ checkId }) => checkId),
      ['x'],
    )
  },
)

t.test('a file wins over the API at the next load; scripts need their flag', async (t) => {
  const rig = await AgentRig.start(t)
  const path = join(t.testdir({ 'a.json': '{"service": {"name": "web", "port": 1}}' }), 'a.json')
  await register(rig)
  await rig.agent.load(await loadDefinitionFiles([path]))
  t.match(rig.catalog.reader.service('n1', 'web'), { port: 1, owner: 'file' })

  const script = { name: 's', args: ['true'], interval: '10s' }
  writeFileSync(path, JSON.stringify({ check: script }))
  await rig.agent.load(await loadDefinitionFiles([path]))
  await rig.until(() => rig.status('s') === 'passing')
  const over = ttlCheck('api-script', longMs, { serviceId: '' })
  const plan = { kind: 'script', args: ['true'], intervalMs: 1000, timeoutMs: 1000 } as const
  await t.rejects(rig.agent.registerCheck({ ...over, plan }, origin), {
    message: /^Scripts are disabled on this agent from remote calls; to enable, configure/,
  })
})

t.test('an alias has the health of what it stands for', async (t) => {
  const rig = await AgentRig.start(t)
  const plan = { kind: 'alias', node: '', serviceId: 'db', intervalMs: 20, timeoutMs: 20 } as const
  await register(rig, [{ ...ttlCheck('al', longMs), plan }])
  const output = (): string | undefined =>
    [...rig.agent.checks()].find((c) => c.checkId === 'al')?.output
  const until = async (status: string): Promise<void> =>
    rig.until(() => rig.status('al') === status)
  await register(rig, [ttlCheck('c', longMs, { serviceId: 'db' })], web({ id: 'db' }))
  await rig.agent.updateTtl('c', 'passing', 'fine', origin)
  await until('passing')
  t.equal(output(), 'All checks passing.')
  const evidence = (): string | undefined => rig.catalog.reader.check('n1', 'al')?.evidence
  t.equal(evidence(), '')
  await rig.agent.updateTtl('c', 'warning', 'so so', origin)
  await until('warning')
  t.match(output(), /^Aliased check ".*" failing: so so$/)
  t.equal(evidence(), 'proof', 'that of the check which fails')
  await rig.agent.deregisterService('db', origin)
  await until('critical')
  t.equal(output(), 'Service db could not be found on node n1')
})
