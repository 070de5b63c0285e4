import type { Evidence } from '../state/catalog/model.ts'

export type CheckStatus = 'passing' | 'warning' | 'critical'

/** How many consecutive results change a check's status. 0 and 1 both mean: the first one. */
export interface CheckRules {
  readonly successBeforePassing: number
  /** 0 = as many as for critical. */
  readonly failuresBeforeWarning: number
  readonly failuresBeforeCritical: number
  /** How long a check may stay critical before its service is deregistered; 0 = without limit. */
  readonly deregisterAfterMs: number
}

/** What a check says at some time, as the catalog keeps it. */
export interface CheckTold {
  readonly status: CheckStatus
  /** '' of a passing check. */
  readonly evidence: Evidence
  /** At most 4 KiB of UTF-8. */
  readonly output: string
}

/** One result of a check. */
export type CheckResult =
  /** A probe ran. Thresholds count these. */
  | ({ readonly kind: 'probe' } & CheckTold)
  /** The service itself reported. Thresholds do not apply. */
  | { readonly kind: 'report'; readonly status: CheckStatus; readonly output: string }
  /** No report came within the TTL. */
  | { readonly kind: 'expired' }

export interface CheckState extends CheckTold {
  /** Consecutive results of one kind; both are 0 before the first result. */
  readonly successes: number
  readonly failures: number
  readonly criticalSinceMs: number | undefined
  /** No result since the check was defined: the catalog does not have its output yet. */
  readonly awaitsFirst: boolean
  /** What the catalog received last, and when. */
  readonly told: CheckTold & { readonly atMs: number }
}

export interface Step {
  readonly state: CheckState
  /** Whether to send the state to the catalog; `state.told` already has it. */
  readonly propose: boolean
  /** Whether to log it: the status changed, or this is the first result. */
  readonly isNews: boolean
}

const outputBytesMax = 4096
const outputOnlyEveryMs = 5 * 60_000
const expired = 'TTL expired'

/**
 * The state of a check that the catalog has as `known`. `awaitsFirst`: the check is new or was defined
 * again, so its first result is always sent.
 */
export function startedCheck(known: CheckTold, nowMs: number, awaitsFirst = false): CheckState {
  const { status, evidence } = known
  const output = clipOutput(known.output)
  return {
    status,
    evidence,
    output,
    successes: 0,
    failures: 0,
    criticalSinceMs: status === 'critical' ? nowMs : undefined,
    awaitsFirst,
    told: { status, evidence, output, atMs: nowMs },
  }
}

/**
 * One step of a check's state machine. Only a transition and the output of the first result cause a
 * command immediately. Output or evidence that changes later without a transition is sent at most every
 * five minutes, so that heartbeats never reach the log.
 */
export function next(
  check: { readonly rules: CheckRules; readonly state: CheckState },
  result: CheckResult,
  nowMs: number,
): Step {
  const { rules, state } = check
  switch (result.kind) {
    case 'report':
      return moved(state, { ...result, evidence: 'proof' }, nowMs)
    case 'expired': {
      const output = expiredOutput(state.output)
      return moved(state, { status: 'critical', evidence: 'absence', output }, nowMs)
    }
    case 'probe': {
      const counted = count(state, result.status)
      const status = statusAfter(rules, counted, result.status, isFirst(state))
      // Below its threshold, a result changes neither status nor output.
      if (status === undefined) return { state: counted, propose: false, isNews: false }
      return moved(counted, { ...result, status }, nowMs)
    }
  }
}

/** When to deregister the check's service; undefined while the check is not critical. */
export function reapAtMs(rules: CheckRules, state: CheckState): number | undefined {
  if (rules.deregisterAfterMs <= 0 || state.criticalSinceMs === undefined) return undefined
  return state.criticalSinceMs + rules.deregisterAfterMs
}

/** At most 4 KiB of `text`, cut between two characters. */
export function clipOutput(text: string): string {
  // A UTF-16 unit takes at most three bytes, so most texts need not be counted.
  if (text.length * 3 <= outputBytesMax || Buffer.byteLength(text) <= outputBytesMax) return text
  const bytes = Buffer.from(text.slice(0, outputBytesMax))
  let end = Math.min(outputBytesMax, bytes.length)
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}

function isFirst(state: CheckState): boolean {
  return state.successes === 0 && state.failures === 0
}

function count(state: CheckState, status: CheckStatus): CheckState {
  return status === 'critical'
    ? { ...state, successes: 0, failures: state.failures + 1 }
    : { ...state, successes: state.successes + 1, failures: 0 }
}

function statusAfter(
  rules: CheckRules,
  { successes, failures }: CheckState,
  status: CheckStatus,
  first: boolean,
): CheckStatus | undefined {
  if (first) return status
  if (status !== 'critical') return successes >= rules.successBeforePassing ? status : undefined
  if (failures >= rules.failuresBeforeCritical) return 'critical'
  const beforeWarning = rules.failuresBeforeWarning || rules.failuresBeforeCritical
  return failures >= beforeWarning ? 'warning' : undefined
}

function moved(before: CheckState, found: CheckTold, nowMs: number): Step {
  const { told, awaitsFirst } = before
  const { status } = found
  const evidence = status === 'passing' ? '' : found.evidence
  const output = clipOutput(found.output)
  const isDue = awaitsFirst || nowMs - told.atMs >= outputOnlyEveryMs
  const differs = output !== told.output || evidence !== told.evidence
  const propose = status !== told.status || (differs && isDue)
  const state: CheckState = {
    status,
    evidence,
    output,
    successes: before.successes,
    failures: before.failures,
    criticalSinceMs: status === 'critical' ? (before.criticalSinceMs ?? nowMs) : undefined,
    awaitsFirst: false,
    told: propose ? { status, evidence, output, atMs: nowMs } : told,
  }
  return { state, propose, isNews: awaitsFirst || status !== before.status }
}

function expiredOutput(last: string): string {
  if (last === '' || last.startsWith(expired)) return last || expired
  return clipOutput(`${expired} (last output before timeout follows): ${last}`)
}
