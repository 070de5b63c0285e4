/** A certificate that a node uses. */
export interface CertificateExpiry {
  /** The use, such as `https` or `peer-ca`. */
  readonly use: string
  readonly expiresMs: number
  /** Before that it is not valid; undefined: not known. */
  readonly fromMs?: number | undefined
}

export type ExpiryLevel = 'ok' | 'warning' | 'problem'

const dayMs = 86_400_000
/** Enough time to make a new one without haste, and the time for haste. */
const warningDays = 30
const urgentDays = 7

/** The finding about a certificate at `nowMs`; `isUrgent` in the last week. */
export function expiryFinding(
  { use, expiresMs, fromMs = -Infinity }: CertificateExpiry,
  nowMs: number,
): { readonly level: ExpiryLevel; readonly isUrgent: boolean; readonly text: string } {
  const days = Math.floor((expiresMs - nowMs) / dayMs)
  const date = new Date(expiresMs).toISOString().slice(0, 10)
  const whose = `The certificate for ${use}`
  if (expiresMs <= nowMs) {
    return { level: 'problem', isUrgent: true, text: `${whose} expired on ${date}` }
  }
  if (fromMs > nowMs) {
    const from = new Date(fromMs).toISOString()
    const text = `${whose} is not valid before ${from}: check the clock of this machine`
    return { level: 'problem', isUrgent: true, text }
  }
  const when = days === 0 ? 'within a day' : `in ${days} ${days === 1 ? 'day' : 'days'}`
  const text = `${whose} expires ${when}, on ${date}`
  return { level: days < warningDays ? 'warning' : 'ok', isUrgent: days < urgentDays, text }
}
