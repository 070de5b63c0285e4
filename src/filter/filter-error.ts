import { svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'

/** An `invalid-filter` error with the position of the fault: `line:column (byte offset)`. */
export function filterError(text: string, at: number, fault: string): SvcdError {
  return svcdError('invalid-filter', { reason: `${placeOf(text, at)}: ${fault}` })
}

function placeOf(text: string, at: number): string {
  const before = text.slice(0, at)
  const lineStart = before.lastIndexOf('\n') + 1
  const line = before.split('\n').length
  const column = Array.from(before.slice(lineStart)).length + 1
  return `${line}:${column} (${Buffer.byteLength(before)})`
}
