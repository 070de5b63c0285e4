import { reverseLabels } from '../catalog/rows.ts'
import { isTemplate } from './model.ts'
import type { PreparedQuery, QueryDefinition } from './model.ts'
import type { QueryRow } from './tables.ts'

type Stored = Omit<QueryDefinition, 'name' | 'session'>

export function rowOf(
  id: string,
  definition: QueryDefinition,
  indexes: { readonly create: number; readonly modify: number },
): QueryRow {
  const { name, session, token, template, service, dns } = definition
  const key = name.toLowerCase()
  return {
    id,
    name,
    name_key: key,
    reversed_key: reverseLabels(key),
    is_template: isTemplate(definition) ? 1 : 0,
    session: session.toLowerCase(),
    definition: JSON.stringify({ token, template, service, dns } satisfies Stored),
    create_index: indexes.create,
    modify_index: indexes.modify,
  }
}

export function queryOf(row: QueryRow): PreparedQuery {
  const { token, template, service, dns } = JSON.parse(row.definition) as Stored
  return {
    id: row.id,
    name: row.name,
    session: row.session,
    token,
    template,
    service,
    dns,
    createIndex: row.create_index,
    modifyIndex: row.modify_index,
  }
}
