import { judge } from '../../health/judge.ts'
import type { AggregatedStatus } from '../../health/judge.ts'
import type { CheckEntry, HealthEntry } from '../../client/rows.ts'

/** What a mark shows; `unknown`: there is nothing to judge. */
export type Health = AggregatedStatus | 'unknown'

/** Worse first: the order in which people on call read. */
export const healthRank: Readonly<Record<Health, number>> = {
  critical: 0,
  warning: 1,
  maintenance: 2,
  passing: 3,
  unknown: 4,
}

/** How many instances are in which health. */
export interface Counts {
  readonly Passing: number
  readonly Warning: number
  readonly Critical: number
  readonly Maintenance: number
}

export function totalOf({ Passing, Warning, Critical, Maintenance }: Counts): number {
  return Passing + Warning + Critical + Maintenance
}

/** The health of a service: that of its worst instance. */
export function worstOf(counts: Counts): Health {
  if (counts.Critical > 0) return 'critical'
  if (counts.Warning > 0) return 'warning'
  if (counts.Maintenance > 0) return 'maintenance'
  return counts.Passing > 0 ? 'passing' : 'unknown'
}

/** The verdict on an instance, which is the one that DNS and `?passing` make, and the check that decided. */
export interface InstanceHealth {
  readonly health: AggregatedStatus
  readonly check: CheckEntry | undefined
}

export function instanceHealth({
  Service,
  Checks,
}: Pick<HealthEntry, 'Service' | 'Checks'>): InstanceHealth {
  const { Passing: passing, Warning: warning } = Service.Weights
  const checks = Checks.map((check) => ({
    checkId: check.CheckID,
    status: statusOf(check.Status),
    serviceId: check.ServiceID,
  }))
  const verdict = judge(
    { service: { weights: { passing, warning } }, checks },
    { onlyPassing: false },
  )
  return {
    health: verdict.status,
    check: Checks.find(({ CheckID }) => CheckID === verdict.checkId),
  }
}

/** A status of a newer release counts as critical, so that nothing is called healthy by mistake. */
export function statusOf(text: string): 'passing' | 'warning' | 'critical' {
  return text === 'passing' || text === 'warning' ? text : 'critical'
}
