import { expiryFinding } from '../base/expiry.ts'
import type { Self } from '../client/rows.ts'
import type { Io } from './io.ts'
import { paint, type Tone } from './paint.ts'

/** The encryption of the agent that was asked. */
export interface TlsStatus {
  readonly https: 'on' | 'off'
  readonly servers: 'strict' | 'permissive' | 'off'
  /** The certificate that expires first; undefined: the agent uses none. */
  readonly firstExpiry?: { readonly use: string; readonly date: string; readonly days: number }
}

const dayMs = 86_400_000

export function tlsOf({ DebugConfig, Stats }: Self, nowMs: number): TlsStatus {
  const { mode } = Stats['peer_tls'] ?? {}
  const dates = Object.entries(Stats['certificates'] ?? {})
  const [first] = dates.toSorted(([, one], [, other]) => Date.parse(one) - Date.parse(other))
  const status = {
    https: (DebugConfig.HTTPSPort ?? -1) < 0 ? 'off' : 'on',
    servers: mode === 'strict' || mode === 'permissive' ? mode : 'off',
  } as const
  if (first === undefined) return status
  const [use, date] = first
  return {
    ...status,
    firstExpiry: { use, date, days: Math.floor((Date.parse(date) - nowMs) / dayMs) },
  }
}

/** `HTTPS on, between servers on. The certificate for https expires in 43 days, on 2026-12-01` */
export function tlsText(
  { https, servers, firstExpiry }: TlsStatus,
  { terminal }: Pick<Io, 'terminal'>,
  nowMs: number,
): string {
  const permissive = paint('permissive (plain connections are accepted)', 'warning', terminal)
  const between = { strict: 'on', off: 'off', permissive }[servers]
  const modes = `HTTPS ${https}, between servers ${between}`
  if (firstExpiry === undefined) return modes
  const { use, date } = firstExpiry
  const { level, isUrgent, text } = expiryFinding({ use, expiresMs: Date.parse(date) }, nowMs)
  const tone: Tone = level === 'ok' ? 'plain' : isUrgent ? 'bad' : 'warning'
  return `${modes}. ${paint(text, tone, terminal)}`
}
