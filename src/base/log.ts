export const logLevels = ['debug', 'info', 'warn', 'error'] as const

/** From the least severe on. */
export type LogLevel = (typeof logLevels)[number]

/** What svcd logs to. pino's loggers have this shape; only process/log.ts knows that it is pino. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** Whether anybody takes lines of this level: for lines that cost something to make. */
  isLevelEnabled?(level: LogLevel): boolean
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
}
