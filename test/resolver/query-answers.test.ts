import fc from 'fast-check'
import t from 'tap'
import { anonymous } from '../../src/access/caller.ts'
import { Responder } from '../../src/dns/responder.ts'
import { defaultZone } from '../../src/dns/zone.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { CatalogView } from '../../src/resolver/catalog-view.ts'
import { CatalogReader } from '../../src/state/catalog/query.ts'
import type { FamilyBody } from '../../src/state/families.ts'
import { openVersions } from '../../src/state/families.ts'
import { sessionFamily } from '../../src/state/session/family.ts'
import { buildQuery, replyText } from '../dns/fixture.ts'
import {
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../helpers/catalog.ts'
import { kvPut } from '../helpers/kv.ts'
import { MemoryQueries, queryDefinition, queryId, templateDefinition } from '../helpers/queries.ts'
import { registerNode, sessionCreate } from '../helpers/sessions.ts'

/** A responder over the state, and what it is asked. */
class Asked {
  readonly queries = new MemoryQueries()
  readonly versions = openVersions()
  readonly #view = new CatalogView(
    {
      catalog: new CatalogReader(this.queries.state.db),
      sessions: sessionFamily.reader(this.queries.state.db),
      queries: this.queries.reader,
    },
    { caller: anonymous, onlyPassing: false, nodeName: 'n1' },
  )
  /** How often the state was looked at. */
  reads = 0

  open(): Responder {
    const { versions } = this
    const catalog = versions.of('catalog')
    const [kv, query] = [versions.of('kv'), versions.of('query')]
    return new Responder({
      zone: () => defaultZone(['consul'], 'dc1'),
      mode: () => 'ready',
      versions: catalog,
      others: { kv, query },
      snapshot: () => {
        this.reads++
        const { generation } = versions
        const others = { kv: kv.applied, query: query.applied }
        return { view: this.#view, generation, applied: catalog.applied, others }
      },
      onError: (error) => {
        throw error
      },
      seed: 1,
      cacheBytesMax: 20_000,
    })
  }

  apply(...bodies: readonly FamilyBody[]): void {
    const { subjects } = this.queries.state.applyAll(...bodies)
    this.versions.bump(subjects)
  }
}

const asker = { transport: 'udp', client: '127.0.0.1', pathBytesMax: 1232 } as const

function ask(responder: Responder, name: string, type = 'A'): string {
  const packet = buildQuery(`${name}.query.consul`, type)
  return replyText(decodeReply(responder.respond(packet, asker) ?? Buffer.alloc(0)))
}

const name = fc.constantFrom('', 'a', 'ab', 'a.b', 'abc', 'B')
const service = fc.constantFrom('web', 'db', '${name.suffix}', 'w${match(1)}')
const ttl = fc.constantFrom('', '1s')
const definition = fc
  .record({ name, service, ttl, tag: fc.constantFrom('v1', '!v1'), isTemplate: fc.boolean() })
  .map((given) => {
    const text = {
      name: given.name,
      dns: { ttl: given.ttl },
      service: { service: given.service, tags: [given.tag], nodeMeta: null, near: 'n2' },
    }
    if (!given.isTemplate) return queryDefinition({ ...text, name: given.name || 'a' })
    return templateDefinition(given.name, { ...text, template: { regexp: '^.*(eb)$' } })
  })
const node = fc.constantFrom('n1', 'n2')

const anyCommand: fc.Arbitrary<FamilyBody> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 4 }), definition)
      .map(([number, given]): FamilyBody => {
        return { kind: 'query-put', id: queryId(number), mode: 'any', definition: given }
      }),
  },
  fc
    .integer({ min: 1, max: 4 })
    .map((number): FamilyBody => ({ kind: 'query-delete', id: queryId(number) })),
  {
    weight: 2,
    arbitrary: fc
      .record({
        node,
        name: fc.constantFrom('web', 'db'),
        tags: fc.constantFrom([], ['v1']),
        status: fc.constantFrom('passing' as const, 'critical' as const),
      })
      .map((given) =>
        registerCommand(given.node, {
          node: nodeDefinition(given.node, {
            address: given.node === 'n1' ? '10.0.0.1' : '10.0.0.2',
          }),
          service: serviceDefinition(given.name, { tags: given.tags, port: 80 }),
          checks: [checkDefinition('c', { serviceId: given.name, status: given.status })],
        }),
      ),
  },
  node.map((nodeName): FamilyBody => ({ kind: 'deregister', nodeName })),
  fc.constant(kvPut('k', 'v')),
)

const asked = ['a', 'ab', 'abc', 'abweb', 'a.b', 'b', 'zweb', queryId(1)]

t.test('a cached answer is the one that would be made anew, after any change', async (t) => {
  let hits = 0
  let all = 0
  const property = fc.property(
    fc.array(anyCommand, { minLength: 1, maxLength: 40 }),
    (commands) => {
      const state = new Asked()
      const cached = state.open()
      for (const command of commands) {
        state.apply(command)
        for (const each of asked) {
          const wanted = ask(state.open(), each)
          for (let n = 0; n < 3; n++) {
            if (ask(cached, each) === wanted) continue
            throw new Error(`${each} after ${JSON.stringify(command)}: not ${wanted}`)
          }
        }
      }
      hits += cached.counters.hits
      all += cached.counters.queries
    },
  )
  fc.assert(property, { numRuns: 20 })
  t.ok(hits > all / 2, `${hits} of ${all} were from the cache`)
})

t.test('what has nothing to do with an answer voids nothing', async (t) => {
  const state = new Asked()
  const put = (number: number, given: ReturnType<typeof queryDefinition>): FamilyBody => {
    return { kind: 'query-put', id: queryId(number), mode: 'any', definition: given }
  }
  const register = (service: string, port: number): FamilyBody =>
    registerCommand('n1', {
      node: nodeDefinition('n1'),
      service: serviceDefinition(service, { port }),
    })
  state.apply(
    register('web', 1),
    register('db', 1),
    registerNode('n2'),
    sessionCreate('s', { node: 'n2', nodeChecks: [] }),
    put(1, queryDefinition({ name: 'best' })),
    put(2, templateDefinition('pick-', { service: { service: '${name.suffix}' } })),
  )
  const responder = state.open()
  const names = ['best', 'pick-web', 'nope']
  const readsAfter = (...bodies: readonly FamilyBody[]): number => {
    // Twice, because names without an end enter the cache at the second query.
    for (const each of [...names, ...names]) ask(responder, each)
    if (bodies.length > 0) state.apply(...bodies)
    state.reads = 0
    for (const each of names) ask(responder, each)
    return state.reads
  }
  t.equal(readsAfter(), 0)
  t.equal(readsAfter(kvPut('a', 'b')), 0, 'a key')
  t.equal(readsAfter({ kind: 'session-destroy', id: 's' }), 0, 'a session')
  t.equal(readsAfter(register('db', 2)), 0, 'another service')
  t.equal(readsAfter(put(3, queryDefinition({ name: 'other' }))), 0, 'another query')
  t.equal(readsAfter(put(4, templateDefinition('other-'))), 0, 'another template')
  t.equal(
    readsAfter(put(5, queryDefinition({ name: 'pick-we' }))),
    0,
    'a query that is no template',
  )
  t.equal(readsAfter({ kind: 'query-delete', id: queryId(5) }), 0)
  t.equal(readsAfter(put(1, queryDefinition({ name: 'best', dns: { ttl: '5s' } }))), 1)
  t.equal(readsAfter(put(6, templateDefinition('pick-w'))), 1, 'a longer template')
  t.equal(readsAfter(register('web', 2)), 2, 'the service of two of them')
  t.equal(readsAfter(put(7, queryDefinition({ name: 'x.nope' }))), 1, 'a name below a missing one')
})

t.test('`_agent` is the node of the agent that is asked', async (t) => {
  const state = new Asked()
  const instance = (nodeName: string, address: string): FamilyBody =>
    registerCommand(nodeName, {
      node: nodeDefinition(nodeName, { address, meta: { of: nodeName } }),
      service: serviceDefinition('web', { port: 80 }),
    })
  state.apply(instance('n0', '10.0.0.10'), instance('n1', '10.0.0.11'), instance('n2', '10.0.0.12'))
  const put = (near: string, nodeMeta: Record<string, string> | null = null): void => {
    const given = queryDefinition({ name: 'q', service: { near, nodeMeta } })
    state.apply({ kind: 'query-put', id: queryId(1), mode: 'any', definition: given })
  }
  const responder = state.open()
  const first = (): string => {
    const packet = buildQuery('q.query.consul', 'A')
    const { answer } = decodeReply(responder.respond(packet, asker) ?? Buffer.alloc(0))
    return answer[0]?.data ?? ''
  }
  for (const [near, wanted] of [
    ['_agent', '10.0.0.11'],
    ['N2', '10.0.0.12'],
  ] as const) {
    put(near)
    for (let n = 0; n < 4; n++) t.equal(first(), wanted, near)
  }
  put('', { of: 'n0' })
  t.equal(ask(responder, 'q'), 'NOERROR aa\nanswer\nq.query.consul. 0 A 10.0.0.10')
})
