import { addressKeys, reachOfNode, reachOfService } from './addresses.ts'
import type { TaggedAddress } from './model.ts'
import { parseObject } from './rows.ts'
import type { NodeRow, ServiceRow } from './rows.ts'
import type { Change } from './touch.ts'

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
  { rows }: Change,
): void {
  for (const ip of before ?? []) {
    if (!after.includes(ip)) rows.deleteAddress(ip, serviceId, nodeKey)
  }
  for (const ip of after) {
    if (before?.includes(ip) !== true) rows.putAddress(ip, serviceId, nodeKey)
  }
}
