import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { serverServiceId } from '../state/catalog/model.ts'
import type { Config } from '../config/options.ts'

/** The names by which this machine and this node are called, and HTTP may be asked. */
export async function ownNames(
  config: Pick<Config, 'nodeName' | 'datacenter' | 'domain' | 'altDomain'>,
): Promise<readonly string[]> {
  const hosts = await readFile('/etc/hosts', 'utf8').catch(() => '')
  return [...machineNames(hostname(), hosts), ...nodeNames(config)]
}

/** The host name, and the names that stand beside it in the hosts file, as `hostname -f` reads it. */
export function machineNames(host: string, hostsFile: string): readonly string[] {
  const [short = ''] = host.split('.', 1)
  const isOwn = (name: string): boolean => name === host || name === short
  const lines = hostsFile.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
  const named = lines.map(([, ...names]) => names).filter((names) => names.some(isOwn))
  return [...new Set([host, short, ...named.flat()])].filter((name) => name !== '')
}

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
