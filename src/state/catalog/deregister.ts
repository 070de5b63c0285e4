import type { Outcome } from '../machine/command.ts'
import type { DeregisterCommand } from './commands.ts'
import { moveAddresses, nodeAddressKeys, serviceAddressKeys } from './address-index.ts'
import { touchCheck, touchServiceGone, touchServices } from './change.ts'
import type { CatalogChange } from './change.ts'
import type { CheckRow, NodeRow, ServiceRow } from './tables.ts'
import { subject } from './subjects.ts'
import { checksTable, nodesTable, servicesTable } from './tables.ts'

/** Applies a deregistration. An entry that does not exist counts as removed: no error. */
export function deregister(body: DeregisterCommand, change: CatalogChange): Outcome {
  const { sql, gate } = change
  const nodeKey = body.nodeName.toLowerCase()
  if (body.serviceId !== undefined) {
    const service = sql.service.get(nodeKey, body.serviceId)
    if (service !== undefined) removeService(service, change)
  } else if (body.checkId !== undefined) {
    const check = sql.check.get(nodeKey, body.checkId)
    if (check !== undefined) removeCheck(check, change)
  } else {
    const node = sql.node.get(nodeKey)
    if (node !== undefined) removeNode(node, change)
  }
  return { ok: true, index: gate.index }
}

function removeCheck(check: CheckRow, change: CatalogChange): void {
  touchCheck(check.node_key, check.service_id, change)
  change.gate.remove(checksTable, check)
}

function removeService(service: ServiceRow, change: CatalogChange): void {
  const { sql, gate } = change
  for (const check of sql.checksOfService.all(service.node_key, service.id))
    removeCheck(check, change)
  gate.remove(servicesTable, service)
  moveAddresses(service.node_key, service.id, serviceAddressKeys(service), [], change)
  touchServiceGone(service, change)
  gate.touch(subject.services)
  gate.touch(subject.node(service.node_key))
}

/** With all that is registered on it. */
export function removeNode(node: NodeRow, change: CatalogChange): void {
  const { sql, gate } = change
  const nodeKey = node.key
  touchServices(nodeKey, change)
  for (const service of sql.servicesOfNode.all(nodeKey)) removeService(service, change)
  for (const check of sql.checksOfNode.all(nodeKey)) removeCheck(check, change)
  gate.remove(nodesTable, node)
  moveAddresses(nodeKey, '', nodeAddressKeys(node), [], change)
  gate.touch(subject.nodes)
  gate.touch(subject.node(nodeKey))
  gate.gone(subject.node(nodeKey))
}
