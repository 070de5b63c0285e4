import { svcdError } from '../../../base/errors.ts'
import { parameter, parsedBoolean } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'

/** How many instances at most; 0 = all. Throws `bad-limit`, in Go's words. */
export function limitOf(parameters: Parameters): number {
  const text = parameter(parameters, 'limit') ?? ''
  if (text === '') return 0
  const value = JSON.stringify(text)
  if (!/^[+-]?\d+$/.test(text)) throw svcdError('bad-limit', { value, reason: 'invalid syntax' })
  const limit = Number(text)
  if (Math.abs(limit) < 2 ** 63) return Math.max(0, limit)
  throw svcdError('bad-limit', { value, reason: 'value out of range' })
}

/** Whether only members of a service mesh count. Throws `bad-connect`, in Go's words. */
export function connectOf(parameters: Parameters): boolean {
  const text = parameter(parameters, 'connect') ?? ''
  if (text === '') return false
  const value = parsedBoolean(text)
  if (value === undefined) throw svcdError('bad-connect', { value: JSON.stringify(text) })
  return value
}
