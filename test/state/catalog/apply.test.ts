import t from 'tap'
import { must } from '../../../src/base/assert.ts'
import { parseIp } from '../../../src/base/ip.ts'
import { randomBelow, seededRandom } from '../../../src/base/random.ts'
import type { Random } from '../../../src/base/random.ts'
import type { CommittedCommand } from '../../../src/state/machine/apply.ts'
import { decodeCommand } from '../../../src/state/families.ts'
import { stampProposal } from '../../../src/state/machine/command.ts'
import type { RegisterCommand } from '../../../src/state/catalog/commands.ts'
import type { CommandBody } from '../../../src/state/families.ts'
import type { Command } from '../../../src/state/machine/command.ts'
import type { ServiceDefinition } from '../../../src/state/catalog/model.ts'
import { proposalFault } from '../../../src/state/families.ts'
import { tablesOf } from '../../../src/storage/state-tables.ts'
import {
  MemoryCatalog,
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../../helpers/catalog.ts'

const webCheck = checkDefinition('service:web-1', { serviceId: 'web-1' })
const web = registerCommand('n1', {
  service: serviceDefinition('web', { id: 'web-1', port: 80, tags: ['v1'] }),
  checks: [webCheck],
})

const entryOf = (command: object): Buffer => Buffer.from(JSON.stringify(command))

t.test('a node that is kept, or has no address, never replaces one that is there', async (t) => {
  const [full, batched] = [new MemoryCatalog(), new MemoryCatalog()]
  const node = nodeDefinition('n1', {
    id: '5c4ab6d6-0000-4000-8000-000000000001',
    meta: { a: 'b' },
  })
  const empty = nodeDefinition('N1', { address: '' })
  const other = nodeDefinition('n1', { address: '10.9.9.9' })
  const commands = [
    registerCommand('n1', { node }),
    registerCommand('N1', { node: empty, isNodeKept: true, service: serviceDefinition('db') }),
    registerCommand('n1', { node: other, isNodeKept: true }),
    registerCommand('N1', { node: empty }),
    registerCommand('new', { node: nodeDefinition('new', { address: '' }), isNodeKept: true }),
    { kind: 'deregister', nodeName: 'new' },
    registerCommand('new', { node: nodeDefinition('new'), isNodeKept: true }),
  ] as const
  for (const command of commands) {
    const { timeMs: _, ...proposal } = full.command(command)
    t.equal(proposalFault(parsed(JSON.stringify(proposal))), undefined)
    full.apply(command)
  }
  batched.apply(...commands)
  t.match(full.reader.node('n1'), { ...node, modifyIndex: 1 })
  t.match(full.reader.servicesOfNode('n1'), [{ id: 'db' }])
  t.match(
    full.reader.node('new'),
    { address: '10.0.0.1', createIndex: 7 },
    'one that is not is made',
  )
  t.strictSame(tablesOf(full.db), tablesOf(batched.db), 'however the log was batched')
})

t.test('a registration is read back as it was written, with its index', async (t) => {
  const catalog = new MemoryCatalog()
  const full = registerCommand('n1', {
    node: nodeDefinition('n1', {
      id: '5c4ab6d6-0000-4000-8000-000000000001',
      address: '2001:db8::1',
      taggedAddresses: { lan: '2001:db8::1' },
      meta: { rack: 'a1' },
    }),
    service: serviceDefinition('web', {
      id: 'web-1',
      address: 'host.example.org',
      port: 8080,
      tags: ['v1', 'blue'],
      meta: { team: 'shop' },
      weights: { passing: 10, warning: 2 },
      taggedAddresses: { lan_ipv4: { address: '10.9.0.1', port: 8080 } },
      enableTagOverride: true,
      owner: 'agent',
      extra: { Kind: 'typical' },
    }),
    checks: [
      checkDefinition('service:web-1', { serviceId: 'web-1', status: 'warning', output: 'slow' }),
    ],
  })
  catalog.apply(full)
  const [instance] = catalog.reader.instances('web')
  t.strictSame(instance?.node, { ...full.node, createIndex: 1, modifyIndex: 1 })
  t.strictSame(instance?.service, { ...full.service, node: 'n1', createIndex: 1, modifyIndex: 1 })
  t.strictSame(instance?.checks, [
    {
      ...full.checks[0],
      node: 'n1',
      serviceName: 'web',
      serviceTags: ['v1', 'blue'],
      createIndex: 1,
      modifyIndex: 1,
    },
  ])
})

t.test('names match without regard to case and show as they were written', async (t) => {
  const catalog = new MemoryCatalog()
  catalog.apply(registerCommand('Node-A', { service: serviceDefinition('Web') }))
  t.equal(catalog.reader.instances('wEB')[0]?.service.name, 'Web')
  t.equal(catalog.reader.node('NODE-a')?.name, 'Node-A')
  t.equal(catalog.reader.service('node-A', 'Web')?.node, 'Node-A')
})

t.test('registering the same again changes no index and wakes nobody', async (t) => {
  const catalog = new MemoryCatalog()
  catalog.apply(web)
  const again = catalog.apply(web)
  t.strictSame([...again.subjects], [])
  t.strictSame(again.outcomes, [{ ok: true, index: 2 }])
  t.equal(catalog.reader.instances('web')[0]?.service.modifyIndex, 1)
  t.equal(catalog.reader.appliedIndex(), 2)
})

t.test(
  'each change touches the subjects whose answers it changes, and no other service',
  async (t) => {
    const other = registerCommand('n2', { service: serviceDefinition('db') })
    const cases = [
      {
        what: 'a new instance',
        body: registerCommand('n1', { service: serviceDefinition('web', { id: 'web-2' }) }),
        subjects: ['node:n1', 'service:web', 'services'],
      },
      {
        what: 'a port',
        body: registerCommand('n1', {
          service: serviceDefinition('web', { id: 'web-1', port: 81, tags: ['v1'] }),
        }),
        subjects: ['node:n1', 'service:web'],
      },
      {
        what: 'a new name under the same id',
        body: registerCommand('n1', {
          service: serviceDefinition('web2', { id: 'web-1', port: 80, tags: ['v1'] }),
        }),
        subjects: ['checks', 'node:n1', 'service:web', 'service:web2', 'services'],
      },
      {
        what: "a node's address",
        body: registerCommand('n1', { node: nodeDefinition('n1', { address: '10.0.0.9' }) }),
        subjects: ['node:n1', 'nodes', 'service:web'],
      },
      {
        what: 'a node check',
        body: registerCommand('n1', { checks: [checkDefinition('disk')] }),
        subjects: ['checks', 'node:n1', 'service:web'],
      },
      {
        what: 'a status',
        body: {
          kind: 'update-check',
          nodeName: 'N1',
          checkId: 'service:web-1',
          status: 'critical',
          output: 'x',
        },
        subjects: ['checks', 'node:n1', 'service:web'],
      },
      {
        what: 'a check removed',
        body: { kind: 'deregister', nodeName: 'n1', checkId: 'service:web-1' },
        subjects: ['checks', 'node:n1', 'service:web'],
      },
      {
        what: 'an instance removed',
        body: { kind: 'deregister', nodeName: 'n1', serviceId: 'web-1' },
        subjects: ['checks', 'node:n1', 'service:web', 'services'],
      },
      {
        what: 'a node removed',
        body: { kind: 'deregister', nodeName: 'n1' },
        subjects: ['checks', 'node:n1', 'nodes', 'service:web', 'services'],
      },
      {
        what: 'a thing unknown removed',
        body: { kind: 'deregister', nodeName: 'n1', serviceId: 'nope' },
        subjects: [],
      },
    ] as const
    for (const { what, body, subjects } of cases) {
      const catalog = new MemoryCatalog()
      catalog.apply(web, other)
      t.strictSame([...catalog.apply(body).subjects].toSorted(), subjects, what)
    }
  },
)

t.test('old checks stay on re-registration unless they are to be replaced', async (t) => {
  const catalog = new MemoryCatalog()
  const next = checkDefinition('second', { serviceId: 'web-1' })
  const ids = () => catalog.reader.instances('web')[0]?.checks.map((check) => check.checkId)
  catalog.apply(web, { ...web, checks: [next] })
  t.strictSame(ids(), ['second', 'service:web-1'])
  catalog.apply({ ...web, checks: [next], replaceChecks: true })
  t.strictSame(ids(), ['second'])
})

t.test('a command that cannot apply says why and changes nothing', async (t) => {
  const catalog = new MemoryCatalog()
  const orphan = checkDefinition('c', { serviceId: 'nope' })
  const { outcomes } = catalog.apply(
    { kind: 'register', nodeName: 'n9', checks: [], replaceChecks: false },
    registerCommand('n1', { service: serviceDefinition('web'), checks: [orphan] }),
    { kind: 'update-check', nodeName: 'n1', checkId: 'c', status: 'critical', output: '' },
  )
  t.strictSame(outcomes, [
    { ok: false, index: 1, error: 'unknown-node', subject: 'n9' },
    { ok: false, index: 2, error: 'unknown-service', subject: 'nope' },
    { ok: false, index: 3, error: 'unknown-check', subject: 'c' },
  ])
  t.strictSame(catalog.reader.nodes(), [])
  t.equal(catalog.reader.appliedIndex(), 3, 'and still counts as applied')
})

t.test(
  'a request applied before is answered from its dedupe row and not applied again',
  async (t) => {
    const catalog = new MemoryCatalog()
    const first = catalog.command(web, 'once')
    catalog.applyCommands(first)
    catalog.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'web-1' })
    const again = catalog.applyCommands(first)
    t.strictSame(again.outcomes, [{ ok: true, index: 1 }], 'the outcome of the first time')
    t.strictSame(catalog.reader.instances('web'), [], 'the later deregistration stands')
  },
)

t.test('a request refused before is refused again, although it could be applied now', async (t) => {
  const catalog = new MemoryCatalog()
  const early = catalog.command({ ...web, node: undefined }, 'early')
  const [first] = catalog.applyCommands(early).outcomes
  catalog.apply(registerCommand('n1', { node: nodeDefinition('n1') }))
  t.equal(first?.ok, false)
  t.strictSame(catalog.applyCommands(early).outcomes, [first])
  t.strictSame(catalog.reader.instances('web'), [])
})

t.test('dedupe rows go after 10,000 entries and 10 minutes of log time, not before', async (t) => {
  const catalog = new MemoryCatalog()
  const applied = (index: number, timeMs: number, id: string) =>
    catalog.machine.applyBatch([
      { index, term: 1, command: { ...catalog.command(web, id), timeMs } },
    ]).outcomes[0]?.index
  applied(1, 0, 'a')
  applied(10_000, 599_999, 'b')
  t.equal(applied(10_001, 599_999, 'a'), 1, 'young enough')
  applied(10_240, 600_001, 'c')
  t.equal(applied(10_241, 600_002, 'a'), 10_241, 'forgotten, at an entry that all replicas know')
})

/** Commands of a few nodes and services, repeats of earlier requests among them, far apart in the log. */
function mixedLog(random: Random, length: number): readonly CommittedCommand[] {
  const catalog = new MemoryCatalog()
  const pick = (bound: number): number => randomBelow(random, bound)
  let names = 0
  const bodies: readonly (() => CommandBody)[] = [
    () => registerCommand(`n${pick(3)}`),
    // Under a name that was never used before, where another may have been.
    () =>
      registerCommand(`n${pick(3)}`, { service: serviceDefinition(`s${names++}`, { id: 'x' }) }),
    () => ({ kind: 'deregister', nodeName: `n${pick(3)}`, serviceId: 'x' }),
    () => ({ ...web, nodeName: `n${pick(3)}`, node: undefined }),
    () => ({ ...web, nodeName: `n${pick(3)}`, node: undefined, checks: [] }),
    () => ({ kind: 'deregister', nodeName: `n${pick(3)}`, serviceId: 'web-1' }),
    () => ({ kind: 'deregister', nodeName: `n${pick(3)}` }),
  ]
  const commands: Command<CommandBody>[] = []
  for (let n = 0; n < length; n++) {
    const body = must(bodies[pick(bodies.length)])()
    const earlier = pick(4) === 0 ? commands[pick(n + 1)] : undefined
    const { requestId } = earlier ?? { requestId: `r${n}` }
    commands.push({ ...catalog.command(earlier?.body ?? body, requestId), timeMs: n * 2000 })
  }
  // Some are no commands; every eighth is where requests are forgotten.
  return commands.map((each, n) => ({
    index: (n + 1) * 32,
    term: 1,
    command: n % 29 === 0 ? undefined : each,
  }))
}

t.test('however a log is cut into batches, outcomes and rows are the same', async (t) => {
  const dump = ({ db }: MemoryCatalog): unknown[] =>
    tablesOf(db).map(({ name, keys }) =>
      db.prepare(`SELECT * FROM ${name} ORDER BY ${keys.join(', ')}`).all(),
    )
  const random = seededRandom(7)
  const log = mixedLog(random, 900)
  const singly = new MemoryCatalog()
  const outcomes = log.map((entry) => singly.machine.applyBatch([entry]).outcomes[0])
  t.ok(outcomes.some((outcome) => outcome?.ok === false))
  t.ok(outcomes.some((outcome, n) => outcome !== undefined && outcome.index < must(log[n]).index))
  for (const bound of [90, 900]) {
    const batched = new MemoryCatalog()
    const found: unknown[] = []
    for (let from = 0; from < log.length;) {
      const batch = log.slice(from, from + 1 + randomBelow(random, bound))
      found.push(...batched.machine.applyBatch(batch).outcomes)
      from += batch.length
    }
    t.strictSame(found, outcomes)
    t.strictSame(dump(batched), dump(singly))
  }
})

t.test('a subject keeps its index after it is gone', async (t) => {
  const catalog = new MemoryCatalog()
  catalog.apply(web, { kind: 'deregister', nodeName: 'n1' })
  t.equal(catalog.reader.indexOf('service:web'), 2)
  t.equal(catalog.reader.indexOf('node:n1'), 2)
  t.equal(catalog.reader.indexOf('service:never'), 0)
})

t.test('a batch that fails leaves nothing behind', async (t) => {
  const catalog = new MemoryCatalog()
  const bad = registerCommand('n1', {
    service: serviceDefinition('web', { port: 'text' as unknown as number }),
  })
  t.throws(() => catalog.apply(registerCommand('n0'), bad))
  t.strictSame(catalog.reader.nodes(), [])
  t.equal(catalog.reader.appliedIndex(), 0)
})

t.test('who has an address is known at once, however it is spelt', async (t) => {
  const catalog = new MemoryCatalog()
  const service = (id: string, rest: Partial<ServiceDefinition> = {}): RegisterCommand =>
    registerCommand('N1', { service: serviceDefinition('web', { id, ...rest }) })
  const holders = (ip: string): string[] =>
    catalog.reader
      .holdersOf(must(parseIp(ip)))
      .map(({ node, service }) => (service === undefined ? node : `${service} on ${node}`))
  catalog.apply(
    service('a', { address: '10.9.0.1' }),
    service('b', { address: '2001:DB8:0:0::1' }),
    service('c', {
      taggedAddresses: {
        lan_ipv4: { address: '10.0.0.1', port: 1 },
        wan: { address: '192.0.2.1', port: 1 },
      },
    }),
    service('d', { address: 'host.example.org' }),
  )
  t.strictSame(holders('10.0.0.1'), ['N1', 'web on N1'], 'a node comes first')
  t.strictSame(holders('2001:db8::1'), ['web on N1'])
  t.strictSame(holders('192.0.2.1'), [], 'DNS does not answer with it either')
  t.ok(catalog.reader.hasAddressBelow('40a09'))
  t.notOk(catalog.reader.hasAddressBelow('42001'), 'families are apart')
  t.notOk(catalog.reader.hasAddressBelow('40a08'))

  catalog.apply(service('a', { address: '10.9.0.2' }))
  t.strictSame(holders('10.9.0.1'), [])
  t.strictSame(holders('10.9.0.2'), ['web on N1'])
  catalog.apply({ kind: 'deregister', nodeName: 'n1', serviceId: 'a' })
  t.strictSame(holders('10.9.0.2'), [])
  catalog.apply({ kind: 'deregister', nodeName: 'n1' })
  t.strictSame(catalog.db.prepare('SELECT * FROM addresses').all(), [])
})

t.test('service names come with the union of their tags', async (t) => {
  const catalog = new MemoryCatalog()
  catalog.apply(
    registerCommand('n1', { service: serviceDefinition('web', { tags: ['b', 'a'] }) }),
    registerCommand('n2', { service: serviceDefinition('web', { tags: ['c', 'a'] }) }),
    registerCommand('n1', { service: serviceDefinition('db') }),
  )
  t.strictSame(
    [...catalog.reader.serviceNames()],
    [
      ['db', []],
      ['web', ['a', 'b', 'c']],
    ],
  )
})

t.test('a log entry is read back with the time that the leader put on it', async (t) => {
  const proposal = { version: 1, requestId: 'r', actor: 'a', cause: 'c', body: web } as const
  const entry = stampProposal(JSON.stringify(proposal), 1234)
  t.strictSame(decodeCommand(entry), { timeMs: 1234, ...JSON.parse(JSON.stringify(proposal)) })
})

t.test('a log entry of an unknown version or kind is refused, never skipped', async (t) => {
  t.throws(
    () => decodeCommand(entryOf({ version: 2, body: { kind: 'register' } })),
    /unknown version 2/,
  )
  t.throws(
    () => decodeCommand(entryOf({ version: 1, body: { kind: 'sql' } })),
    /unknown kind "sql"/,
  )
})

t.test(
  'a node whose name ends with a suffix is found by it, the suffix itself is not',
  async (t) => {
    const catalog = new MemoryCatalog()
    catalog.apply(registerCommand('Web1.Rack.example'))
    const found = ['rack.example', 'EXAMPLE', 'ack.example', 'web1.rack.example', 'rack'].map(
      (suffix) => catalog.reader.hasNodeBelow(suffix),
    )
    t.strictSame(found, [true, true, false, false, false])
  },
)

function parsed(json: string): unknown {
  return JSON.parse(json)
}

/** The same value with one leaf or branch replaced or left out, for each of them in turn. */
function* damaged(value: unknown): Generator {
  for (const other of [null, 7, -1.5, 1e30, '', 'text', true, [], {}, [null]]) yield other
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const copy = (): Record<string, unknown> =>
      Array.isArray(value) ? ([...value] as never) : { ...value }
    for (const other of damaged(inner)) yield Object.assign(copy(), { [key]: other })
    const without = copy()
    delete without[key]
    yield without
  }
}

t.test('what another server proposes is refused, or can be applied by all', async (t) => {
  const full = registerCommand('n1', {
    node: nodeDefinition('n1', { taggedAddresses: { lan: '10.0.0.1' }, meta: { rack: 'a' } }),
    service: serviceDefinition('web', {
      id: 'web-1',
      tags: ['a'],
      meta: { version: '1' },
      taggedAddresses: { lan: { address: '10.0.0.1', port: 80 } },
      extra: { Kind: 'x' },
    }),
    checks: [{ ...webCheck, definition: { Interval: '1s' } }],
  })
  const bodies = [
    full,
    { kind: 'deregister', nodeName: 'n1', serviceId: 'web-1' },
    { kind: 'deregister', nodeName: 'n1', checkId: 'c' },
    { kind: 'deregister', nodeName: 'n1' },
    { kind: 'update-check', nodeName: 'n1', checkId: 'c', status: 'warning', output: 'o' },
    { kind: 'use-format', format: 1 },
  ]
  const counts = { refused: 0, applied: 0 }
  for (const body of bodies) {
    const proposal = { version: 1, requestId: 'r', actor: 'a', cause: 'c', body }
    t.equal(proposalFault(parsed(JSON.stringify(proposal))), undefined, 'as it should be')
    for (const other of damaged(proposal)) {
      const json = JSON.stringify(other)
      if (proposalFault(parsed(json)) !== undefined) {
        counts.refused++
        continue
      }
      const catalog = new MemoryCatalog()
      catalog.apply(web)
      catalog.applyCommands(decodeCommand(stampProposal(json, 5)))
      counts.applied++
    }
  }
  t.ok(counts.refused > 400 && counts.applied > 50, JSON.stringify(counts))
  const good = JSON.stringify({ version: 1, requestId: 'r', actor: 'a', cause: 'c', body: web })
  const cases: readonly (readonly [string, RegExp])[] = [
    ['null', /not a proposal/],
    ['[]', /not a proposal/],
    [good.replace('"version":1', '"version":2'), /its version is 2/],
    [good.replace('register', 'sql'), /unknown kind "sql"/],
    [good.replace('{', '{"timeMs":"never",'), /contains a time/],
    [good.replace('"r"', '""'), /request ID is empty/],
    [good.replace('"port":80', '"port":8.5'), /malformed register/],
  ]
  for (const [json, cause] of cases) t.match(proposalFault(parsed(json)), cause)
})
