import { Packet } from 'dns2'
import { parseIp } from '../../src/base/ip.ts'
import { must } from '../../src/base/assert.ts'
import { addressKey } from '../../src/state/catalog/addresses.ts'
import { querySubject } from '../../src/state/query/subjects.ts'
import { CatalogVersions } from '../helpers/versions.ts'
import { parseType } from '../../src/dns/record.ts'
import { Responder } from '../../src/dns/responder.ts'
import { defaultZone } from '../../src/dns/zone.ts'
import { decodeReply } from '../../src/net/dns-client.ts'
import type { Mode } from '../../src/dns/responder.ts'
import type {
  Addresses,
  Endpoint,
  Holder,
  NodeEntry,
  Queried,
  QueryTarget,
  View,
} from '../../src/dns/view.ts'
import type { Zone } from '../../src/dns/zone.ts'
import type { DnsRecord, DnsReply } from '../../src/net/dns-client.ts'

/** `10.0.0.1`, `2001:db8::1`, both with a space between, or a host name. */
export function addresses(text: string): Addresses {
  const found: { v4?: Uint8Array; v6?: Uint8Array; name?: string } = {}
  for (const word of text.split(' ').filter((each) => each !== '')) {
    const ip = parseIp(word)
    if (ip === undefined) found.name = word
    else if (ip.length === 4) found.v4 = ip
    else found.v6 = ip
  }
  return found
}

export interface InstanceText {
  readonly node?: string
  readonly id?: string
  readonly at?: string
  readonly nodeAt?: string
  readonly port?: number
  readonly tags?: readonly string[]
  readonly weight?: number
  readonly meta?: Record<string, string>
}

export function endpoint(instance: InstanceText): Endpoint {
  const { node = 'n1', at = '', nodeAt = '10.0.0.1', port = 80, tags = [], weight = 1 } = instance
  return {
    node,
    id: instance.id ?? `i${port}`,
    tags,
    port,
    weight,
    service: addresses(at),
    nodeAddresses: addresses(nodeAt),
    meta: instance.meta,
  }
}

export class FakeRegistry implements View {
  readonly services = new Map<string, Endpoint[]>()
  readonly nodes = new Map<string, NodeEntry>()
  readonly ids = new Map<string, string>()
  readonly queries = new Map<string, Omit<QueryTarget, 'endpoints'>>()
  /** The node that holds the lock of a key; '' for none. */
  readonly locks = new Map<string, string>()
  reads = 0
  serverCount = 1

  add(name: string, ...instances: readonly InstanceText[]): this {
    const list = this.services.get(name) ?? []
    list.push(...instances.map(endpoint))
    this.services.set(name, list)
    return this
  }

  addNode(node: string, at: string, meta: Record<string, string> = {}): this {
    this.nodes.set(node.toLowerCase(), { node, addresses: addresses(at), meta })
    return this
  }

  /** A query for a service that is there. */
  addQuery(name: string, service: string, rest: Partial<QueryTarget> = {}): this {
    this.queries.set(name, { service, ttl: undefined, isOfTemplate: false, near: 0, ...rest })
    return this
  }

  query(name: string): Queried {
    this.reads++
    const subjects = [querySubject.name(name), querySubject.below(name)]
    const target = this.queries.get(name)
    const hasBelow = [...this.queries.keys()].some((other) => other.endsWith(`.${name}`))
    if (target === undefined) return { subjects, target, hasBelow }
    const endpoints = this.services.get(target.service) ?? []
    return { subjects, target: { ...target, endpoints }, hasBelow }
  }

  service(name: string): readonly Endpoint[] | undefined {
    this.reads++
    return this.services.get(name)
  }

  serviceNames(limit: number, isWanted: (name: string) => boolean): readonly string[] {
    this.reads++
    return [...this.services.keys()].toSorted().filter(isWanted).slice(0, limit)
  }

  node(name: string): NodeEntry | undefined {
    this.reads++
    return this.nodes.get(name)
  }

  nodeById(id: string): NodeEntry | undefined {
    this.reads++
    const name = this.ids.get(id)
    return name === undefined ? undefined : this.nodes.get(name)
  }

  holders(ip: Uint8Array): readonly Holder[] {
    this.reads++
    const has = ({ v4, v6 }: Addresses): boolean =>
      [v4, v6].some((own) => own !== undefined && Buffer.compare(own, ip) === 0)
    const nodes = [...this.nodes.values()]
      .filter((node) => has(node.addresses))
      .map(({ node }) => ({ node, service: undefined }))
    const services = [...this.services].flatMap(([service, list]) =>
      list.filter((each) => has(each.service)).map(({ node }) => ({ node, service })),
    )
    return [...nodes, ...services]
  }

  hasAddressBelow(prefix: string): boolean {
    const all = [
      ...[...this.nodes.values()].map((node) => node.addresses),
      ...[...this.services.values()].flat().map(({ service }) => service),
    ]
    return all.some(({ v4, v6 }) =>
      [v4, v6].some((ip) => ip !== undefined && addressKey(ip).startsWith(prefix)),
    )
  }

  servers(): readonly NodeEntry[] {
    this.reads++
    return [...this.nodes.values()].slice(0, this.serverCount)
  }

  hasNodeBelow(suffix: string): boolean {
    return [...this.nodes.keys()].some((name) => name.endsWith(`.${suffix}`))
  }

  lockHolder(key: string): string | undefined {
    this.reads++
    return this.locks.get(key)
  }
}

export interface QueryOptions {
  readonly id?: number
  /** The EDNS size; undefined: no OPT record. */
  readonly edns?: number | undefined
  readonly tcp?: boolean
  readonly client?: string
  readonly pathBytesMax?: number
  readonly class?: number
}

export function buildQuery(name: string, type: string, options: QueryOptions = {}): Buffer {
  const packet = new Packet()
  Object.assign(packet.header, { id: options.id ?? 4711, rd: 1 })
  const code = must(parseType(type))
  packet.questions.push(new Packet.Question(name, code, options.class ?? 1))
  if (options.edns !== undefined) {
    const opt = Packet.Resource.EDNS([])
    opt.class = options.edns
    packet.additionals.push(opt)
  }
  return packet.toBuffer()
}

/** A responder over a registry in memory, and what a test turns on it. */
export class Bench {
  readonly registry = new FakeRegistry()
  readonly versions = new CatalogVersions()
  readonly errors: unknown[] = []
  readonly responder: Responder
  mode: Mode = 'ready'
  zone: Zone = {
    ...defaultZone(['consul'], 'dc1'),
    altDomain: ['alt', 'test'],
    nodeTtl: 5,
    serviceTtls: { '*': 10, 'db*': 20, db: 30 },
  }

  constructor(cache: { cacheBytesMax?: number } = {}) {
    this.versions.index = 7
    this.responder = new Responder({
      ...cache,
      zone: () => this.zone,
      mode: () => this.mode,
      versions: this.versions,
      others: { kv: this.versions.kv, query: this.versions.query },
      snapshot: () => ({
        view: this.registry,
        generation: this.versions.generation,
        applied: this.versions.applied,
        others: { kv: this.versions.kv.applied, query: this.versions.query.applied },
      }),
      onError: (error) => this.errors.push(error),
      seed: 42,
    })
  }

  send(packet: Uint8Array, options: QueryOptions = {}): Buffer | undefined {
    return this.responder.respond(packet, {
      transport: options.tcp === true ? 'tcp' : 'udp',
      client: options.client ?? '127.0.0.1',
      pathBytesMax: options.pathBytesMax ?? 8192,
    })
  }

  ask(name: string, type: string, options: QueryOptions = {}): DnsReply {
    return decodeReply(must(this.send(buildQuery(name, type, options), options)))
  }
}

export function recordText({ name, ttl, type, data }: DnsRecord): string {
  return `${name} ${ttl} ${type} ${data}`
}

/** A reply as lines: rcode and flags, then the records, each section after a line of its own. */
export function replyText(reply: DnsReply): string {
  const section = (title: string, records: readonly DnsRecord[]): string[] =>
    records.length === 0 ? [] : [title, ...records.map(recordText).toSorted()]
  const flags = reply.flags.filter((flag) => flag !== 'qr' && flag !== 'rd')
  return [
    [reply.rcode, ...flags].join(' '),
    ...section('answer', reply.answer),
    ...section('authority', reply.authority),
    ...section('additional', reply.additional),
  ].join('\n')
}
