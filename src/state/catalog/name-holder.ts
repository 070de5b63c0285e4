import { nodeCheckId, type Node } from './model.ts'
import type { CatalogReader } from './query.ts'

/**
 * The node of another id that has this name while its agent lives, so that no other may take it (as
 * in Consul); undefined when the name is free. Neither a node without an id nor one without an
 * agent owns a name.
 */
export function nameHolder(catalog: CatalogReader, name: string, id: string): Node | undefined {
  const node = catalog.node(name)
  if (node === undefined || node.id === '' || id === '' || node.id === id) return undefined
  const check = catalog.check(node.name, nodeCheckId)
  return check === undefined || check.status === 'critical' ? undefined : node
}
