/** How many seeds of the store a test run tries. */
export const storeSeedsInCi = 16

/** By the name of a mutant: the seed that caught it last, which is tried first. */
export const storeMutantSeeds: Readonly<Record<string, number>> = {
  'refusal-forgotten': 2,
  'stale-as-default': 2,
  'leader-reads-as-if-alone': 12,
}
