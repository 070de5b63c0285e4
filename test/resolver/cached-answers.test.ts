import fc from 'fast-check'
import { join } from 'node:path'
import t from 'tap'
import { must } from '../../src/base/assert.ts'
import { defaultZone } from '../../src/dns/zone.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import { openAnswerer } from '../../src/resolver/answering.ts'
import type { Answerer } from '../../src/resolver/answering.ts'
import { SharedMode } from '../../src/resolver/threads/messages.ts'
import { openVersions } from '../../src/state/families.ts'
import type { FamilyBody } from '../../src/state/families.ts'
import { StateWriter } from '../../src/storage/state.ts'
import { buildQuery, replyText } from '../dns/fixture.ts'
import { checkDefinition, nodeDefinition, registerCommand } from '../helpers/catalog.ts'
import { committed } from '../helpers/state.ts'
import { command } from '../state/catalog/any-command.ts'

const zone = { ...defaultZone(['consul'], 'dc1'), nodeTtl: 5 }
const asker = { transport: 'tcp', client: '127.0.0.1', pathBytesMax: 65_535 } as const
const failures = {
  onError: (error: unknown): void => {
    throw error
  },
  onSuspicion: (): void => {},
}

/** Changes of health, which the commands of the catalog's tests do not make. */
const health = fc
  .record({
    node: fc.constantFrom('n1', 'n2.rack'),
    id: fc.constantFrom('k1', '_node_maintenance', '_service_maintenance:a'),
    serviceId: fc.constantFrom('', 'a', 'b'),
    status: fc.constantFrom('passing', 'warning', 'critical'),
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', '2001:db8::7'),
  })
  .map(({ node, id, serviceId, status, address }) =>
    registerCommand(node, {
      node: nodeDefinition(node, { address }),
      checks: [checkDefinition(id, { serviceId, status })],
    }),
  )

const names = [
  'web.service.consul',
  'WEB.service.consul',
  'db.service.consul',
  'none.service.consul',
  '_web._tcp.consul',
  'n1.node.consul',
  'n2.rack.node.consul',
  'rack.node.consul',
  '1.0.0.10.in-addr.arpa',
  'consul',
  'ns.consul',
  'db.query.consul',
]
const types = ['A', 'AAAA', 'SRV', 'TXT', 'PTR', 'ANY']
const question = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...types))

const step = fc.record({
  write: fc.option(fc.oneof(command, health), { nil: undefined, freq: 2 }),
  questions: fc.array(question, { minLength: 4, maxLength: 12 }),
  ages: fc.nat(20).map((n) => n === 0),
})

/** A state that is written, and two that answer from it: one has a cache. */
class Rig {
  readonly #versions = openVersions()
  readonly #writer: StateWriter
  readonly #answerers: readonly Answerer[]

  constructor(path: string, cacheBytesMax: number) {
    const mode = new SharedMode()
    mode.value = 'ready'
    this.#writer = new StateWriter(path)
    this.#answerers = [cacheBytesMax, 0].map((bytes) => {
      const { buffer } = this.#versions
      const settings = { onlyPassing: false, nodeName: 'n1', udpSizeMax: 1232 }
      const shared = { statePath: path, versions: buffer, mode: mode.buffer, zone }
      return openAnswerer({ ...shared, ...settings, cacheBytesMax: bytes }, failures, 'caller')
    })
  }

  write(body: FamilyBody): void {
    const { subjects } = this.#writer.applyBatch([committed(this.#writer.appliedIndex + 1, body)])
    this.#versions.bump(subjects)
  }

  /** The answer with the cache, and that without. Their records may have other places. */
  ask(name: string, type: string): readonly string[] {
    const query = buildQuery(name, type)
    return this.#answerers.map((answerer) => {
      const reply = decodeReply(must(answerer.responder.respond(query, asker)))
      answerer.endBatch()
      return replyText(reply)
    })
  }

  age(): void {
    for (const { responder } of this.#answerers) responder.cache.age()
  }

  get hits(): readonly number[] {
    return this.#answerers.map(({ responder }) => responder.counters.hits)
  }

  close(): void {
    for (const answerer of this.#answerers) answerer.close()
    this.#writer.close()
  }
}

t.test('whatever is written, an answer from the cache is as if it were read now', async (t) => {
  const directory = t.testdir()
  let [run, hits] = [0, 0]
  const bounds = fc.constantFrom(3000, 100_000)
  const property = fc.property(
    bounds,
    fc.array(step, { minLength: 10, maxLength: 40 }),
    (bytesMax, steps) => {
      const rig = new Rig(join(directory, `${run++}.db`), bytesMax)
      try {
        for (const { write, questions, ages } of steps) {
          if (write !== undefined) rig.write(write)
          if (ages) rig.age()
          for (const [name, type] of questions) {
            const [cached, fresh] = rig.ask(name, type)
            if (cached !== fresh) return false
          }
        }
        hits += rig.hits[0] ?? 0
        t.equal(rig.hits[1], 0, 'the other one has no cache')
      } finally {
        rig.close()
      }
      return true
    },
  )
  fc.assert(property, { numRuns: 12 })
  t.ok(hits > 100, `${hits} answers came from the cache`)
})
