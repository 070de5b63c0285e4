import { svcdError } from '../../base/errors.ts'

const daysMax = 36_500

/** Throws `invalid-option`. */
export function daysOf(text: string): number {
  const days = Number(text)
  if (Number.isInteger(days) && days >= 1 && days <= daysMax) return days
  const reason = `"${text}" is not a whole number from 1 to ${daysMax}`
  throw svcdError('invalid-option', { option: '-days', reason })
}
