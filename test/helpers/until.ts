/** Asks again and again until the answer is neither false nor undefined; throws after `timeoutMs`. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  everyMs = 25,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let problem = ''
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      problem = `; last: ${textOf(error)}`
    }
    if (performance.now() > deadline)
      throw new Error(`not within ${timeoutMs} ms: ${what}${problem}`)
    await pause(everyMs)
  }
}

/** Node's fetch says only in the cause what failed. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message} (${textOf(error.cause)})`
}

/** For pollers and loads, which have a pace. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
