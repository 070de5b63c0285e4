import type { Finding } from './resolver-findings.ts'

const about = 'upstream'

/** What an agent's metrics say of the DNS servers that it forwards queries to; nothing if there are none. */
export function upstreamFindings(metrics: string): readonly Finding[] {
  const lines = metrics.matchAll(/^svcd_recursion_upstream_down\{server="([^"]*)"\} (\d)/gm)
  const servers = [...lines].map(([, server = '', down]) => ({ server, isDown: down === '1' }))
  if (servers.length === 0) return []
  const down = servers.filter(({ isDown }) => isDown)
  if (down.length === 0) {
    const text = `No failures lately of ${servers.map(({ server }) => server).join(', ')}`
    return [{ about, level: 'ok', text }]
  }
  const isAll = down.length === servers.length
  return down.map(({ server }) => ({
    about,
    level: isAll ? 'problem' : 'warning',
    text: `${server}, a server for names outside svcd (-recursor), does not answer`,
    next: 'Check its address, and that a firewall lets UDP and TCP through.',
  }))
}
