/**
 * Which of several records comes first in one answer after the other, in proportion to weights. Multiples of the
 * golden ratio, modulo 1, spread evenly over the interval from 0 to 1: in any number of answers in a row, the count
 * of each record differs by very few from its exact share. Each turn is computed from its number alone, so that
 * nothing is stored for it, and all turns of 32 bits form one cycle.
 */

/** 2^32 divided by the golden ratio: odd, so all numbers of 32 bits occur. */
const step = 0x9e3779b9
/** The interval is divided into 2^30 parts. */
const scaleBits = 30

/**
 * Where the share of each record ends, in parts of the interval. Undefined if all shares are equal: then rotation
 * is exact without them.
 */
export function sharesOf(weights: readonly number[]): Int32Array | undefined {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0 || weights.every((weight) => weight === weights[0])) return undefined
  const ends = new Int32Array(weights.length)
  let sum = 0
  for (const [at, weight] of weights.entries()) {
    sum += weight
    ends[at] = Math.round((sum / total) * 2 ** scaleBits)
  }
  return ends
}

/**
 * The record that comes first in this turn. One with the weight 0 never does. `shares`: as {@link sharesOf} returns
 * them, `count` of them from `from` on.
 */
export function firstByWeight(
  shares: Int32Array,
  turn: number,
  from = 0,
  count = shares.length,
): number {
  const point = Math.imul(turn, step) >>> (32 - scaleBits)
  let [low, high] = [0, count - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (point < (shares[from + middle] ?? 0)) high = middle
    else low = middle + 1
  }
  return low
}
