// performance.now() begins with each thread; this clock is the same in all threads of the process.
const offsetMs = measuredOffsetMs()

export function sharedNowMs(): number {
  return performance.now() + offsetMs
}

/** The thread may be stopped between two looks at the clocks, and the first look at each loads code: the closest count. */
function measuredOffsetMs(): number {
  let closest = { gapMs: Infinity, offsetMs: 0 }
  for (let look = 0; look < 5; look++) {
    const beforeMs = performance.now()
    const hrtimeMs = Number(process.hrtime.bigint()) / 1e6
    const gapMs = performance.now() - beforeMs
    if (gapMs < closest.gapMs) closest = { gapMs, offsetMs: hrtimeMs - beforeMs - gapMs / 2 }
  }
  return closest.offsetMs
}
