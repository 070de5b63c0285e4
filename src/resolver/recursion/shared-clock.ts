// performance.now() begins with each thread; this clock is the same in all threads of the process.
const offsetMs = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now()

export function sharedNowMs(): number {
  return performance.now() + offsetMs
}
