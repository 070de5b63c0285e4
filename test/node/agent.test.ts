import t from 'tap'
import type { Test } from 'tap'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AgentCheckDefinition } from '../../src/api/backend.ts'
import { svcdError } from '../../src/base/errors.ts'
import type { Check, ServiceDefinition } from '../../src/catalog/model.ts'
import type { ProbeResult } from '../../src/net/http-probe.ts'
import { AgentRig, httpCheck, identity, origin, ttlCheck } from '../helpers/agent-rig.ts'
import { MemoryCatalog, checkDefinition, serviceDefinition } from '../helpers/catalog.ts'

const keep = { replaceExistingChecks: false }
const noLeader = svcdError('no-leader', {})
const longMs = 3_600_000

const web = (rest: Partial<ServiceDefinition> = {}): ServiceDefinition =>
  serviceDefinition('web', { owner: 'agent', port: 80, ...rest })

function register(
  rig: AgentRig,
  checks: readonly AgentCheckDefinition[] = [],
  service = web(),
): Promise<void> {
  return rig.agent.registerService({ service, checks }, keep, origin)
}

/** A service's health endpoint that answers with `code`, and counts. */
async function endpoint(t: Test): Promise<{ url: string; code: number; asked: number }> {
  const state = { url: '', code: 200, asked: 0 }
  const server = http.createServer((_, res) => {
    state.asked++
    res.writeHead(state.code).end('hello')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return state
}

t.test('a start registers the node, its check and the server in one command, once', async (t) => {
  const rig = await AgentRig.start(t)
  t.strictSame(rig.takeProposed(), ['register node consul serfHealth=passing'])
  const { reader } = rig.catalog
  t.match(reader.node('n1'), {
    id: identity.nodeId,
    address: '10.0.0.1',
    taggedAddresses: { lan: '10.0.0.1', lan_ipv4: '10.0.0.1' },
  })
  t.match(reader.check('n1', 'serfHealth'), {
    name: 'Serf Health Status',
    output: 'Agent alive and reachable',
    serviceId: '',
  })
  t.match(reader.service('n1', 'consul'), { port: 8300, owner: 'catalog' })
  await rig.restart()
  t.strictSame(rig.takeProposed(), [], 'the second start finds all of it')
  t.strictSame(rig.agent.services(), [], 'the server is not a service of the agent')
})

t.test('a registration is one command, and is there when it resolves', async (t) => {
  const rig = await AgentRig.start(t)
  rig.takeProposed()
  const check = ttlCheck('service:web', longMs, { notes: 'by hand' })
  await register(rig, [check])
  t.strictSame(rig.takeProposed(), ['register web service:web=critical'])
  t.match(rig.catalog.reader.instances('web'), [
    { service: { id: 'web', port: 80, owner: 'agent' }, checks: [{}, { notes: 'by hand' }] },
  ])
  t.strictSame(rig.catalog.reader.check('n1', 'service:web')?.definition, { TTL: '1h0m0s' })
  t.match(rig.agent.service('web'), { id: 'web', port: 80, node: 'n1' })
  t.match(rig.agent.services(), [{ id: 'web' }])
  t.match(rig.agent.checks(), [
    { checkId: 'service:web', node: 'n1', serviceName: 'web', status: 'critical' },
  ])
})

t.test('a new check is probed at once, and only transitions are proposed', async (t) => {
  const rig = await AgentRig.start(t)
  const health = await endpoint(t)
  rig.takeProposed()
  await register(rig, [httpCheck('c', { url: health.url })])
  await rig.until(() => rig.status('c') === 'passing')
  t.match(rig.catalog.reader.check('n1', 'c')?.output, /200 OK Output: hello$/)
  while (health.asked < 5) await new Promise((resolve) => setImmediate(resolve))
  health.code = 503
  await rig.until(() => rig.status('c') === 'critical')
  health.code = 429
  await rig.until(() => rig.status('c') === 'warning')
  t.strictSame(rig.proposed.at(-1)?.origin, {
    actor: 'check c',
    cause: `HTTP GET ${health.url}: 429 Too Many Requests`,
  })
  t.strictSame(rig.takeProposed(), [
    'register web c=critical',
    'c=passing',
    'c=critical',
    'c=warning',
  ])
})

t.test('a service that comes again keeps the status of its check', async (t) => {
  const rig = await AgentRig.start(t)
  const health = await endpoint(t)
  const check = httpCheck('c', { url: health.url, intervalMs: longMs })
  await register(rig, [check])
  await rig.until(() => rig.status('c') === 'passing')
  const { asked } = health
  rig.takeProposed()
  await register(rig, [check], web({ port: 81 }))
  t.strictSame(rig.takeProposed(), ['register web c=passing'])
  t.equal(health.asked, asked, 'an unchanged check goes on as it was')

  health.code = 503
  await register(rig, [httpCheck('c', { url: `${health.url}v2`, intervalMs: longMs })])
  await rig.until(() => rig.status('c') === 'critical')
  t.strictSame(
    rig.takeProposed(),
    ['register web c=passing', 'c=critical'],
    'a changed one is probed at once',
  )
})

t.test('checks that are not listed again stay, unless they are to be replaced', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('a', longMs), ttlCheck('b', longMs)])
  await register(rig, [ttlCheck('b', longMs)])
  const ids = (): string[] => rig.agent.checks().map((check) => check.checkId)
  t.strictSame(ids(), ['a', 'b'])
  const definition = { service: web(), checks: [ttlCheck('b', longMs)] }
  await rig.agent.registerService(definition, { replaceExistingChecks: true }, origin)
  t.strictSame(ids(), ['b'])
  t.equal(rig.status('a'), undefined)
  await t.rejects(rig.agent.updateTtl('a', 'passing', '', origin), { code: 'unknown-check-id' })
})

t.test(
  'a TTL report resolves when its transition is applied; heartbeats propose nothing',
  async (t) => {
    const rig = await AgentRig.start(t)
    await register(rig, [ttlCheck('c', longMs)])
    rig.takeProposed()
    await rig.agent.updateTtl('c', 'passing', 'fine', origin)
    t.equal(rig.status('c'), 'passing')
    for (let n = 0; n < 10; n++) await rig.agent.updateTtl('c', 'passing', `fine ${n}`, origin)
    await rig.agent.updateTtl('c', 'warning', 'so so', origin)
    t.strictSame(rig.takeProposed(), ['c=passing', 'c=warning'])
    t.strictSame(rig.catalog.reader.check('n1', 'c')?.output, 'so so')
    await rig.agent.updateTtl('c', 'warning', 'changed', origin)
    t.match(rig.agent.checks(), [{ status: 'warning', output: 'changed' }], 'output is kept here')
    t.equal(rig.catalog.reader.check('n1', 'c')?.output, 'so so')
  },
)

t.test(
  'a TTL that runs out is critical with the last output; a report brings it back',
  async (t) => {
    const rig = await AgentRig.start(t)
    await register(rig, [ttlCheck('c', 60)])
    await rig.agent.updateTtl('c', 'passing', 'fine', origin)
    const startedMs = performance.now()
    await rig.until(() => rig.status('c') === 'critical')
    t.ok(performance.now() - startedMs > 40, 'not before its time')
    t.equal(
      rig.catalog.reader.check('n1', 'c')?.output,
      'TTL expired (last output before timeout follows): fine',
    )
    t.match(rig.proposed.at(-1)?.origin, { actor: 'check c', cause: 'TTL expired' })
    await rig.agent.updateTtl('c', 'passing', '', origin)
    t.equal(rig.status('c'), 'passing')
  },
)

t.test('what is not there, or not a TTL check, is refused by name', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [httpCheck('h', { url: 'http://127.0.0.1:1/', intervalMs: longMs })])
  const { agent } = rig
  await t.rejects(agent.deregisterService('nope', origin), { code: 'unknown-service-id' })
  await t.rejects(agent.deregisterService('consul', origin), { code: 'unknown-service-id' })
  await t.rejects(agent.deregisterCheck('serfHealth', origin), { code: 'unknown-check-id' })
  await t.rejects(agent.updateTtl('nope', 'passing', '', origin), { code: 'unknown-check-id' })
  await t.rejects(agent.updateTtl('h', 'passing', '', origin), { code: 'not-a-ttl-check' })
  const orphan = ttlCheck('x', 1000, { serviceId: 'nope' })
  await t.rejects(agent.registerCheck(orphan, origin), { code: 'unknown-service-id' })
  await agent.stop()
  await t.rejects(register(rig), { code: 'stopping' })
})

t.test(
  'a deregistration takes service and checks out of both, also for the next start',
  async (t) => {
    const rig = await AgentRig.start(t)
    await register(rig, [ttlCheck('c', 50)])
    await rig.agent.registerCheck(ttlCheck('node', longMs, { serviceId: '' }), origin)
    await rig.agent.deregisterService('web', origin)
    await rig.agent.deregisterCheck('node', origin)
    t.strictSame(rig.catalog.reader.instances('web'), [])
    t.equal(rig.status('node'), undefined)
    rig.takeProposed()
    await rig.kill()
    t.strictSame(rig.takeProposed(), [])
    t.strictSame([rig.agent.services(), rig.agent.checks()], [[], []])
  },
)

t.test('a check stays critical too long: its service is deregistered', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', 30, { deregisterAfterMs: 60 })])
  await rig.agent.updateTtl('c', 'passing', '', origin)
  await rig.until(() => rig.catalog.reader.service('n1', 'web') === undefined)
  t.match(rig.proposed.at(-1)?.origin, { actor: 'check c', cause: 'critical for 60ms' })
  t.strictSame(rig.agent.services(), [])
})

t.test('without a leader a registration is refused, and made up for later', async (t) => {
  const rig = await AgentRig.start(t)
  rig.refusal = noLeader
  await t.rejects(register(rig, [ttlCheck('c', longMs)]), { code: 'no-leader' })
  t.match(rig.agent.services(), [{ id: 'web' }], 'the agent knows it')
  rig.refusal = undefined
  await rig.until(() => rig.catalog.reader.service('n1', 'web') !== undefined)
  t.equal(rig.status('c'), 'critical')
})

t.test('transitions that cannot be proposed are not lost, and the latest wins', async (t) => {
  const rig = await AgentRig.start(t)
  const health = await endpoint(t)
  health.code = 503
  await register(rig, [httpCheck('h', { url: health.url }), ttlCheck('c', longMs)])
  rig.takeProposed()
  rig.refusal = noLeader
  await t.rejects(rig.agent.updateTtl('c', 'passing', '', origin), { code: 'no-leader' })
  await t.rejects(rig.agent.updateTtl('c', 'warning', '', origin), { code: 'no-leader' })
  await t.rejects(
    rig.agent.updateTtl('c', 'warning', '', origin),
    { code: 'no-leader' },
    'a heartbeat does not say that a transition is committed',
  )
  health.code = 200
  await rig.until(() => rig.agent.checks()[1]?.status === 'passing')
  rig.refusal = undefined
  await rig.until(() => rig.status('h') === 'passing' && rig.status('c') === 'warning')
  t.notOk(
    rig.takeProposed().some((command) => command.includes('c=passing')),
    'what was overtaken is not told',
  )
})

t.test(
  'a deregistration without a leader is carried out later, even by the next process',
  async (t) => {
    const rig = await AgentRig.start(t)
    await register(rig)
    await register(rig, [], web({ id: 'web2' }))
    rig.refusal = noLeader
    await t.rejects(rig.agent.deregisterService('web', origin), { code: 'no-leader' })
    await t.rejects(rig.agent.deregisterService('web', origin), { code: 'no-leader' }, 'once more')
    await t.rejects(rig.agent.deregisterService('web2', origin), { code: 'no-leader' })
    t.strictSame(rig.agent.services(), [])
    await t.rejects(register(rig, [], web({ id: 'web2', port: 82 })), { code: 'no-leader' })
    await rig.kill(() => (rig.refusal = undefined))
    await rig.until(() => rig.catalog.reader.service('n1', 'web') === undefined)
    await rig.until(() => rig.catalog.reader.service('n1', 'web2')?.port === 82)
    t.match(rig.agent.services(), [{ id: 'web2', port: 82 }], 'what came again stays')
  },
)

t.test('a registration that no server can take leaves the one before in place', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs)])
  await rig.agent.updateTtl('c', 'passing', '', origin)
  rig.refusal = svcdError('command-too-large', { size: 2, max: 1 })
  const large = [ttlCheck('c', 1000), ttlCheck('d', 1000)]
  await t.rejects(register(rig, large, web({ port: 81 })), { code: 'command-too-large' })
  await t.rejects(register(rig, [], web({ id: 'new' })), { code: 'command-too-large' })
  rig.refusal = undefined
  t.match(rig.agent.services(), [{ id: 'web', port: 80 }])
  t.match(rig.agent.checks(), [{ checkId: 'c', status: 'passing', definition: { TTL: '1h0m0s' } }])
})

t.test(
  'a node, service or check that somebody removed comes back with the next word of it',
  async (t) => {
    const rig = await AgentRig.start(t)
    await register(rig, [ttlCheck('c', longMs)])
    rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', checkId: 'c' })
    await rig.agent.updateTtl('c', 'passing', '', origin)
    t.equal(rig.status('c'), 'passing')
    rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'web' })
    await rig.agent.updateTtl('c', 'warning', '', origin)
    t.match(rig.catalog.reader.instances('web'), [{ checks: [{ status: 'warning' }, {}] }])
    rig.catalog.apply({ kind: 'deregister', nodeName: 'n1' })
    await register(rig, [], web({ id: 'web2' }))
    t.match(rig.catalog.reader.node('n1'), { address: '10.0.0.1' })
    t.equal(rig.status('serfHealth'), 'passing')
  },
)

t.test('no more probes are under way than there are slots, and all get their turn', async (t) => {
  const hanging: (() => void)[] = []
  let most = 0
  const probe = (): Promise<ProbeResult> =>
    new Promise((resolve) => {
      hanging.push(() => resolve({ status: 'passing', output: '', evidence: 'proof' }))
      most = Math.max(most, hanging.length)
    })
  const rig = await AgentRig.start(t, { probe, probeConcurrency: 3 })
  const ids = Array.from({ length: 10 }, (_, n) => `c${n}`)
  const url = 'http://127.0.0.1/'
  await register(
    rig,
    ids.map((id) => httpCheck(id, { url, intervalMs: longMs })),
  )
  await rig.until(() => {
    for (const end of hanging.splice(0)) end()
    return ids.every((id) => rig.status(id) === 'passing')
  })
  t.equal(most, 3)
})

t.test('a probe that could not be made says nothing of the service', async (t) => {
  const results: ProbeResult[] = [
    { status: 'passing', output: '', evidence: 'proof' },
    { status: 'critical', output: 'out of descriptors', evidence: 'none' },
    { status: 'warning', output: '', evidence: 'proof' },
  ]
  const probe = async (): Promise<ProbeResult> =>
    results.shift() ?? { status: 'warning', output: '', evidence: 'proof' }
  const rig = await AgentRig.start(t, { probe })
  rig.takeProposed()
  await register(rig, [httpCheck('c', { url: 'http://127.0.0.1/', intervalMs: 5 })])
  await rig.until(() => rig.status('c') === 'warning')
  t.strictSame(rig.takeProposed(), ['register web c=critical', 'c=passing', 'c=warning'])
})

t.test('after a kill, what was never acknowledged is proposed again', async (t) => {
  const rig = await AgentRig.start(t)
  rig.refusal = noLeader
  await t.rejects(register(rig, [ttlCheck('c', longMs)]))
  await rig.kill(() => (rig.refusal = undefined))
  t.match(rig.catalog.reader.service('n1', 'web'), { port: 80 })
  t.equal(rig.status('c'), 'critical')
})

t.test('what was acknowledged and then removed is not brought back', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs)])
  await rig.restart(() => {
    rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'web' })
    rig.takeProposed()
  })
  t.strictSame(rig.takeProposed(), [])
  t.strictSame([rig.agent.services(), rig.agent.checks()], [[], []])
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
  t.match(rig.agent.services(), [{ port: 81 }])
  t.match(rig.agent.checks(), [{ checkId: 'c', definition: { TTL: '2h0m0s' } }])
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
  t.match(rig.agent.services(), [{ id: 'web' }])
  t.match(rig.agent.checks(), [{ checkId: 'c' }])
})

const maintenance: AgentCheckDefinition = {
  ...ttlCheck('_service_maintenance:web', 0, { type: 'maintenance' }),
  plan: { kind: 'none' },
}

function withoutIndexes(check: Check): Omit<Check, 'createIndex' | 'modifyIndex'> {
  const { createIndex: _create, modifyIndex: _modify, ...rest } = check
  return rest
}

t.test('what only the catalog holds of this agent is adopted, with checks that run', async (t) => {
  const rig = await AgentRig.start(t)
  const health = await endpoint(t)
  await register(rig, [httpCheck('h', { url: health.url }), ttlCheck('c', longMs)])
  await rig.agent.registerCheck(ttlCheck('node', longMs, { serviceId: '' }), origin)
  await rig.agent.registerCheck(maintenance, origin)
  await rig.agent.updateTtl('c', 'passing', 'fine', origin)
  await rig.until(() => rig.status('h') === 'passing')
  const before = rig.agent.checks()
  rig.catalog.apply({
    kind: 'register',
    nodeName: 'n1',
    service: serviceDefinition('other', { owner: 'catalog' }),
    checks: [checkDefinition('other', { serviceId: 'other', definition: { TTL: '1s' } })],
    replaceChecks: false,
  })

  const other = await AgentRig.start(t, {}, rig.catalog)
  t.match(other.agent.services(), [{ id: 'web', port: 80, owner: 'agent' }])
  t.equal(other.agent.services().length, 1, "not the catalog's own")
  t.match(other.agent.checks(), before.map(withoutIndexes))
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
  t.match(rig.agent.checks(), [
    { checkId: 'c', status: 'passing', output: 'fine' },
    { checkId: 'h', status: 'passing', output: /200 OK/ },
  ])
})

t.test(
  'a TTL report that was acknowledged outlives a kill that agent.db did not see',
  async (t) => {
    const rig = await AgentRig.start(t)
    await register(rig, [ttlCheck('c', longMs)])
    await rig.agent.updateTtl('c', 'warning', 'so so', origin)
    await rig.kill()
    t.match(rig.agent.checks(), [{ status: 'warning', output: 'so so' }])
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
