export interface AnsweringFailures {
  /** `unsaid`: how many more there were since the last call. */
  readonly onError: (error: unknown, packet: Uint8Array, unsaid: number) => void
  /** What a read met looks like damage of state.db. */
  readonly onSuspicion: (reason: string) => void
}

/** A thousand packets a second may fail of one cause, and each message costs the main thread a turn. */
const everyMs = 1000

/** Passes on what fails once a second at most, each of the two by itself. `nowMs` is monotonic. */
export function limitFailures(
  { onError, onSuspicion }: AnsweringFailures,
  nowMs: () => number,
): {
  readonly onError: (error: unknown, packet: Uint8Array) => void
  readonly onSuspicion: (reason: string) => void
} {
  let [saidAtMs, suspectedAtMs, unsaid] = [-Infinity, -Infinity, 0]
  return {
    onError: (error, packet) => {
      const now = nowMs()
      if (now - saidAtMs < everyMs) {
        unsaid++
        return
      }
      saidAtMs = now
      onError(error, packet, unsaid)
      unsaid = 0
    },
    onSuspicion: (reason) => {
      const now = nowMs()
      if (now - suspectedAtMs < everyMs) return
      suspectedAtMs = now
      onSuspicion(reason)
    },
  }
}
