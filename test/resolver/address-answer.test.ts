import fc from 'fast-check'
import t from 'tap'
import { anonymous } from '../../src/access/caller.ts'
import { must } from '../../src/base/assert.ts'
import { Responder } from '../../src/dns/responder.ts'
import type { View } from '../../src/dns/view.ts'
import { defaultZone } from '../../src/dns/zone.ts'
import { CatalogView } from '../../src/resolver/catalog-view.ts'
import { QueryReader } from '../../src/state/query/reader.ts'
import { sessionFamily } from '../../src/state/session/family.ts'
import { buildQuery } from '../dns/fixture.ts'
import {
  MemoryCatalog,
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../helpers/catalog.ts'
import { CatalogVersions } from '../helpers/versions.ts'

// An answer of addresses alone is made without the objects of other answers. It must have the same octets.

interface AnyInstance {
  readonly address: string
  readonly weight: number
  readonly lan?: string | undefined
  readonly status?: 'passing' | 'warning' | 'critical' | undefined
  readonly id?: string
}

const usual = Array.from({ length: 12 }, (_, n) => `10.1.0.${n}`)
const strange = [
  '',
  '10.1.0',
  '010.1.0.1',
  '10.1.0.256',
  'h.example',
  '::ffff:10.1.0.1',
  '10.1.0.1 ',
]
const anyInstance: fc.Arbitrary<AnyInstance> = fc.record({
  address: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...usual) },
    { weight: 3, arbitrary: fc.constantFrom('fd00::1', 'fd00::2', 'FD00::2') },
    { weight: 1, arbitrary: fc.constantFrom(...strange) },
  ),
  weight: fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat(9) }),
  lan: fc.oneof(
    { weight: 20, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant('10.1.1.1') },
  ),
  status: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(undefined, 'passing' as const) },
    { weight: 1, arbitrary: fc.constantFrom('warning' as const, 'critical' as const) },
  ),
})
const anyService = fc.oneof(
  fc.uniqueArray(anyInstance, { minLength: 1, maxLength: 8, selector: ({ address }) => address }),
  fc.array(anyInstance, { minLength: 1, maxLength: 4 }),
)

function catalogOf(instances: readonly AnyInstance[]): MemoryCatalog {
  const catalog = new MemoryCatalog()
  for (const [at, { address, weight, lan, status, id = `web-${at}` }] of instances.entries()) {
    const name = `n${at}`
    const service = serviceDefinition('Web', {
      id,
      address,
      port: at,
      weights: { passing: weight, warning: 1 },
      taggedAddresses: lan === undefined ? {} : { lan_ipv4: { address: lan, port: 1 } },
    })
    const checks = status === undefined ? [] : [checkDefinition('c', { serviceId: id, status })]
    const node = nodeDefinition(name, { address: `10.9.0.${at}` })
    catalog.apply(registerCommand(name, { node, service, checks }))
  }
  return catalog
}

/** How the same catalog answers with and without the short way; `short` counts how often that was taken. */
class Pair {
  short = 0
  readonly #responders: readonly Responder[]

  constructor(instances: readonly AnyInstance[], ttl = 0) {
    const catalog = catalogOf(instances)
    const readers = {
      catalog: catalog.reader,
      sessions: sessionFamily.reader(catalog.db),
      queries: new QueryReader(catalog.db),
    }
    const view = new CatalogView(readers, { caller: anonymous, onlyPassing: false, nodeName: 'n1' })
    const counted = this.#instead(view, (name) => {
      const found = view.lookUp(name)
      return (
        found && {
          ...found,
          addresses: () => {
            const addresses = found.addresses()
            if (addresses !== undefined) this.short++
            return addresses
          },
        }
      )
    })
    const views = [counted, this.#instead(view, undefined)]
    this.#responders = views.map((each) => responderOver(each, ttl))
  }

  answers(packet: Uint8Array): readonly (Buffer | undefined)[] {
    const asker = { transport: 'udp', client: '127.0.0.1', pathBytesMax: 8192 } as const
    return this.#responders.map((responder) => responder.respond(packet, asker))
  }

  #instead(view: CatalogView, lookUp: View['lookUp']): View {
    return new Proxy(view, {
      get: (target, key) => {
        if (key === 'lookUp') return lookUp
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

function responderOver(view: View, ttl: number): Responder {
  const versions = new CatalogVersions()
  const { generation, applied } = versions
  const others = { kv: 0, query: 0 }
  return new Responder({
    zone: () => ({ ...defaultZone(['consul'], 'dc1'), serviceTtls: { '*': ttl } }),
    mode: () => 'ready',
    versions,
    others: { kv: versions.kv, query: versions.query },
    snapshot: () => ({ view, generation, applied, others }),
    onError: (error) => t.fail(String(error)),
    seed: 42,
  })
}

const queries = ['A', 'AAAA'].flatMap((type) =>
  ['web.service.consul', 'WEB.Service.dc1.consul'].flatMap((name) =>
    [undefined, 512, 4096].map((edns) => buildQuery(name, type, { edns })),
  ),
)

function isAlike(pair: Pair): boolean {
  return queries.every((packet) =>
    // The first is made, the others come from the cache.
    Array.from({ length: 3 }, () => pair.answers(packet)).every(([short, other]) =>
      must(short).equals(must(other)),
    ),
  )
}

t.test('the short way to an answer of addresses gives the same octets', async (t) => {
  let [short, all] = [0, 0]
  const property = fc.property(anyService, fc.constantFrom(0, 10, 2 ** 31), (instances, ttl) => {
    const pair = new Pair(instances, ttl)
    const isSame = isAlike(pair)
    short += Math.sign(pair.short)
    all++
    return isSame
  })
  fc.assert(property, { numRuns: 400 })
  t.ok(short > 100 && short < all - 50, `${short} of ${all} services have such an answer`)
})

t.test('only addresses that are the whole answer go the short way', async (t) => {
  const one = (address: string): AnyInstance => ({ address, weight: 1 })
  const [a, b, v6] = [one('10.1.0.1'), one('10.1.0.2'), one('fd00::1')]
  const cases: readonly [string, readonly AnyInstance[], isShort: boolean][] = [
    ['IPv4', [a, b], true],
    ['IPv6', [v6, one('fd00::2')], true],
    [
      'equal weights',
      [
        { ...a, weight: 9 },
        { ...b, weight: 9 },
      ],
      true,
    ],
    ['a check that passes', [{ ...a, status: 'passing' }, b], true],
    ['both families', [a, v6], false],
    ['two instances at one address', [a, a], false],
    ['different weights', [a, { ...b, weight: 2 }], false],
    ['a critical instance', [a, { ...b, status: 'critical' }], false],
    ['an instance with a warning', [a, { ...b, status: 'warning' }], false],
    ['the address of the node', [a, one('')], false],
    ['a host name', [a, one('h.example')], false],
    ['a tagged address', [a, { ...b, lan: '10.1.1.1' }], false],
    ['tagged addresses everywhere', [{ ...a, lan: '10.1.1.1' }], false],
    [
      'a separator in an ID',
      [a, { ...b, id: 'x\u001f10.1.0.3\u001f1\u001f1\u001f{}\u001fn\u001f1\u001f[]\u001fy' }],
      false,
    ],
    ['a separator in the last ID', [a, { ...b, id: 'x\u001f' }], false],
    ['too many for a UDP answer', Array.from({ length: 40 }, (_, n) => one(`10.2.0.${n}`)), true],
    ['very many', Array.from({ length: 65 }, (_, n) => one(`10.2.0.${n}`)), false],
  ]
  for (const [what, instances, isShort] of cases) {
    const pair = new Pair(instances)
    t.ok(isAlike(pair), `${what}: the same octets`)
    t.equal(pair.short > 0, isShort, what)
  }
})
