import type { Random } from '../../src/base/random.ts'
import type { SimOptions } from './options.ts'

/** What every part of a simulation has to do with: chance, time, and the trace. */
export interface Surroundings {
  readonly options: SimOptions
  readonly random: Random
  readonly nowMs: number
  /** False once only the lasting fault is left. */
  readonly isFaulty: boolean
  after(delayMs: number, run: () => void): void
  /** Called only when the run is traced. */
  trace(line: () => string): void
}
