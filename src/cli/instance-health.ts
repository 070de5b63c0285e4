import type { CheckEntry } from '../client/rows.ts'
import { judge, type AggregatedStatus } from '../health/judge.ts'
import { firstLine } from './columns.ts'

export interface InstanceHealth {
  readonly status: AggregatedStatus
  /** The check that decides; undefined when all pass. */
  readonly check: CheckEntry | undefined
}

/** The health of an instance as DNS and the API judge it, from its checks and those of its node. */
export function instanceHealth(checks: readonly CheckEntry[]): InstanceHealth {
  const judged = checks.map((check) => ({
    checkId: check.CheckID,
    status: check.Status as 'passing' | 'warning' | 'critical',
    serviceId: check.ServiceID,
  }))
  const service = { weights: { passing: 1, warning: 1 } }
  const { status, checkId } = judge({ service, checks: judged }, { onlyPassing: false })
  return { status, check: checks.find(({ CheckID }) => CheckID === checkId) }
}

/** Why an instance is not passing, on one line; '' when it passes. */
export function reasonFor({ status, check }: InstanceHealth): string {
  if (check === undefined) return ''
  if (status === 'maintenance') return firstLine(check.Notes)
  return `${check.CheckID}: ${outputOf(check)}`
}

/** The latest output of a check, on one line. */
export function outputOf({ Output, Notes, Status, Type }: CheckEntry): string {
  const said = firstLine(Output === '' ? Notes : Output)
  if (said !== '' || Status === 'passing') return said
  return Type === 'ttl' ? 'no report received yet' : 'no result yet'
}
