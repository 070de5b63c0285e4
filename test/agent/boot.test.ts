import t from 'tap'
import fc from 'fast-check'
import type { AgentCheckDefinition } from '../../src/definition/agent-definition.ts'
import type { CheckPlan } from '../../src/definition/check-plan.ts'
import { svcdError } from '../../src/base/errors.ts'
import type { Check } from '../../src/state/catalog/model.ts'
import { catalogDefinition, runOf } from '../../src/agent/checks/definition.ts'
import {
  AgentRig,
  identity,
  endpoint,
  httpCheck,
  origin,
  register,
  ttlCheck,
  web,
} from '../helpers/agent-rig.ts'
import {
  MemoryCatalog,
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../helpers/catalog.ts'

type Definition = Parameters<typeof runOf>[0]['definition']

const noLeader = svcdError('no-leader', {})
const longMs = 3_600_000

t.test('after a kill, what was never acknowledged is proposed again', async (t) => {
  const rig = await AgentRig.start(t)
  rig.refusal = noLeader
  await t.rejects(register(rig, [ttlCheck('c', longMs)]))
  await rig.kill(() => (rig.refusal = undefined))
  t.match(rig.catalog.reader.service('n1', 'web'), { port: 80 })
  t.equal(rig.status('c'), 'critical')
})

t.test('what was acknowledged and then removed is brought back', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs)])
  await rig.restart(() => {
    rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'web' })
    rig.takeProposed()
  })
  t.strictSame(rig.takeProposed(), ['register web c=critical'])
  t.match(
    [[...rig.agent.services()], [...rig.agent.checks()]],
    [[{ id: 'web' }], [{ checkId: 'c' }]],
  )
})

t.test(
  'what was acknowledged by a log that is longer than the catalog is proposed again',
  async (t) => {
    const older = new MemoryCatalog()
    const rig = await AgentRig.start(t)
    for (let n = 0; n < 5; n++) await register(rig, [], web({ id: `web${n}` }))
    await register(rig, [ttlCheck('c', longMs)])
    await rig.restart(() => Object.assign(rig, { catalog: older }))
    t.equal(older.reader.instances('web').length, 6)
    t.equal(rig.status('c'), 'critical')
  },
)

t.test("what somebody else wrote over the agent's own is put right", async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs)])
  const service = web({ port: 666, owner: 'catalog' })
  const command = { kind: 'register', nodeName: 'n1', checks: [], replaceChecks: false } as const
  await rig.restart(() => void rig.catalog.apply({ ...command, service }))
  t.match(rig.catalog.reader.service('n1', 'web'), { port: 80, owner: 'agent' })
  rig.takeProposed()
  await rig.restart()
  t.strictSame(rig.takeProposed(), [], 'and is found right the next time')
})

t.test('a power cut that takes agent.db back undoes no acknowledged registration', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs)])
  const files = rig.copyFiles()
  await register(rig, [ttlCheck('c', 2 * longMs)], web({ port: 81 }))
  rig.takeProposed()
  await rig.restartOn(files)
  t.equal(rig.catalog.reader.service('n1', 'web')?.port, 81)
  t.match([...rig.agent.services()], [{ port: 81 }])
  t.match([...rig.agent.checks()], [{ checkId: 'c', definition: { TTL: '2h0m0s' } }])
  t.strictSame(rig.takeProposed(), [])
})

t.test('… nor one that followed a deregistration', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs)])
  await rig.agent.deregisterService('web', origin)
  const files = rig.copyFiles()
  await register(rig, [ttlCheck('c', longMs)])
  await rig.restartOn(files)
  t.equal(rig.status('c'), 'critical')
  t.match([...rig.agent.services()], [{ id: 'web' }])
  t.match([...rig.agent.checks()], [{ checkId: 'c' }])
})

const maintenance: AgentCheckDefinition = {
  ...ttlCheck('_service_maintenance:web', 0, { type: 'maintenance' }),
  plan: { kind: 'none' },
}

function withoutIndexes(check: Check): Omit<Check, 'createIndex' | 'modifyIndex'> {
  const { createIndex: _create, modifyIndex: _modify, ...rest } = check
  return rest
}

t.test('with EnableTagOverride the tags that others wrote stay', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [], web({ enableTagOverride: true, tags: ['mine'] }))
  const service = web({ owner: 'catalog', enableTagOverride: true, tags: ['theirs'], port: 666 })
  const command = { kind: 'register', nodeName: 'n1', checks: [], replaceChecks: false } as const
  await rig.restart(() => void rig.catalog.apply({ ...command, service }))
  t.match(rig.catalog.reader.service('n1', 'web'), { port: 80, owner: 'agent', tags: ['theirs'] })
})

t.test('what only the catalog holds of this agent is adopted, with checks that run', async (t) => {
  const rig = await AgentRig.start(t)
  const health = await endpoint(t)
  await register(rig, [httpCheck('h', { url: health.url }), ttlCheck('c', longMs)])
  await rig.agent.registerCheck(ttlCheck('node', longMs, { serviceId: '' }), origin)
  await rig.agent.registerCheck(maintenance, origin)
  await rig.agent.updateTtl('c', 'passing', 'fine', origin)
  await rig.until(() => rig.status('h') === 'passing')
  const before = [...rig.agent.checks()]
  rig.catalog.apply({
    kind: 'register',
    nodeName: 'n1',
    service: serviceDefinition('other', { owner: 'catalog' }),
    checks: [checkDefinition('other', { serviceId: 'other', definition: { TTL: '1s' } })],
    replaceChecks: false,
  })

  const other = await AgentRig.start(t, {}, rig.catalog)
  t.match([...other.agent.services()], [{ id: 'web', port: 80, owner: 'agent' }])
  t.equal([...other.agent.services()].length, 1, "not the catalog's own")
  t.match([...other.agent.checks()], before.map(withoutIndexes))
  await rig.agent.stop()
  health.code = 503
  await other.until(() => other.status('h') === 'critical')
  await other.agent.updateTtl('c', 'warning', '', origin)
  t.equal(other.status('c'), 'warning')
  await other.agent.deregisterCheck(maintenance.check.checkId, origin)
  t.equal(other.status(maintenance.check.checkId), undefined)
})

t.test('a restart keeps statuses: nothing flaps, and the catalog is not told again', async (t) => {
  const rig = await AgentRig.start(t)
  const health = await endpoint(t)
  const http = httpCheck('h', { url: health.url, intervalMs: longMs })
  await register(rig, [http, ttlCheck('c', longMs)])
  await rig.agent.updateTtl('c', 'passing', 'fine', origin)
  await rig.until(() => rig.status('h') === 'passing')
  rig.takeProposed()
  await rig.restart()
  await rig.agent.updateTtl('c', 'passing', 'fine', origin)
  t.strictSame(rig.takeProposed(), [])
  t.match(
    [...rig.agent.checks()],
    [
      { checkId: 'c', status: 'passing', output: 'fine' },
      { checkId: 'h', status: 'passing', output: /200 OK/ },
    ],
  )
})

t.test(
  'a TTL report that was acknowledged outlives a kill that agent.db did not see',
  async (t) => {
    const rig = await AgentRig.start(t)
    await register(rig, [ttlCheck('c', longMs)])
    await rig.agent.updateTtl('c', 'warning', 'so so', origin)
    await rig.kill()
    t.match([...rig.agent.checks()], [{ status: 'warning', output: 'so so' }])
    t.equal(rig.status('c'), 'warning')
  },
)

const ttlCases: readonly (readonly [string, number, (leftMs: number) => boolean])[] = [
  ['goes on with what was left of it', 0, (leftMs) => leftMs < 250],
  ['does not count the time that the agent was away', 50, (leftMs) => leftMs < 250],
  ['has all its time when the agent was away for longer', longMs, (leftMs) => leftMs > 250],
  ['has no less when the wall clock was set back', -longMs, (leftMs) => leftMs < 250],
]

for (const [claim, awayMs, isRight] of ttlCases) {
  t.test(`a TTL ${claim} after a restart`, async (t) => {
    let nowMs = 0
    const clock = { monotonicMs: () => nowMs + performance.now(), wallMs: () => rig.wallMs }
    const rig: AgentRig = await AgentRig.start(t, { clock })
    await register(rig, [ttlCheck('c', 400)])
    await rig.agent.updateTtl('c', 'passing', '', origin)
    nowMs = 200
    await rig.restart(() => (rig.wallMs += awayMs))
    t.equal(rig.status('c'), 'passing')
    const startedMs = performance.now()
    await rig.until(() => rig.status('c') === 'critical')
    const leftMs = performance.now() - startedMs
    t.ok(isRight(leftMs), `it had ${leftMs.toFixed()} ms`)
  })
}

t.test('the catalog holds all that it takes to run a check again', async (t) => {
  const text = fc.string({ maxLength: 5 })
  const ms = fc.integer({ min: 1000, max: 1e8 })
  const pace = { intervalMs: ms, timeoutMs: ms }
  const tls = { tlsSkipVerify: fc.boolean(), tlsServerName: text }
  const host = fc.constantFrom('10.0.0.1', '::1', 'db.example')
  const target = { host, port: fc.integer({ min: 1, max: 65_535 }), ...pace }
  // TE, Host and their like belong to the connection: no check can be registered with them.
  const header = fc.stringMatching(/^X-[a-z-]{0,8}$/)
  const plan: fc.Arbitrary<CheckPlan> = fc.oneof(
    fc.record({ kind: fc.constant('ttl' as const), ttlMs: ms }),
    fc.record({
      kind: fc.constant('http' as const),
      url: fc.webUrl(),
      method: fc.constantFrom('GET', 'HEAD', 'POST'),
      headers: fc.dictionary(header, fc.array(fc.base64String())),
      body: text,
      followRedirects: fc.boolean(),
      ...pace,
      ...tls,
    }),
    fc.record({ kind: fc.constant('tcp' as const), useTls: fc.boolean(), ...target, ...tls }),
    fc.record({ kind: fc.constant('udp' as const), ...target }),
    fc.record({
      kind: fc.constant('grpc' as const),
      service: fc.constantFrom('', 'web', 'a/b'),
      useTls: fc.boolean(),
      ...target,
      ...tls,
    }),
    fc.record({ kind: fc.constant('h2ping' as const), useTls: fc.boolean(), ...target, ...tls }),
    fc.record({
      kind: fc.constant('alias' as const),
      node: fc.constantFrom('', 'n2'),
      serviceId: fc.constantFrom('web', 'a:b'),
      intervalMs: fc.constant(1000),
      timeoutMs: fc.constant(1000),
    }),
  )
  const limit = fc.nat({ max: 5 })
  const run = fc.record({
    owner: fc.constantFrom('agent' as const, 'file' as const),
    plan,
    successBeforePassing: limit,
    failuresBeforeWarning: limit,
    failuresBeforeCritical: limit,
    deregisterAfterMs: fc.nat(),
  })
  fc.assert(
    fc.property(run, (run) => {
      const definition = JSON.parse(JSON.stringify(catalogDefinition(run))) as Definition
      t.same(runOf({ type: run.plan.kind, definition }), run)
    }),
  )
})

t.test('a command is never taken from the catalog, nor a check that no agent wrote', async (t) => {
  const pace = { intervalMs: 1000, timeoutMs: 1000 }
  const rules = { successBeforePassing: 0, failuresBeforeWarning: 0, failuresBeforeCritical: 0 }
  const plan = { kind: 'script', args: ['true'], ...pace } as const
  const definition = catalogDefinition({ owner: 'agent', plan, ...rules, deregisterAfterMs: 0 })
  t.match(definition, { ScriptArgs: ['true'] })
  t.equal(runOf({ type: 'script', definition }), undefined)
  t.equal(runOf({ type: 'ttl', definition: { TTL: '10s' } }), undefined)
})

const otherId = '22222222-0000-4000-8000-000000000002'

/** Another machine of the same name, as its agent had it registered. */
function predecessor(rig: AgentRig): void {
  const { catalog } = rig
  const node = nodeDefinition('n1', { id: otherId, address: '10.0.0.9' })
  const service = serviceDefinition('theirs', { owner: 'agent', port: 80 })
  const checks = [checkDefinition('serfHealth', { status: 'critical' })]
  catalog.apply(registerCommand('n1', { node, service, checks }))
}

t.test('a machine in the place of another one adopts nothing of it', async (t) => {
  const catalog = new MemoryCatalog()
  const rig = await AgentRig.start(t, {}, catalog)
  await rig.restart(() => {
    catalog.apply({ kind: 'deregister', nodeName: 'n1' })
    predecessor(rig)
  })
  t.strictSame([...rig.agent.services()], [])
  t.strictSame([...catalog.reader.instances('theirs')], [], 'and it leaves all answers')
  t.match(catalog.reader.node('n1'), { id: identity.nodeId, address: '10.0.0.1' })
})

t.test('an agent that was renamed takes its services along', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs)])
  const files = rig.copyFiles()
  // Registered behind the back of what the power cut leaves.
  await register(rig, [], web({ id: 'late' }))
  rig.takeProposed()
  rig.identity = { ...identity, nodeName: 'n9' }
  await rig.restartOn(files)
  const { reader } = rig.catalog
  t.strictSame(
    reader.nodes().map(({ name }) => name),
    ['n9'],
  )
  t.strictSame(
    reader.servicesOfNode('n9').map(({ id }) => id),
    ['consul', 'late', 'web'],
  )
  t.match(reader.check('n9', 'c'), { serviceId: 'web' })
  t.strictSame(
    rig.takeProposed(),
    ['register node consul serfHealth=passing', 'register web c=critical'],
    'by the registration of the node; what was not acknowledged is proposed again',
  )
  await rig.agent.reconcile()
  t.strictSame(rig.takeProposed(), [])
})

t.test('what an earlier release left of a renamed node goes', async (t) => {
  const rig = await AgentRig.start(t)
  const { catalog } = rig
  await rig.restart(() => {
    // As it stood there: no registration leads to it any more.
    catalog.apply(registerCommand('old', { service: serviceDefinition('web') }))
    catalog.db.exec(`UPDATE nodes SET id = '${identity.nodeId}' WHERE key = 'old'`)
  })
  t.strictSame(
    catalog.reader.nodes().map(({ name }) => name),
    ['n1'],
  )
})

t.test('under the name of a server that lives nothing is written', async (t) => {
  const catalog = new MemoryCatalog()
  const members = new Set([identity.nodeId, otherId])
  const rig = await AgentRig.start(t, { memberIds: () => members }, catalog)
  await rig.restart(() => {
    catalog.apply({ kind: 'deregister', nodeName: 'n1' })
    predecessor(rig)
    catalog.apply(
      registerCommand('n1', {
        node: undefined,
        checks: [checkDefinition('serfHealth')],
      }),
    )
    rig.takeProposed()
  })
  await t.rejects(register(rig), {
    code: 'node-name-taken',
    message: `Node name n1 is reserved by node ${otherId} with name n1 (10.0.0.9), which is alive`,
  })
  t.strictSame(rig.takeProposed(), [])
  t.strictSame(
    catalog.reader.servicesOfNode('n1').map(({ id }) => id),
    ['theirs'],
  )

  members.delete(otherId)
  await rig.until(() => catalog.reader.node('n1')?.id === identity.nodeId)
  await rig.until(() => catalog.reader.service('n1', 'web') !== undefined)
  t.pass('until that one is a member no more')
})
