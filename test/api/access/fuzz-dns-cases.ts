import type { DnsReply } from '../../../src/net/dns-client.ts'
import { nameOf, ownNode, suffixes } from '../../helpers/plain-rules.ts'
import type { Kind, May } from '../../helpers/plain-rules.ts'
import { instanceAddress, lowerSuffixes, nodeAddress } from './fuzz-world.ts'

type Need = readonly [Kind, string]

export interface DnsQuestion {
  readonly name: string
  readonly type: string
  /** What must be readable so that it is answered at all. */
  readonly needs: readonly Need[]
}

const reverse = (address: string): string =>
  `${address.split('.').toReversed().join('.')}.in-addr.arpa`

const nodes = lowerSuffixes.map((suffix) => nameOf('node', suffix))
const services = suffixes.map((suffix) => nameOf('service', suffix))

/** Every kind of name, of everything that the world has. */
export const questions: readonly DnsQuestion[] = [
  ...suffixes.flatMap((suffix) => {
    const name = nameOf('service', suffix)
    const needs: readonly Need[] = [['service', name]]
    return [
      ...['A', 'SRV', 'TXT', 'SVCB', 'HTTPS', 'ANY'].map((type) => ({
        name: `${name}.service.consul`,
        type,
        needs,
      })),
      { name: `tag.${name}.service.dc1.consul`, type: 'SRV', needs },
      { name: `_${name}._tag.service.consul`, type: 'SRV', needs },
      ...['PTR', 'SRV'].map((type) => ({ name: `_${name}._tcp.consul`, type, needs })),
    ]
  }),
  ...[...nodes, ownNode].flatMap((node) =>
    ['A', 'TXT', 'ANY'].map((type): DnsQuestion => ({
      name: `${node}.node.consul`,
      type,
      needs: [['node', node]],
    })),
  ),
  ...nodes.map((node): DnsQuestion => {
    const needs: readonly Need[] = [['node', node]]
    return { name: reverse(nodeAddress(node)), type: 'PTR', needs }
  }),
  ...nodes.flatMap((node) =>
    services.map((service): DnsQuestion => {
      const needs: readonly Need[] = [
        ['node', node],
        ['service', service],
      ]
      return { name: reverse(instanceAddress(node, service)), type: 'PTR', needs }
    }),
  ),
  ...lowerSuffixes.flatMap((suffix) =>
    ['A', 'SRV'].map((type): DnsQuestion => ({
      name: `${nameOf('query', suffix)}.query.consul`,
      type,
      needs: [['service', nameOf('service', suffix)]],
    })),
  ),
  ...lowerSuffixes.map((suffix): DnsQuestion => {
    const key = nameOf('key', suffix)
    return { name: `leader.${key}.lock.consul`, type: 'A', needs: [['key', key]] }
  }),
  { name: 'consul', type: 'NS', needs: [] },
  { name: '_services._dns-sd._udp.consul', type: 'PTR', needs: [] },
  ...nodes.flatMap((node) =>
    services.flatMap((service) =>
      ['SRV', 'TXT'].map((type): DnsQuestion => ({
        name: `${node}:${service}._${service}._tcp.consul`,
        type,
        needs: [
          ['node', node],
          ['service', service],
        ],
      })),
    ),
  ),
  { name: 'consul.service.consul', type: 'SRV', needs: [['service', 'consul']] },
]

/** What addresses are of; in digits, and in hexadecimal as in names of addresses. */
const addressNeeds = new Map<string, readonly Need[]>()

function add(address: string, ...needs: readonly Need[]): void {
  const hex = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  for (const each of [address, hex.join('')]) addressNeeds.set(each, needs)
}

add('127.0.0.1', ['node', ownNode])
for (const node of nodes) {
  add(nodeAddress(node), ['node', node])
  for (const service of services) {
    add(instanceAddress(node, service), ['node', node], ['service', service])
  }
}

const named =
  /\b(?:node-[A-Za-z]+|svc-[A-Za-z]+|n1(?=\.node\b)|10(?:\.\d+){3}|127\.0\.0\.1|[\da-f]{8}(?=\.addr\b))/g
const marks = /mark\(([^)]*)\)/g

/** What an answer shows, and whether the rules allow that. */
export function shownByDns(
  { name, needs }: DnsQuestion,
  { answer, authority, additional }: DnsReply,
  may: May,
): readonly { readonly text: string; readonly isAllowed: boolean }[] {
  const records = [...answer, ...authority, ...additional].filter(({ type }) => type !== 'SOA')
  const text = records.map((record) => `${record.name} ${record.type} ${record.data}`).join('\n')
  const shown = new Map<string, readonly Need[]>()
  for (const [found] of text.matchAll(named)) {
    // What the question says is no news.
    if (!name.includes(found)) shown.set(found, needsOf(found))
  }
  for (const [found, parts = ''] of text.matchAll(marks)) {
    shown.set(
      found,
      parts.split(' ').map((part) => part.split(':') as unknown as Need),
    )
  }
  return [...shown].map(([found, own]) => ({
    text: found,
    isAllowed: [...own, ...needs].every((need) => may(...need)),
  }))
}

function needsOf(found: string): readonly Need[] {
  if (found.startsWith('node-') || found === ownNode) return [['node', found]]
  if (found.startsWith('svc-')) return [['service', found]]
  return addressNeeds.get(found) ?? []
}
