import { expiryFinding } from '../base/expiry.ts'
import type { Self } from '../client/rows.ts'
import type { Finding } from './resolver-findings.ts'

/** The certificates that the agent uses, and whether servers may still connect without TLS. */
export function certificateFindings({ Stats }: Self, nowMs: number): readonly Finding[] {
  const about = 'certificates'
  const found = Object.entries(Stats['certificates'] ?? {}).map(([use, date]): Finding => {
    const { level, isUrgent, text } = expiryFinding({ use, expiresMs: Date.parse(date) }, nowMs)
    if (level === 'ok') return { about, level, text }
    const next =
      'Create a new one, put it in place of the old one, and run `svcd reload` (docs/tls.md).'
    return { about, level: isUrgent ? 'problem' : level, text, next }
  })
  const { mode, connections_plain: plain = '0' } = Stats['peer_tls'] ?? {}
  if (mode !== 'permissive') return found
  const text = `Servers may connect without TLS (peer_tls.mode is permissive); ${plain} connections of this server do`
  const next =
    'When all servers have certificates, set peer_tls.mode to strict and run `svcd reload` (docs/tls.md).'
  return [...found, { about, level: 'warning', text, next }]
}
