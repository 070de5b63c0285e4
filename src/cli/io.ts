/** What a command may touch of the world around it. */
export interface Io {
  /** Writes text to standard output, as it is. */
  readonly out: (text: string) => void
  /** Writes text to standard error, as it is. */
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads a whole text file; `-` is standard input. */
  readonly readText: (path: string) => Promise<string>
  /** Calls back when the user has seen enough (SIGINT, SIGTERM): for what would go on for ever. */
  readonly onInterrupt?: ((stop: () => void) => void) | undefined
  /** Writes to the terminal on standard error, where there is one: for what is drawn over itself. */
  readonly drawn?: ((text: string) => void) | undefined
}
