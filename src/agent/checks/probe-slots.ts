import type { ProbePlan } from '../../definition/check-plan.ts'

/** Runs due probes, in order, with a bounded number at the same time. */
export class ProbeSlots<Check> {
  readonly #max: number
  readonly #run: (check: Check, plan: ProbePlan) => Promise<void>
  readonly #waiting = new Map<Check, ProbePlan>()
  readonly #underWay = new Set<Promise<void>>()
  #isStopped = false

  constructor(max: number, run: (check: Check, plan: ProbePlan) => Promise<void>) {
    this.#max = max
    this.#run = run
  }

  add(check: Check, plan: ProbePlan): void {
    if (this.#isStopped) return
    this.#waiting.set(check, plan)
    this.#fill()
  }

  /** It is not to be run if its turn has not come. */
  cancel(check: Check): void {
    this.#waiting.delete(check)
  }

  /** Begins nothing more, and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#waiting.clear()
    await Promise.all(this.#underWay)
  }

  #fill(): void {
    for (const [check, plan] of this.#waiting) {
      if (this.#underWay.size >= this.#max) return
      this.#waiting.delete(check)
      const run: Promise<void> = this.#run(check, plan).finally(() => {
        this.#underWay.delete(run)
        this.#fill()
      })
      this.#underWay.add(run)
    }
  }
}
