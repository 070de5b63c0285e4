import type { Rights } from '../../../access/rights.ts'
import type { Viewer } from '../../../access/viewer.ts'
import type { PreparedQuery, QueryDefinition } from '../../../state/query/model.ts'
import { isTemplate } from '../../../state/query/model.ts'

// Who may see which prepared queries, as in Consul. Rules name queries by their names.

const hidden = '<hidden>'

/** Whether rules can be about a query. A query without a name that is not a template can be read by all who know its ID. */
export function hasRules(query: Pick<QueryDefinition, 'name' | 'template'>): boolean {
  return query.name !== '' || isTemplate(query)
}

/** Whether the query may be read by its ID. */
export function mayRead(query: PreparedQuery, rights: Rights): boolean {
  return !hasRules(query) || isManager(rights) || rights.allows('query', query.name, 'read')
}

/** The query as a list shows it; undefined: the viewer does not see it. */
export function shownInList(query: PreparedQuery, viewer: Viewer): PreparedQuery | undefined {
  const { rights } = viewer.caller
  if (isManager(rights)) return query
  if (hasRules(query)) {
    return viewer.sees('query', query.name) ? withoutToken(query, rights) : undefined
  }
  // Only who may do everything with tokens sees those that no rule is about.
  viewer.hide()
  return undefined
}

/** The query without the secret of its token, except for those who could read that anyway. */
export function withoutToken(query: PreparedQuery, rights: Rights): PreparedQuery {
  return query.token === '' || isManager(rights) ? query : { ...query, token: hidden }
}

function isManager(rights: Rights): boolean {
  return rights.allows('acl', '', 'write')
}
