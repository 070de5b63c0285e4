import type { AnyMetric, Metric } from '../base/metric.ts'
import type { SessionFigures } from '../replica/duties/session-deadlines.ts'
import type { SessionCounts } from '../state/session/reader.ts'

/** `figures` of a server that has not led: undefined. */
export function sessionMetrics(
  { sessions, timed, locks, lockDelays }: SessionCounts,
  { renewals, expirations }: SessionFigures = { renewals: 0, expirations: 0 },
): readonly AnyMetric[] {
  return [
    gauge('sessions', 'Number of sessions.', sessions),
    gauge('sessions_timed', 'Number of sessions with a TTL.', timed),
    gauge('locks_held', 'Number of keys that a session has locked.', locks),
    gauge(
      'lock_delays',
      'Number of keys that no session can lock until a lock-delay is over.',
      lockDelays,
    ),
    counter(
      'session_renewals_total',
      'Renewals of sessions that this server granted as the leader.',
      renewals,
    ),
    counter(
      'session_expirations_total',
      'Sessions that this server ended as the leader because they were not renewed for their TTL.',
      expirations,
    ),
  ]
}

function gauge(name: string, help: string, value: number): Metric {
  return { name: `svcd_${name}`, help, kind: 'gauge', samples: [{ labels: {}, value }] }
}

function counter(name: string, help: string, value: number): Metric {
  return { name: `svcd_${name}`, help, kind: 'counter', samples: [{ labels: {}, value }] }
}
