import t from 'tap'
import { svcdError } from '../../src/base/errors.ts'
import type { ProbeResult } from '../../src/probes/result.ts'
import {
  AgentRig,
  endpoint,
  httpCheck,
  identity,
  origin,
  register,
  ttlCheck,
  web,
} from '../helpers/agent-rig.ts'

const noLeader = svcdError('no-leader', {})
const longMs = 3_600_000

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
  t.strictSame([...rig.agent.services()], [], 'the server is not a service of the agent')
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
  t.strictSame(rig.catalog.reader.check('n1', 'service:web')?.definition, {
    TTL: '1h0m0s',
    Private: { Owner: 'agent' },
  })
  t.match(rig.agent.service('web'), { id: 'web', port: 80, node: 'n1' })
  t.match([...rig.agent.services()], [{ id: 'web' }])
  t.match(
    [...rig.agent.checks()],
    [{ checkId: 'service:web', node: 'n1', serviceName: 'web', status: 'critical' }],
  )
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
  const ids = (): string[] => [...rig.agent.checks()].map((check) => check.checkId)
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
    t.match(
      [...rig.agent.checks()],
      [{ status: 'warning', output: 'changed' }],
      'output is kept here',
    )
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
    t.strictSame([[...rig.agent.services()], [...rig.agent.checks()]], [[], []])
  },
)

t.test('a check stays critical too long: its service is deregistered', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', 30, { deregisterAfterMs: 60 })])
  await rig.agent.updateTtl('c', 'passing', '', origin)
  await rig.until(() => rig.catalog.reader.service('n1', 'web') === undefined)
  t.match(rig.proposed.at(-1)?.origin, { actor: 'check c', cause: 'critical for 60ms' })
  t.strictSame([...rig.agent.services()], [])
})

t.test('without a leader a registration is refused, and made up for later', async (t) => {
  const rig = await AgentRig.start(t)
  rig.refusal = noLeader
  await t.rejects(register(rig, [ttlCheck('c', longMs)]), { code: 'no-leader' })
  t.match([...rig.agent.services()], [{ id: 'web' }], 'the agent knows it')
  rig.refusal = undefined
  await rig.until(() => rig.catalog.reader.service('n1', 'web') !== undefined)
  t.equal(rig.status('c'), 'critical')
})

t.test('checks that a refused registration replaced are removed later', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('a', longMs), ttlCheck('b', longMs)])
  rig.refusal = noLeader
  const definition = { service: web({ port: 81 }), checks: [ttlCheck('b', longMs)] }
  const replaced = rig.agent.registerService(definition, { replaceExistingChecks: true }, origin)
  await t.rejects(replaced, { code: 'no-leader' })
  await rig.kill(() => (rig.refusal = undefined))
  await rig.until(() => rig.status('a') === undefined)
  t.match([...rig.agent.checks()], [{ checkId: 'b' }])
  t.equal(rig.catalog.reader.service('n1', 'web')?.port, 81)
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
  await rig.until(() => [...rig.agent.checks()][1]?.status === 'passing')
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
    t.strictSame([...rig.agent.services()], [])
    await t.rejects(register(rig, [], web({ id: 'web2', port: 82 })), { code: 'no-leader' })
    await rig.kill(() => (rig.refusal = undefined))
    await rig.until(() => rig.catalog.reader.service('n1', 'web') === undefined)
    await rig.until(() => rig.catalog.reader.service('n1', 'web2')?.port === 82)
    t.match([...rig.agent.services()], [{ id: 'web2', port: 82 }], 'what came again stays')
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
  t.match([...rig.agent.services()], [{ id: 'web', port: 80 }])
  t.match(
    [...rig.agent.checks()],
    [{ checkId: 'c', status: 'passing', definition: { TTL: '1h0m0s' } }],
  )
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

t.test('a first result that is critical is in the catalog at once, with its output', async (t) => {
  const lines: string[] = []
  const note =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
    }
  const logger = { debug() {}, info: note('info'), warn: note('warn'), error: note('error') }
  const rig = await AgentRig.start(t, { logger })
  const health = await endpoint(t)
  health.code = 503
  await register(rig, [httpCheck('c', { url: health.url })])
  await rig.until(() => rig.catalog.reader.check('n1', 'c')?.output !== '')
  t.match(rig.catalog.reader.check('n1', 'c'), { status: 'critical', output: /503/ })
  health.code = 200
  await rig.until(() => rig.status('c') === 'passing')
  t.match(lines, [
    /^info service registered .*"id":"web".*"by":"127\.0\.0\.1"/,
    /^warn check is now critical .*"check":"c","service":"web","cause":"HTTP GET .*503/,
    /^info check is now passing .*"check":"c"/,
  ])
  const asked = health.asked
  const { length } = lines
  while (health.asked < asked + 5) await new Promise((resolve) => setImmediate(resolve))
  t.equal(lines.length, length, 'one line for each change')
  await rig.restart()
  rig.takeProposed()
  const before = health.asked
  while (health.asked < before + 3) await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(rig.takeProposed(), [], 'a restart has no first results')
})

t.test('a report of a TTL check says who reported it', async (t) => {
  const warned: object[] = []
  const logger = {
    debug() {},
    info() {},
    error() {},
    warn: (fields: object) => warned.push(fields),
  }
  const rig = await AgentRig.start(t, { logger })
  await register(rig, [ttlCheck('c', longMs)])
  await rig.agent.updateTtl('c', 'critical', 'disk full', { ...origin, client: 'curl/8' })
  const who = { by: '127.0.0.1', client: 'curl/8' }
  t.strictSame(warned, [{ check: 'c', service: 'web', cause: 'disk full', ...who }])
  t.equal(rig.catalog.reader.check('n1', 'c')?.output, 'disk full')
})

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

t.test('the evidence of a check reaches the catalog, and stays over a restart', async (t) => {
  const found: ProbeResult[] = [
    { status: 'critical', output: 'no answer', evidence: 'absence' },
    { status: 'critical', output: 'refused', evidence: 'proof' },
  ]
  let last: ProbeResult = { status: 'passing', output: '', evidence: 'proof' }
  const probe = async (): Promise<ProbeResult> => (last = found.shift() ?? last)
  const rig = await AgentRig.start(t, { probe })
  const evidence = (id: string) => rig.catalog.reader.check('n1', id)?.evidence
  const shown = (id: string) =>
    [...rig.agent.checks()].find(({ checkId }) => checkId === id)?.evidence
  const plan = { url: 'http://127.0.0.1/', intervalMs: longMs }
  await register(rig, [httpCheck('h', plan), ttlCheck('quick', 5), ttlCheck('c', longMs)])
  await rig.until(() => evidence('h') === 'absence' && evidence('quick') === 'absence')
  await rig.agent.updateTtl('c', 'warning', 'slow', origin)
  t.strictSame([evidence('c'), shown('c')], ['proof', 'proof'])
  await rig.restart()
  t.strictSame(
    ['h', 'quick', 'c'].map((id) => [evidence(id), shown(id)]),
    [
      ['absence', 'absence'],
      ['absence', 'absence'],
      ['proof', 'proof'],
    ],
  )
  await register(rig, [httpCheck('h', { ...plan, method: 'HEAD' })])
  await rig.until(() => evidence('h') === 'proof')
  await rig.agent.updateTtl('c', 'passing', '', origin)
  t.strictSame([evidence('c'), shown('c')], ['', ''])
})

t.test('what a check came to while it could not be told is told with its evidence', async (t) => {
  const rig = await AgentRig.start(t)
  await register(rig, [ttlCheck('c', longMs)])
  rig.refusal = noLeader
  await t.rejects(rig.agent.updateTtl('c', 'warning', 'slow', origin))
  rig.refusal = undefined
  await rig.until(() => rig.status('c') === 'warning')
  t.equal(rig.catalog.reader.check('n1', 'c')?.evidence, 'proof')
  rig.catalog.apply({ kind: 'deregister', nodeName: 'n1', checkId: 'c' })
  await rig.agent.reconcile()
  await rig.until(() => rig.status('c') === 'warning')
  t.equal(rig.catalog.reader.check('n1', 'c')?.evidence, 'proof', 'and registered with it again')
})
