import {
  addressName,
  addressesOfIp,
  hostName,
  isEmpty,
  nodeTarget,
  reachableAt,
} from './host-data.ts'
import { nameKey } from './name.ts'
import { encodeData } from './rdata.ts'
import { recordType } from './record.ts'
import { bindingData } from './service-binding.ts'
import type { Name } from './name.ts'
import type { RecordData } from './record.ts'
import type { Addresses, Endpoint } from './view.ts'
import type { Zone } from './zone.ts'

const { SRV } = recordType

/** A record that names an instance. */
export interface NamedInstance {
  readonly data: RecordData
  readonly target: Name
  /** The addresses of the target; empty if they are not known here. */
  readonly host: Addresses
  weight: number
}

/** One per instance that can be named; instances with the same target and port share one, unless their meta differs. */
export function namedInstances(
  type: number,
  endpoints: readonly Endpoint[],
  zone: Zone,
): readonly NamedInstance[] {
  const found = new Map<string, NamedInstance>()
  for (const endpoint of endpoints) {
    const at = srvTarget(endpoint, zone)
    if (at === undefined) continue
    const { port, weight } = endpoint
    const data =
      type === SRV
        ? ({ kind: 'srv', priority: 1, weight, port, target: at.target } as const)
        : bindingData(type, endpoint, at.target, at.host)
    if (data === undefined) continue
    const key = type === SRV ? `${port}/${nameKey(at.target)}` : encodeData(data)
    const known = found.get(key)
    if (known === undefined) found.set(key, { data, weight, ...at })
    else known.weight += weight
  }
  return [...found.values()]
}

/**
 * The node's name when the service uses its node's address. `<hex>.addr…` when it has an IP of its
 * own, or resolvers reject the node's name. A host name as it is (RFC 2782 wants a target with
 * addresses, not an alias).
 */
function srvTarget(
  endpoint: Endpoint,
  zone: Zone,
): Pick<NamedInstance, 'target' | 'host'> | undefined {
  const host = reachableAt(endpoint)
  // If a service has two addresses of its own, the same choice as in Consul.
  const ip = host.v6 ?? host.v4
  if (ip === undefined) {
    const target = host.name === undefined ? undefined : hostName(host.name)
    return target === undefined ? undefined : { target, host: {} }
  }
  const node = isEmpty(endpoint.service) ? nodeTarget(endpoint.node, host, zone) : undefined
  if (node !== undefined) return { target: node, host }
  return { target: addressName([ip], zone), host: addressesOfIp(ip) }
}

export function uniqueHosts(named: readonly NamedInstance[]): readonly NamedInstance[] {
  return [...new Map(named.map((each) => [nameKey(each.target), each])).values()]
}
