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
      problem = `; last: ${error instanceof Error ? error.message : String(error)}`
    }
    if (performance.now() > deadline)
      throw new Error(`not within ${timeoutMs} ms: ${what}${problem}`)
    await pause(everyMs)
  }
}

/** For pollers and loads, which have a pace. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
