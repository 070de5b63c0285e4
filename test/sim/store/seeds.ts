/** How many seeds of the store a test run tries. */
export const storeSeedsInCi = 12

/** By the name of a mutant: the seed that caught it last, which is tried first; 1 for those that are not here. */
export const storeMutantSeeds: Readonly<Record<string, number>> = {
  'refusal-forgotten': 2,
  'stale-as-default': 2,
  'leader-reads-as-if-alone': 5,
  'new-leader-forgets-sessions': 2,
  'half-of-a-lock-delay': 3,
  'renewed-while-it-ends': 12,
  'renewed-by-a-deposed-leader': 54,
  'behavior-ignored': 6,
  'critical-check-ignored': 2,
}
