/**
 * The URL of a worker's file beside the caller's, with the caller's own extension: tsc does not
 * rewrite `new URL('./x.ts')`, so a fixed one would work in tests and be missing in dist/.
 */
export function workerUrl(name: string, callerUrl: string): URL {
  const extension = callerUrl.slice(callerUrl.lastIndexOf('.'))
  return new URL(`./${name}${extension}`, callerUrl)
}
