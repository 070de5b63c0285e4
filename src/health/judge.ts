/** The fields of a check that a verdict needs; the catalog's `Check` has them. */
export interface JudgedCheck {
  readonly checkId: string
  readonly status: 'passing' | 'warning' | 'critical'
  /** '' for a check of the node. */
  readonly serviceId: string
}

/** The fields of an instance that a verdict needs; the catalog's `Instance` has them. */
export interface Candidate {
  readonly service: { readonly weights: { readonly passing: number; readonly warning: number } }
  /** The service's checks and the node's. */
  readonly checks: readonly JudgedCheck[]
}

/** An instance's checks in one word: Consul's aggregated status. */
export type AggregatedStatus = 'maintenance' | 'critical' | 'warning' | 'passing'

/** What decided a verdict. */
export type Rule =
  | 'node-maintenance'
  | 'service-maintenance'
  | 'critical-node-check'
  | 'critical-service-check'
  | 'warning-node-check'
  | 'warning-service-check'
  | 'passing'

export interface Verdict {
  readonly status: AggregatedStatus
  /** Whether DNS answers contain the instance. */
  readonly inAnswer: boolean
  /** Whether HTTP lists it under `?passing`. */
  readonly passing: boolean
  /** The SRV weight for its status; 0 if clients must not use it. */
  readonly weight: number
  readonly rule: Rule
  /** The check that decided, '' under the rule `passing`. */
  readonly checkId: string
}

export interface JudgeOptions {
  /** True: a warning keeps an instance out of DNS answers too (Consul's `only_passing`). */
  readonly onlyPassing: boolean
}

export const nodeMaintenanceId = '_node_maintenance'
export const serviceMaintenancePrefix = '_service_maintenance:'

/**
 * The verdict on one instance. DNS answers and HTTP's `passing` both read this one. It depends only on
 * the catalog, never on a clock: otherwise nodes would differ and cached answers would be wrong.
 */
export function judge(instance: Candidate, options: JudgeOptions): Verdict {
  const worst = worstCheck(instance.checks)
  const { weights } = instance.service
  if (worst === undefined) {
    return {
      status: 'passing',
      inAnswer: true,
      passing: true,
      weight: weights.passing,
      rule: 'passing',
      checkId: '',
    }
  }
  const rule = ruleOf(worst)
  const status = statusOfRule[rule]
  const isWarning = status === 'warning'
  return {
    status,
    inAnswer: isWarning && !options.onlyPassing,
    passing: false,
    weight: isWarning ? weights.warning : 0,
    rule,
    checkId: worst.checkId,
  }
}

/** The aggregated status of some checks; no checks = passing. */
export function aggregatedStatus(checks: readonly JudgedCheck[]): AggregatedStatus {
  const worst = worstCheck(checks)
  return worst === undefined ? 'passing' : statusOfRule[ruleOf(worst)]
}

// The first of the checks under the most severe rule; undefined if all of them pass.
function worstCheck(checks: readonly JudgedCheck[]): JudgedCheck | undefined {
  let worst: JudgedCheck | undefined
  let worstRank = rankOf.passing
  for (const check of checks) {
    const rank = rankOf[ruleOf(check)]
    if (rank <= worstRank) continue
    worst = check
    worstRank = rank
  }
  return worst
}

function ruleOf(check: JudgedCheck): Rule {
  // A maintenance check counts if it is present, whatever its status (as in Consul).
  if (check.checkId.charCodeAt(0) === underscore) {
    if (check.checkId === nodeMaintenanceId) return 'node-maintenance'
    if (check.checkId.startsWith(serviceMaintenancePrefix)) return 'service-maintenance'
  }
  if (check.status === 'passing') return 'passing'
  return check.serviceId === '' ? `${check.status}-node-check` : `${check.status}-service-check`
}

const underscore = 0x5f

// Of two equally severe reasons the node's is named: it explains more.
const rankOf: Readonly<Record<Rule, number>> = {
  'node-maintenance': 6,
  'service-maintenance': 5,
  'critical-node-check': 4,
  'critical-service-check': 3,
  'warning-node-check': 2,
  'warning-service-check': 1,
  passing: 0,
}

const statusOfRule: Readonly<Record<Rule, AggregatedStatus>> = {
  'node-maintenance': 'maintenance',
  'service-maintenance': 'maintenance',
  'critical-node-check': 'critical',
  'critical-service-check': 'critical',
  'warning-node-check': 'warning',
  'warning-service-check': 'warning',
  passing: 'passing',
}
