import type { Check, Evidence, Node, Owner, Service, Status, TaggedAddress } from './model.ts'
import { withPlainValues } from './service-fields.ts'
import type { CheckRow, NodeRow, ServiceRow } from './tables.ts'

// The way from the rows of the tables to the model, and back.

/** JSON of an object; most are empty, and parsing costs more than comparing. */
export function parseObject<T>(text: string): Readonly<Record<string, T>> {
  return text === '{}' ? {} : (JSON.parse(text) as Record<string, T>)
}

/** The other way; most are empty here, too. */
export function objectJson(object: Readonly<Record<string, unknown>>): string {
  // The first key, if there is one, is enough.
  for (const _key in object) return JSON.stringify(object)
  return '{}'
}

export function parseTags(text: string): readonly string[] {
  return text === '[]' ? [] : (JSON.parse(text) as string[])
}

/** `web1.rack.example` → `example.rack.web1` */
export function reverseLabels(key: string): string {
  return key.split('.').toReversed().join('.')
}

export function nodeOf(row: NodeRow): Node {
  return {
    name: row.name,
    id: row.id,
    address: row.address,
    taggedAddresses: parseObject<string>(row.tagged_addresses),
    meta: parseObject<string>(row.meta),
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
}

export function serviceOf(row: ServiceRow, nodeName: string): Service {
  const service = {
    node: nodeName,
    id: row.id,
    name: row.name,
    address: row.address,
    port: row.port,
    tags: parseTags(row.tags),
    meta: parseObject<string>(row.meta),
    weights: { passing: row.weight_passing, warning: row.weight_warning },
    taggedAddresses: parseObject<TaggedAddress>(row.tagged_addresses),
    owner: row.owner as Owner,
    extra: parseObject<unknown>(row.extra),
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
  return withPlainValues(service, row)
}

/** A check's row together with what it takes from its service's. */
export interface JoinedCheckRow extends CheckRow {
  node_name: string
  service_name: string | null
  service_tags: string | null
}

export function checkOf(row: JoinedCheckRow): Check {
  return {
    node: row.node_name,
    checkId: row.check_id,
    name: row.name,
    status: row.status as Status,
    evidence: row.evidence as Evidence,
    notes: row.notes,
    output: row.output,
    serviceId: row.service_id,
    serviceName: row.service_name ?? '',
    serviceTags: parseTags(row.service_tags ?? '[]'),
    type: row.type,
    interval: row.interval,
    timeout: row.timeout,
    definition: parseObject<unknown>(row.definition),
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
}

/** All that {@link checkOf} reads; conditions on `c`, its node `n` and its service `s` follow. */
export const checkColumns = `
  SELECT c.*, n.name AS node_name, s.name AS service_name, s.tags AS service_tags
  FROM checks c JOIN nodes n ON n.key = c.node_key
  LEFT JOIN services s ON s.node_key = c.node_key AND s.id = c.service_id AND c.service_id <> ''`

/** Two lists in order of check id, in one. */
export function mergeById(a: readonly Check[], b: readonly Check[]): readonly Check[] {
  if (a.length === 0) return b
  if (b.length === 0) return a
  return [...a, ...b].toSorted((x, y) => (x.checkId < y.checkId ? -1 : 1))
}
