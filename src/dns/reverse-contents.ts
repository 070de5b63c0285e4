import { addressName, within } from './host-data.ts'
import { isNearlyHostName, nameKey } from './name.ts'
import { recordType } from './record.ts'
import type { IpBytes } from '../base/ip.ts'
import type { Contents } from './contents-shape.ts'
import type { Name } from './name.ts'
import type { Holder, View } from './view.ts'
import type { Zone } from './zone.ts'

/**
 * The nodes that have an address, or otherwise the services. If resolvers would accept none of their
 * names, the address's own name. Undefined if nothing has the address.
 */
export function reverseContents(ip: IpBytes, view: View, zone: Zone): Contents | undefined {
  const holders = view.holders(ip)
  const nodes = holders.filter(({ service }) => service === undefined)
  const names = new Map<string, Name>()
  for (const holder of nodes.length > 0 ? nodes : holders) {
    const name = holderName(holder, zone)
    if (name !== undefined) names.set(nameKey(name), name)
  }
  if (holders.length === 0) return undefined
  const targets = names.size === 0 ? [addressName([ip], zone)] : [...names.values()]
  return {
    alias: undefined,
    types: [recordType.PTR],
    ttl: zone.nodeTtl,
    data: (type) =>
      type === recordType.PTR ? targets.map((name) => ({ kind: 'name', name })) : [],
    additional: () => [],
  }
}

function holderName({ node, service }: Holder, zone: Zone): Name | undefined {
  const labels = service === undefined ? [...node.split('.'), 'node'] : [service, 'service']
  return isNearlyHostName(labels) ? within(labels, zone) : undefined
}
