/** Counters that only grow, by name. */
export type Counters = ReadonlyMap<string, number>

/** How fast counters grew, per second. A new counter counts from zero, and so does a counter that was reset. */
export function ratesOf(
  before: Counters,
  now: Counters,
  elapsedMs: number,
): ReadonlyMap<string, number> {
  const seconds = Math.max(elapsedMs, 1) / 1000
  return new Map(
    [...now].map(([name, value]) => {
      const grown = value - (before.get(name) ?? 0)
      return [name, (grown < 0 ? value : grown) / seconds]
    }),
  )
}
