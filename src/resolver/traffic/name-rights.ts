import type { Resource } from '../../access/rules/resource.ts'
import { locate } from '../../dns/locate.ts'
import { isWithin, parseName } from '../../dns/name.ts'
import type { Name } from '../../dns/name.ts'
import { zoneAt } from '../../dns/zone.ts'
import type { Zone } from '../../dns/zone.ts'

/** What a reader of a DNS name must be allowed to read. Without a name: everything of that kind. */
export interface NameRight {
  readonly resource: Resource
  readonly name?: string
}

const reverseDomain: Name = ['arpa']
const everyNode: readonly NameRight[] = [{ resource: 'node' }]
const everyInstance: readonly NameRight[] = [{ resource: 'service' }, { resource: 'node' }]

/**
 * The rights that a DNS name needs which a client has asked for: it may name what exists. A name outside of the
 * registry says nothing of it.
 */
export function nameRights(text: string, zone: Zone): readonly NameRight[] {
  const name = parseName(text)
  if (name === undefined) return everyInstance
  const { domain, datacenter } = zoneAt(name, zone)
  const location = locate(name, domain, datacenter)
  switch (location.kind) {
    case 'outside':
      // An address belongs to a node.
      return isWithin(name, reverseDomain) ? everyNode : []
    case 'apex':
    case 'nameserver':
    case 'browse-domains':
    case 'service-types':
      return []
    case 'service':
      return [{ resource: 'service', name: location.service }]
    case 'node':
      return [{ resource: 'node', name: location.node }]
    case 'address':
      return everyNode
    case 'query':
      return [{ resource: 'query' }]
    case 'lock':
      return [{ resource: 'key' }]
    case 'empty':
    case 'unknown':
      return everyInstance
  }
}
