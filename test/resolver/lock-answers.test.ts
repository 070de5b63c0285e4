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
import { QueryReader } from '../../src/state/query/reader.ts'
import { buildQuery, replyText } from '../dns/fixture.ts'
import { kvPut } from '../helpers/kv.ts'
import { MemorySessions, registerNode, sessionCreate } from '../helpers/sessions.ts'

const key = fc.constantFrom('a', 'a/.lock', 'leader/a', 'leader/a/.lock', 'b')
const session = fc.constantFrom('s1', 's2', 's3')
const node = fc.constantFrom('n1', 'N2')
const lock = { key, session, value: fc.constant(''), flags: fc.constant('0') }

const anyCommand: fc.Arbitrary<FamilyBody> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('kv-acquire' as const), ...lock }) },
  fc.record({ kind: fc.constant('kv-release' as const), ...lock }),
  {
    weight: 2,
    arbitrary: fc
      .record({
        id: session,
        node,
        behavior: fc.constantFrom('release' as const, 'delete' as const),
      })
      .map(({ id, ...rest }) => sessionCreate(id, { ...rest, lockDelayNs: 0 })),
  },
  session.map((id): FamilyBody => ({ kind: 'session-destroy', id })),
  key.map((name): FamilyBody => kvPut(name, 'x')),
  key.map((name): FamilyBody => ({ kind: 'kv-delete', key: name })),
  fc.constant<FamilyBody>({ kind: 'kv-delete-tree', prefix: 'a' }),
  fc.record({ node, last: fc.integer({ min: 1, max: 3 }) }).map(({ node: nodeName, last }) => {
    const command = registerNode(nodeName)
    const found = { name: nodeName, id: '', taggedAddresses: {}, meta: {} }
    return { ...command, node: { ...found, address: `10.0.0.${last}` } }
  }),
  node.map((nodeName): FamilyBody => ({ kind: 'deregister', nodeName })),
)

const questions = ['leader.a', 'leader.b', 'leader.leader.a', 'a'].map(
  (name) => `${name}.lock.consul`,
)

t.test(
  'a cached answer for a lock is the one that would be made anew, after any change',
  async (t) => {
    const property = fc.property(
      fc.array(anyCommand, { minLength: 1, maxLength: 40 }),
      (commands) => {
        const state = new MemorySessions()
        const versions = openVersions()
        const readers = {
          catalog: new CatalogReader(state.db),
          sessions: state.sessions,
          queries: new QueryReader(state.db),
        }
        const view = new CatalogView(readers, {
          caller: anonymous,
          onlyPassing: false,
          nodeName: 'n1',
        })
        const [kv, query] = [versions.of('kv'), versions.of('query')]
        const catalog = versions.of('catalog')
        const open = (): Responder =>
          new Responder({
            zone: () => defaultZone(['consul'], 'dc1'),
            mode: () => 'ready',
            versions: catalog,
            others: { kv, query },
            snapshot: () => ({
              view,
              generation: versions.generation,
              applied: catalog.applied,
              others: { kv: kv.applied, query: query.applied },
            }),
            onError: (error) => {
              throw error
            },
            seed: 1,
            cacheBytesMax: 20_000,
          })
        const asker = { transport: 'udp', client: '127.0.0.1', pathBytesMax: 1232 } as const
        const ask = (responder: Responder, name: string): string =>
          replyText(decodeReply(responder.respond(buildQuery(name, 'A'), asker) ?? Buffer.alloc(0)))
        const cached = open()
        for (const command of commands) {
          const { subjects } = state.applyAll(command)
          versions.bump(subjects)
          for (const name of questions) {
            const wanted = ask(open(), name)
            if (ask(cached, name) !== wanted || ask(cached, name) !== wanted) {
              throw new Error(`${name} after ${JSON.stringify(command)}: not ${wanted}`)
            }
          }
        }
        hits += cached.counters.hits
        found += cached.counters.queries
      },
    )
    let hits = 0
    let found = 0
    fc.assert(property, { numRuns: 25 })
    t.ok(hits > found / 2, `${hits} of ${found} were from the cache`)
  },
)
