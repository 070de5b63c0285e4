const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** How long ago something was, in the largest fitting unit: `12 s`, `4 m`, `3 h`, `9 d`. */
export function agoText(elapsedMs: number): string {
  if (elapsedMs < 1000) return 'now'
  if (elapsedMs < minuteMs) return `${Math.floor(elapsedMs / 1000)} s`
  if (elapsedMs < hourMs) return `${Math.floor(elapsedMs / minuteMs)} m`
  if (elapsedMs < 2 * dayMs) return `${Math.floor(elapsedMs / hourMs)} h`
  return `${Math.floor(elapsedMs / dayMs)} d`
}

/** `12:03:11`, in the zone of the reader or in UTC. */
export function clockText(timeMs: number, isUtc: boolean): string {
  const date = new Date(timeMs)
  const parts = isUtc
    ? [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getHours(), date.getMinutes(), date.getSeconds()]
  return parts.map(twoDigits).join(':')
}

/** `2026-11-28 12:03:11 UTC`. */
export function exactText(timeMs: number, isUtc: boolean): string {
  const date = new Date(timeMs)
  const parts = isUtc
    ? [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
    : [date.getFullYear(), date.getMonth() + 1, date.getDate()]
  const zone = isUtc ? ' UTC' : ''
  return `${parts.map(twoDigits).join('-')} ${clockText(timeMs, isUtc)}${zone}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
