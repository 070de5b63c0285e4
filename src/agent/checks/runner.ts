import { setMaxListeners } from 'node:events'
import { isProbed } from '../../definition/check-plan.ts'
import type { CheckPlan, ProbePlan } from '../../definition/check-plan.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { next, reapAtMs, startedCheck } from '../../health/check.ts'
import type {
  CheckResult,
  CheckRules,
  CheckState,
  CheckStatus,
  CheckTold,
  Step,
} from '../../health/check.ts'
import { Schedule, deadline, firstProbeDelayMs, nextProbeDelayMs } from '../../health/schedule.ts'
import type { Deadline } from '../../health/schedule.ts'
import type { CheckRun } from './definition.ts'
import { ProbeSlots } from './probe-slots.ts'
import { StallNotice } from '../../process/stall-notice.ts'
import type { ProbeResult } from '../../probes/result.ts'

export type Probe = (
  plan: ProbePlan,
  check: Pick<CheckToRun, 'checkId' | 'owner'>,
  signal: AbortSignal,
) => Promise<ProbeResult>

export interface CheckRunnerParts {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Runs a check once; it resolves with what that came to, whatever happens. */
  readonly probe: Probe
  /** How many network probes and how many scripts may run at the same time. */
  readonly concurrency: number
  readonly scriptConcurrency: number
  /**
   * The catalog is to be told of `check.state`, or people are, as `step` says. Called from timers: it
   * must not throw.
   */
  readonly onStep: (check: RunningCheck, step: Step, cause: string) => void
  /** The check was critical for as long as its service may be. */
  readonly onReap: (check: RunningCheck) => void
}

/** With what the catalog holds of it. */
export interface CheckToRun extends CheckTold {
  readonly checkId: string
  /** '' for a check of the node. */
  readonly serviceId: string
  readonly owner: CheckRun['owner']
  readonly plan: CheckPlan
  readonly rules: CheckRules
}

/** A check in memory: only those that run are. */
export interface RunningCheck extends Omit<CheckToRun, keyof CheckTold> {
  state: CheckState
  readonly due: Deadline<Task>
  readonly reap: Deadline<Task>
}

interface Task {
  readonly kind: 'due' | 'reap'
  readonly checkId: string
}

const unprobedEveryMs = 60_000

/** Runs the checks of this agent: probes when they are due, TTLs that expire, reaping. */
export class CheckRunner {
  /** Probes that could not be made, and said nothing of their service. */
  unprobed = 0
  #unprobedSaidMs = -unprobedEveryMs
  readonly #parts: CheckRunnerParts
  readonly #checks = new Map<string, RunningCheck>()
  readonly #schedule = new Schedule<Task>()
  /** Scripts have slots of their own: hanging scripts must not keep the others from their turns. */
  readonly #network: ProbeSlots<RunningCheck>
  readonly #scripts: ProbeSlots<RunningCheck>
  readonly #unsaved = new Set<RunningCheck>()
  readonly #stalls: StallNotice
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #wakeAtMs = Number.POSITIVE_INFINITY

  constructor(parts: CheckRunnerParts) {
    this.#parts = parts
    const run = (check: RunningCheck, plan: ProbePlan): Promise<void> => this.#probe(check, plan)
    this.#network = new ProbeSlots(parts.concurrency, run)
    this.#scripts = new ProbeSlots(parts.scriptConcurrency, run)
    this.#stalls = new StallNotice({
      logger: parts.logger,
      nowMs: () => parts.clock.monotonicMs(),
      thread: 'main',
      remedy: 'TTLs were extended by that time',
    })
    setMaxListeners(0, this.#stop.signal)
  }

  get(checkId: string): RunningCheck | undefined {
    return this.#checks.get(checkId)
  }

  get size(): number {
    return this.#checks.size
  }

  /** Runs a check that is new to this agent, or was redefined: a probe starts immediately. */
  add(check: CheckToRun): void {
    const running = this.#insert(check, true)
    if (isProbed(running.plan)) this.#enqueue(running, running.plan)
    else if (running.plan.kind === 'ttl') this.#setDue(running, running.plan.ttlMs)
  }

  /**
   * Runs a check that ran before this process. Probes are spread over the interval; a TTL has
   * `ttlLeftMs`, or its whole time when that is undefined.
   */
  resume(
    check: CheckToRun,
    local: Pick<CheckTold, 'evidence' | 'output'>,
    ttlLeftMs: number | undefined,
  ): void {
    // What the process before heard is in the catalog. A check that is critical without a word most
    // likely never had a result.
    const running = this.#insert(check, check.status === 'critical' && check.output === '')
    running.state = { ...running.state, evidence: local.evidence, output: local.output }
    if (isProbed(running.plan)) {
      this.#setDue(running, firstProbeDelayMs(running.plan.intervalMs, this.#parts.random))
    } else if (running.plan.kind === 'ttl') {
      this.#setDue(running, Math.min(ttlLeftMs ?? running.plan.ttlMs, running.plan.ttlMs))
    }
  }

  /** The check's definition came again unchanged: its status stays, and a TTL starts again. */
  renew(check: RunningCheck): void {
    if (check.plan.kind === 'ttl') this.#setDue(check, check.plan.ttlMs)
  }

  remove(checkId: string): void {
    const check = this.#checks.get(checkId)
    if (check === undefined) return
    this.#checks.delete(checkId)
    this.#schedule.clear(check.due)
    this.#schedule.clear(check.reap)
    this.#network.cancel(check)
    this.#scripts.cancel(check)
    this.#unsaved.delete(check)
  }

  /** A TTL check's service reported. The caller proposes when the step says so. */
  report(check: RunningCheck, status: CheckStatus, output: string): Step {
    this.renew(check)
    return this.#step(check, { kind: 'report', status, output })
  }

  /** The remaining time of a TTL; 0 once it expired, undefined for other checks. */
  ttlLeftMs(check: RunningCheck): number | undefined {
    if (check.plan.kind !== 'ttl') return undefined
    if (check.due.position === -1) return 0
    return Math.max(0, check.due.atMs - this.#nowMs())
  }

  /** Up to `limit` checks whose state moved since they were last taken. */
  takeUnsaved(limit: number): readonly RunningCheck[] {
    const taken: RunningCheck[] = []
    for (const check of this.#unsaved) {
      if (taken.length >= limit) break
      this.#unsaved.delete(check)
      taken.push(check)
    }
    return taken
  }

  all(): Iterable<RunningCheck> {
    return this.#checks.values()
  }

  start(): void {
    this.#arm()
  }

  /** Ends timers and probes; nothing is called back afterwards. Resolves when all scripts are gone. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#stop.abort()
    await Promise.all([this.#network.stop(), this.#scripts.stop()])
  }

  #insert(check: CheckToRun, awaitsFirst: boolean): RunningCheck {
    this.remove(check.checkId)
    const { checkId, serviceId, owner, plan, rules } = check
    const running: RunningCheck = {
      checkId,
      serviceId,
      owner,
      plan,
      rules,
      state: startedCheck(check, this.#nowMs(), awaitsFirst),
      due: deadline({ kind: 'due', checkId }),
      reap: deadline({ kind: 'reap', checkId }),
    }
    this.#checks.set(checkId, running)
    this.#setReap(running)
    return running
  }

  #nowMs(): number {
    return this.#schedule.timeMs(this.#parts.clock.monotonicMs())
  }

  #setDue(check: RunningCheck, delayMs: number): void {
    this.#set(check.due, this.#nowMs() + delayMs)
  }

  #setReap(check: RunningCheck): void {
    const atMs = check.serviceId === '' ? undefined : reapAtMs(check.rules, check.state)
    if (atMs === undefined) this.#schedule.clear(check.reap)
    else if (check.reap.atMs !== atMs) this.#set(check.reap, atMs)
  }

  #set(item: Deadline<Task>, atMs: number): void {
    this.#schedule.set(item, atMs)
    if (atMs < this.#wakeAtMs && this.#timer !== undefined) this.#arm()
  }

  #arm(): void {
    clearTimeout(this.#timer)
    if (this.#stop.signal.aborted) return
    const sleepMs = this.#schedule.sleepMs(this.#parts.clock.monotonicMs())
    this.#wakeAtMs = this.#nowMs() + sleepMs
    this.#timer = setTimeout(() => this.#tick(), Math.ceil(sleepMs))
    this.#timer.unref()
  }

  #tick(): void {
    const { stalledMs } = this.#schedule
    const due = this.#schedule.takeDue(this.#parts.clock.monotonicMs())
    const pushedMs = this.#schedule.stalledMs - stalledMs
    if (pushedMs > 0) this.#stalls.note(pushedMs)
    this.#stalls.check()
    for (const { kind, checkId } of due) {
      const check = this.#checks.get(checkId)
      if (check === undefined) continue
      if (kind === 'reap') this.#parts.onReap(check)
      else if (isProbed(check.plan)) this.#enqueue(check, check.plan)
      else this.#expire(check)
    }
    this.#arm()
  }

  #expire(check: RunningCheck): void {
    this.#hand(check, this.#step(check, { kind: 'expired' }), 'TTL expired')
  }

  #enqueue(check: RunningCheck, plan: ProbePlan): void {
    const slots = plan.kind === 'script' ? this.#scripts : this.#network
    slots.add(check, plan)
  }

  async #probe(check: RunningCheck, plan: ProbePlan): Promise<void> {
    const startedMs = this.#nowMs()
    const result = await this.#parts.probe(plan, check, this.#stop.signal)
    // The check was removed or redefined during the probe: the result does not belong to it.
    if (this.#stop.signal.aborted || this.#checks.get(check.checkId) !== check) return
    this.#take(check, result)
    this.#set(check.due, startedMs + nextProbeDelayMs(plan.intervalMs, this.#parts.random))
  }

  #take(check: RunningCheck, { status, output, evidence }: ProbeResult): void {
    if (evidence === 'none') {
      // An agent without descriptors must not empty the DNS: it learned nothing of the service.
      this.#noteUnprobed(check, output)
      return
    }
    const step = this.#step(check, { kind: 'probe', status, evidence, output })
    this.#hand(check, step, causeOf(output))
  }

  #hand(check: RunningCheck, step: Step, cause: string): void {
    if (step.propose || step.isNews) this.#parts.onStep(check, step, cause)
  }

  /** One line per minute, because it happens to all checks at the same time. */
  #noteUnprobed({ checkId: check }: RunningCheck, output: string): void {
    this.unprobed++
    const nowMs = this.#parts.clock.monotonicMs()
    if (nowMs - this.#unprobedSaidMs < unprobedEveryMs) return
    this.#unprobedSaidMs = nowMs
    const fields = { check, output, unprobed: this.unprobed }
    this.#parts.logger.warn(fields, 'cannot run a check; its status stays unchanged')
  }

  #step(check: RunningCheck, result: CheckResult): Step {
    const step = next(check, result, this.#nowMs())
    check.state = step.state
    this.#setReap(check)
    this.#unsaved.add(check)
    return step
  }
}

/** What a probe met, without the body. */
function causeOf(output: string): string {
  const end = output.indexOf(' Output: ')
  return (end === -1 ? output : output.slice(0, end)).slice(0, 200)
}
