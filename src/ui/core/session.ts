import type { SessionEntry } from '../../client/rows.ts'

/** A duration in nanoseconds, as a person writes it: `15 s`, `1.5 s`, `1 ms`. */
export function nanosecondsText(ns: number): string {
  if (ns === 0) return 'none'
  return ns < 1e9 ? `${ns / 1e6} ms` : `${ns / 1e9} s`
}

/** What ends a session, to be read after "ends". */
export function endsBy(session: SessionEntry): string {
  const checks = checksOf(session)
  const parts = [
    isTimed(session.TTL) ? `without a renewal in ${session.TTL}` : '',
    checks.length === 0 ? '' : `when ${checks.join(' or ')} is critical`,
  ].filter((text) => text !== '')
  return parts.length === 0 ? 'when it is destroyed' : parts.join(', or ')
}

export function isTimed(ttl: string): boolean {
  return ttl !== '' && ttl !== '0s'
}

export function checksOf({
  NodeChecks,
  ServiceChecks,
}: Pick<SessionEntry, 'NodeChecks' | 'ServiceChecks'>): readonly string[] {
  return [...(NodeChecks ?? []), ...(ServiceChecks ?? []).map(({ ID }) => ID)]
}
