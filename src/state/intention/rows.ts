import { keyOf, precedenceOf } from './model.ts'
import type { Intention, IntentionDefinition, IntentionTimes } from './model.ts'
import type { IntentionRow } from './tables.ts'

type Rest = Pick<IntentionDefinition, 'description' | 'meta' | 'defaultAddress' | 'defaultPort'>

const precedenceMax = 9

export function rowOf(
  id: string,
  definition: IntentionDefinition,
  times: IntentionTimes,
  indexes: { readonly create: number; readonly modify: number },
): IntentionRow {
  const { source, destination, action, description, meta } = definition
  const { defaultAddress, defaultPort } = definition
  return {
    id,
    rank: precedenceMax - precedenceOf(definition),
    source_ns: source.namespace,
    source_name: source.name,
    destination_ns: destination.namespace,
    destination_name: destination.name,
    source_key: keyOf(source),
    destination_key: keyOf(destination),
    action,
    rest: JSON.stringify({ description, meta, defaultAddress, defaultPort } satisfies Rest),
    create_time_ms: times.createTimeMs,
    update_time_ms: times.updateTimeMs,
    create_index: indexes.create,
    modify_index: indexes.modify,
  }
}

export function intentionOf(row: IntentionRow): Intention {
  return {
    id: row.id,
    source: { namespace: row.source_ns, name: row.source_name },
    destination: { namespace: row.destination_ns, name: row.destination_name },
    action: row.action === 'allow' ? 'allow' : 'deny',
    ...(JSON.parse(row.rest) as Rest),
    createTimeMs: row.create_time_ms,
    updateTimeMs: row.update_time_ms,
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
}
