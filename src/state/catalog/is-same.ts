import { isDeepStrictEqual } from 'node:util'

/** Whether a row says all that a definition says. */
export function isSame<T extends object>(definition: T, row: T | undefined): boolean {
  if (row === undefined) return false
  for (const key of Object.keys(definition) as (keyof T)[]) {
    if (!isDeepStrictEqual(definition[key], row[key])) return false
  }
  return true
}
