/** A terminal that standard output goes to. */
export interface Terminal {
  /** Characters in a line. */
  readonly columns: number
  /** Lines of the window; undefined if it does not say. */
  readonly rows?: number | undefined
  readonly hasColour: boolean
}

/** Everything outside the process that a command may use. */
export interface Io {
  /** Writes text to standard output, as it is. */
  readonly out: (text: string) => void
  /** Writes bytes to standard output, as they are: values, for scripts. If it is undefined, use `out`. */
  readonly outBytes?: ((bytes: Uint8Array) => void) | undefined
  /** Writes text to standard error, as it is. */
  readonly err: (text: string) => void
  /**
   * Writes text with colours to standard output. Text from clients in it must have gone through `visible`
   * before, because svcd escapes what goes to `out`, but not this. If it is undefined, use `out`.
   */
  readonly outStyled?: ((text: string) => void) | undefined
  /** Undefined when standard output is a pipe or a file: then nothing is cut or coloured. */
  readonly terminal?: Terminal | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads a whole text file; `-` is standard input. */
  readonly readText: (path: string) => Promise<string>
  /** Reads a whole file that may hold any bytes. If it is undefined, use `readText`. */
  readonly readBytes?: ((path: string) => Promise<Buffer>) | undefined
  /** Calls back with the signal when the user stops the command: for commands without an end. */
  readonly onInterrupt?: ((stop: (signal?: 'SIGINT' | 'SIGTERM') => void) => void) | undefined
  /** Calls back with each signal that ends a program, which then does not end it: for commands that pass them on. */
  readonly onSignal?: ((receive: (signal: NodeJS.Signals) => void) => void) | undefined
  /** Writes to the terminal on standard error, if there is one: for a line that is redrawn. */
  readonly drawn?: ((text: string) => void) | undefined
}

/** Writes text that `columns` or `paint` made. */
export function writeStyled(io: Io, text: string): void {
  const write = io.outStyled ?? io.out
  write(text)
}
