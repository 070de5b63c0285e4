import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'

/** The names by which this machine is called: its host name, and what its hosts file adds. */
export async function machineNames(): Promise<readonly string[]> {
  const hosts = await readFile('/etc/hosts', 'utf8').catch(() => '')
  return namesIn(hosts, hostname())
}

/** The host name, and the names that stand beside it in the hosts file, as `hostname -f` reads it. */
export function namesIn(hostsFile: string, host: string): readonly string[] {
  const [short = ''] = host.split('.', 1)
  const isOwn = (name: string): boolean => name === host || name === short
  const lines = hostsFile.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
  const named = lines.map(([, ...names]) => names).filter((names) => names.some(isOwn))
  return [...new Set([host, short, ...named.flat()])].filter((name) => name !== '')
}
