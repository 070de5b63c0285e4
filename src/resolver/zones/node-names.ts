import type { Config } from '../../config/options.ts'
import { serverServiceId } from '../../state/catalog/model.ts'

/** What DNS calls this node and the servers of its cluster. */
export function nodeNames({
  nodeName,
  datacenter,
  domain,
  altDomain,
}: Pick<Config, 'nodeName' | 'datacenter' | 'domain' | 'altDomain'>): readonly string[] {
  const domains = [domain, altDomain].filter((name) => name !== undefined)
  const below = domains.flatMap((name) => [`${datacenter}.${name}`, name])
  return [
    nodeName,
    ...below.flatMap((end) => [`${nodeName}.node.${end}`, `${serverServiceId}.service.${end}`]),
  ]
}
