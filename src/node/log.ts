import { pino } from 'pino'
import { visible, visibleJson } from '../base/invisible.ts'
import type { Logger } from '../base/log.ts'

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** True: one JSON object a line, as pino writes it; false: a line for people. */
  readonly json: boolean
  readonly write: (line: string) => void
}

/** The one door to pino: makes the logger that every part of a node is given. */
export function createLogger(options: LogOptions): Logger {
  return pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line) => options.write(options.json ? visibleJson(line) : humanLine(line)) },
  )
}

const levelNames: Readonly<Record<number, string>> = {
  20: '[DEBUG]',
  30: '[INFO] ',
  40: '[WARN] ',
  50: '[ERROR]',
}

/** `2026-01-02T03:04:05.678Z [INFO]  message: key=value key="two words"` */
export function humanLine(json: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${plain(value)}`)
  if (typeof err === 'object' && err !== null) {
    shown.push(`error=${plain((err as { message?: unknown }).message)}`)
  }
  const head = `${String(time)} ${levelNames[Number(level)] ?? String(level)} ${visible(String(msg))}`
  return shown.length === 0 ? `${head}\n` : `${head}: ${shown.join(' ')}\n`
}

function plain(value: unknown): string {
  const isWord = typeof value === 'string' && /^[^\s"=]+$/.test(value)
  return visible(isWord ? value : JSON.stringify(value))
}
