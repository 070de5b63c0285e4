import type { DeregisterCommand, Outcome } from '../machine/command.ts'
import { moveAddresses, nodeAddressKeys, serviceAddressKeys } from './address-index.ts'
import { noteGone, touchServiceGone } from './gone-subjects.ts'
import { touchCheck, touchServices } from './touch.ts'
import type { Change } from './touch.ts'
import type { CheckRow, NodeRow, ServiceRow } from './rows.ts'
import { subject } from '../machine/versions.ts'

/** Applies a deregistration. An entry that does not exist counts as removed: no error. */
export function deregister(body: DeregisterCommand, change: Change): Outcome {
  const { sql, index } = change
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
  return { ok: true, index }
}

function removeCheck(check: CheckRow, change: Change): void {
  touchCheck(check.node_key, check.service_id, change)
  change.rows.deleteCheck(check)
}

function removeService(service: ServiceRow, change: Change): void {
  const { sql } = change
  for (const check of sql.checksOfService.all(service.node_key, service.id))
    removeCheck(check, change)
  change.rows.deleteService(service)
  moveAddresses(service.node_key, service.id, serviceAddressKeys(service), [], change)
  touchServiceGone(service, change)
  change.touch(subject.services)
  change.touch(subject.node(service.node_key))
}

/** With all that is registered on it. */
export function removeNode(node: NodeRow, change: Change): void {
  const { sql } = change
  const nodeKey = node.key
  touchServices(nodeKey, change)
  for (const service of sql.servicesOfNode.all(nodeKey)) removeService(service, change)
  for (const check of sql.checksOfNode.all(nodeKey)) removeCheck(check, change)
  change.rows.deleteNode(node)
  change.nodes.delete(nodeKey)
  moveAddresses(nodeKey, '', nodeAddressKeys(node), [], change)
  change.touch(subject.nodes)
  change.touch(subject.node(nodeKey))
  noteGone(subject.node(nodeKey), change)
}
