import type { ServiceCheck, Session, SessionDefinition } from './model.ts'
import type { SessionRow } from './tables.ts'

export function rowOf(session: SessionDefinition, index: number): SessionRow {
  return {
    id: session.id,
    node_key: session.node.toLowerCase(),
    node: session.node,
    name: session.name,
    lock_delay_ns: session.lockDelayNs,
    behavior: session.behavior,
    ttl: session.ttl,
    ttl_ms: session.ttlMs,
    node_checks: JSON.stringify(session.nodeChecks),
    service_checks: JSON.stringify(session.serviceChecks),
    create_index: index,
    modify_index: index,
  }
}

export function sessionOf(row: SessionRow): Session {
  return {
    id: row.id,
    node: row.node,
    name: row.name,
    lockDelayNs: row.lock_delay_ns,
    behavior: row.behavior === 'delete' ? 'delete' : 'release',
    ttl: row.ttl,
    ttlMs: row.ttl_ms,
    nodeChecks: JSON.parse(row.node_checks) as readonly string[] | null,
    serviceChecks: JSON.parse(row.service_checks) as readonly ServiceCheck[] | null,
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
}

/** The IDs of all checks that end a session, each once. */
export function checkIdsOf({ nodeChecks, serviceChecks }: SessionDefinition): readonly string[] {
  const own = (serviceChecks ?? []).map(({ id }) => id)
  return [...new Set([...(nodeChecks ?? []), ...own])]
}
