const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Nearly all durations look like this, and each registration has some: it takes a tenth of the time. */
const plain = /^(\d{1,9})(ms|s|m|h)$/

/**
 * Parses a duration as Go writes it (`10s`, `1m30s`, `1.5h`, `0`) into milliseconds.
 * Returns undefined for anything else; a unit is required except for `0`.
 */
export function parseDuration(text: string): number | undefined {
  const [, whole, unit] = plain.exec(text) ?? []
  if (whole !== undefined) return Number(whole) * (unitMs[unit ?? ''] ?? 0)
  if (/^[+-]?0+$/.test(text)) return 0
  // A digit can only be matched in one way: a value of a megabyte must not block the event loop.
  const shape = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text)
  if (shape === null) return undefined
  let totalMs = 0
  for (const [, amount, unit] of (shape[2] ?? '').matchAll(
    /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g,
  )) {
    totalMs += Number(amount) * (unitMs[unit ?? ''] ?? 0)
  }
  // 1.001 s is 1001 ms, not 1000.9999999999999: a nanosecond is the finest that can be written.
  const roundMs = Math.round(totalMs * 1e6) / 1e6
  return shape[1] === '-' ? -roundMs : roundMs
}

const longUnits: readonly (readonly [RegExp, string])[] = [
  [/^(?:milliseconds?|millis|msecs?)$/i, 'ms'],
  [/^(?:seconds?|secs?|S)$/i, 's'],
  [/^(?:minutes?|mins?)$/i, 'm'],
  [/^(?:hours?|hrs?|H)$/i, 'h'],
]

/** What somebody meant who wrote `2sec`, `5 min` or `30`: `2s`, `5m`, `30s`; undefined when that is not clear. */
export function nearestDuration(text: string): string | undefined {
  const [, amount = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? []
  if (amount === '') return undefined
  if (unit === '') return `${amount}s`
  const short = longUnits.find(([pattern]) => pattern.test(unit))?.[1]
  return short === undefined ? undefined : `${amount}${short}`
}

/** Formats milliseconds as Go's time.Duration prints them: `10s`, `1m30s`, `1h0m0s`, `250ms`, `0s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s'
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`
  if (durationMs < 1e-3) return `${Math.round(durationMs * 1e6)}ns`
  if (durationMs < 1) return `${trim(durationMs * 1e3)}µs`
  if (durationMs < 1000) return `${trim(durationMs)}ms`
  const hours = Math.floor(durationMs / 3_600_000)
  const minutes = Math.floor((durationMs % 3_600_000) / 60_000)
  const seconds = `${trim((durationMs % 60_000) / 1000)}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

function trim(value: number): string {
  if (Number.isInteger(value)) return String(value)
  return String(Number(value.toFixed(9)))
}
