import { isDeepStrictEqual } from 'node:util'
import type { QueryCommand } from './commands.ts'
import type { PreparedQuery, QueryDefinition } from './model.ts'
import type { QueryReader } from './reader.ts'

/**
 * The commands that turn the present queries into the archived ones. A query that has another name goes
 * first, so that its name is free for the one that had it.
 */
export function* restoreQueries(
  archived: QueryReader,
  present: QueryReader,
): Generator<readonly QueryCommand[] | undefined> {
  for (const { id, name } of present.queries()) {
    const isKept = archived.query(id)?.name === name
    yield isKept ? undefined : [{ kind: 'query-delete', id }]
  }
  for (const query of archived.queries()) {
    const { id } = query
    const definition = definitionOf(query)
    const before = present.query(id)
    const isSame = before !== undefined && isDeepStrictEqual(definitionOf(before), definition)
    yield isSame ? undefined : [{ kind: 'query-put', id, mode: 'any', definition }]
  }
}

function definitionOf(query: PreparedQuery): QueryDefinition {
  const { name, session, token, template, service, dns } = query
  return { name, session, token, template, service, dns }
}
