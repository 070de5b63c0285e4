import { must } from '../../src/base/assert.ts'
import { cpuMicros } from './dnsperf.ts'
import { httpLoad } from './http-load.ts'
import type { HttpLoad } from './http-load.ts'
import { quartiles } from './report.ts'

/** A server, and what is asked of it. */
export interface Contender extends Omit<HttpLoad, 'connections' | 'seconds'> {
  readonly pid: number
}

/** One slice of load. */
export interface Slice {
  readonly perSecond: number
  /** Of the server, for each request. */
  readonly cpuMicros: number
}

export interface LockStep {
  /** After one that is not counted, because programs and caches are cold in it. */
  readonly rounds: number
  /** Of each slice. */
  readonly seconds: number
  readonly connections: number
}

/**
 * Loads the contenders in turn, in short slices, so that what else the machine does falls on all of them. Every second
 * round has the opposite order. Returns the slices of each contender; slices of one place are of one round.
 */
export async function inLockStep(
  contenders: readonly Contender[],
  { rounds, seconds, connections }: LockStep,
): Promise<readonly (readonly Slice[])[]> {
  const all = contenders.map((contender) => ({ contender, slices: [] as Slice[] }))
  for (let round = 0; round <= rounds; round++) {
    for (const { contender, slices } of round % 2 === 0 ? all : all.toReversed()) {
      const slice = await sliceOf(contender, seconds, connections)
      if (round > 0) slices.push(slice)
    }
  }
  return all.map(({ slices }) => slices)
}

async function sliceOf(
  { pid, ...load }: Contender,
  seconds: number,
  connections: number,
): Promise<Slice> {
  const before = cpuMicros([pid])
  const { ok, failed, perSecond } = await httpLoad({ ...load, seconds, connections })
  if (failed > 0) throw new Error(`${failed} of ${ok + failed} requests failed`)
  return { perSecond, cpuMicros: (cpuMicros([pid]) - before) / ok }
}

/** The cells of a contender: rate, CPU, and both against the slices of the first one, as medians with quartiles. */
export function cellsOf(slices: readonly Slice[], first: readonly Slice[]): readonly string[] {
  const figures = (of: (slice: Slice) => number): readonly number[] => slices.map(of)
  const against = (of: (slice: Slice) => number): string =>
    slices === first ? '' : percent(slices.map((slice, at) => of(slice) / of(must(first[at]))))
  const rate = ({ perSecond }: Slice): number => perSecond
  const cpu = ({ cpuMicros: micros }: Slice): number => micros
  const [, perSecond] = quartiles(figures(rate))
  const [, micros] = quartiles(figures(cpu))
  return [perSecond.toFixed(0), micros.toFixed(1), against(rate), against(cpu)]
}

/** The columns of {@link cellsOf}. */
export const cellColumns = ['requests/s', 'µs CPU each', 'rate : the first', 'CPU : the first']

function percent(ratios: readonly number[]): string {
  const [low, middle, high] = quartiles(ratios).map((ratio) => (100 * ratio).toFixed(1))
  return `${middle} % (${low}–${high})`
}
