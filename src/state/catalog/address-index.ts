import { addressKeys, reachOfNode, reachOfService } from './addresses.ts'
import type { TaggedAddress } from './model.ts'
import { parseObject } from './rows.ts'
import type { RowOf } from '../machine/table.ts'
import type { CatalogChange } from './change.ts'
import { addressesTable } from './tables.ts'
import type { NodeRow, ServiceRow } from './tables.ts'

// The index of addresses follows the rows of nodes and services in the same transaction.

export function nodeAddressKeys(row: NodeRow): readonly string[] {
  const taggedAddresses = parseObject<string>(row.tagged_addresses)
  return addressKeys(reachOfNode({ address: row.address, taggedAddresses }))
}

export function serviceAddressKeys(row: ServiceRow): readonly string[] {
  const taggedAddresses = parseObject<TaggedAddress>(row.tagged_addresses)
  return addressKeys(reachOfService({ address: row.address, taggedAddresses }))
}

/** Takes a node (`serviceId` '') or service from the addresses it had to those it has now. */
export function moveAddresses(
  nodeKey: string,
  serviceId: string,
  before: readonly string[] | undefined,
  after: readonly string[],
  { gate }: CatalogChange,
): void {
  for (const ip of before ?? []) {
    if (!after.includes(ip)) gate.remove(addressesTable, addressRow(ip, serviceId, nodeKey))
  }
  for (const ip of after) {
    if (before?.includes(ip) === true) continue
    gate.put(addressesTable, addressRow(ip, serviceId, nodeKey), undefined)
  }
}

function addressRow(
  ip: string,
  serviceId: string,
  nodeKey: string,
): RowOf<typeof addressesTable.types> {
  return { ip, service_id: serviceId, node_key: nodeKey }
}
