/** A terminal that standard output goes to. */
export interface Terminal {
  /** Characters in a line. */
  readonly columns: number
  readonly hasColour: boolean
}

/** What a command may touch of the world around it. */
export interface Io {
  /** Writes text to standard output, as it is. */
  readonly out: (text: string) => void
  /** Writes text to standard error, as it is. */
  readonly err: (text: string) => void
  /**
   * Writes to standard output text with colours. Whatever in it is somebody else's must have gone through
   * `visible` before: a run of svcd escapes what goes to `out`, but not this. Left out: `out`.
   */
  readonly outStyled?: ((text: string) => void) | undefined
  /** Undefined when standard output is a pipe or a file: then nothing is cut or coloured. */
  readonly terminal?: Terminal | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads a whole text file; `-` is standard input. */
  readonly readText: (path: string) => Promise<string>
  /**
   * Calls back when the user has seen enough (SIGINT, SIGTERM), for commands that run without end.
   */
  readonly onInterrupt?: ((stop: () => void) => void) | undefined
  /** Writes to the terminal on standard error, where there is one: for what is drawn over itself. */
  readonly drawn?: ((text: string) => void) | undefined
}

/** Writes text that `columns` or `paint` made. */
export function writeStyled(io: Io, text: string): void {
  const write = io.outStyled ?? io.out
  write(text)
}
