import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultZone } from '../../src/dns/zone.ts'
import { openAnswerer } from '../../src/resolver/answering.ts'
import type { Answerer } from '../../src/resolver/answering.ts'
import { SharedMode } from '../../src/resolver/threads/messages.ts'
import { openVersions } from '../../src/state/families.ts'
import { StateWriter } from '../../src/storage/state.ts'
import { buildQuery } from '../dns/fixture.ts'
import {
  checkDefinition,
  nodeDefinition,
  registerCommand,
  serviceDefinition,
} from '../helpers/catalog.ts'
import { committed } from '../helpers/state.ts'

// What an answer costs that is not in the cache, without sockets: each name is queried once.

const nodes = 1000
const batch = 500
/** Packets in one read transaction, as a busy thread receives them. */
const packetsPerBatch = 32

export interface MissCase {
  readonly instances: number
  readonly type: string
  /** Whether each instance has an address of its own, or that of its node. */
  readonly own: boolean
}

/** Microseconds of CPU for one answer: the median of several passes over all names. */
export function missMicros(services: number, { instances, type, own }: MissCase): number {
  const directory = mkdtempSync(join(tmpdir(), 'svcd-bench-miss-'))
  try {
    const statePath = join(directory, 'state.db')
    fillCatalog(statePath, services, instances, own)
    const answerer = open(statePath)
    const queries = Array.from({ length: services }, (_, n) =>
      buildQuery(`svc${n}.service.consul`, type, { edns: 4096 }),
    )
    // In the order of a hash: neighbours in the catalog are not queried one after the other.
    queries.sort(
      (a, b) =>
        ((a.readUInt32LE(13) * 2_654_435_761) % 65_537) -
        ((b.readUInt32LE(13) * 2_654_435_761) % 65_537),
    )
    const passes = Array.from({ length: 5 }, () => pass(answerer, queries))
    answerer.close()
    return passes.toSorted((a, b) => a - b)[2] ?? Number.NaN
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function pass(answerer: Answerer, queries: readonly Buffer[]): number {
  const { responder } = answerer
  const asker = { transport: 'udp', client: '127.0.0.1', pathBytesMax: 4096 } as const
  const out = new Uint8Array(65_536)
  const before = responder.counters.hits
  const began = process.cpuUsage()
  for (const [n, query] of queries.entries()) {
    responder.respondInto(query, asker, out, 0)
    if (n % packetsPerBatch === packetsPerBatch - 1) answerer.endBatch()
  }
  answerer.endBatch()
  const { user, system } = process.cpuUsage(began)
  if (responder.counters.hits > before) throw new Error('some answers were in the cache')
  // The zone as before, but all that is cached is void.
  answerer.setZone(zone)
  return (user + system) / queries.length
}

const zone = defaultZone(['consul'], 'dc1')

function open(statePath: string): Answerer {
  const mode = new SharedMode()
  mode.value = 'ready'
  const failures = {
    onError: (error: unknown): void => {
      throw error
    },
    onSuspicion: (): void => {},
  }
  const answering = {
    statePath,
    versions: openVersions().buffer,
    mode: mode.buffer,
    zone,
    onlyPassing: false,
    nodeName: 'n1',
    udpSizeMax: 4096,
  }
  return openAnswerer(answering, failures, 'caller')
}

/** One log entry for each instance. */
export function fillCatalog(path: string, services: number, instances: number, own: boolean): void {
  const writer = new StateWriter(path)
  const total = services * instances
  for (let from = 0; from < total; from += batch) {
    const count = Math.min(batch, total - from)
    writer.applyBatch(Array.from({ length: count }, (_, at) => entry(from + at, instances, own)))
  }
  writer.close()
}

function entry(n: number, instances: number, own: boolean): ReturnType<typeof committed> {
  const at = (n * 7) % nodes
  const name = `node-${at}`
  const id = `i${n}`
  const address = own ? `10.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}` : ''
  const service = serviceDefinition(`svc${Math.floor(n / instances)}`, {
    id,
    address,
    port: 8080,
    tags: ['v1'],
  })
  const node = nodeDefinition(name, { address: `10.0.${at >> 8}.${at & 255}` })
  const checks = [checkDefinition(`svc:${id}`, { serviceId: id })]
  return committed(n + 1, registerCommand(name, { node, service, checks }))
}
