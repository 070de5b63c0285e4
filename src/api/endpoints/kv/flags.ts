import { svcdError } from '../../../base/errors.ts'
import { allParameters, parameter } from '../../../http/parameters.ts'
import type { Parameters } from '../../../http/parameters.ts'

const unsignedMax = 2n ** 64n - 1n

/**
 * A parameter that is a number up to 2^64-1, in decimal without leading zeros; undefined when it is
 * absent. Throws `invalid-unsigned`, in Go's words.
 */
export function unsignedParameter(parameters: Parameters, name: string): string | undefined {
  const text = parameter(parameters, name)
  if (text === undefined) return undefined
  const value = JSON.stringify(text)
  if (!/^\d+$/.test(text)) throw svcdError('invalid-unsigned', { value, reason: 'invalid syntax' })
  const number = BigInt(text)
  if (number <= unsignedMax) return number.toString()
  throw svcdError('invalid-unsigned', { value, reason: 'value out of range' })
}

/** Throws `conflicting-flags` when more than one of them is there. */
export function refuseConflict(parameters: Parameters, ...names: readonly string[]): void {
  if (names.filter((name) => parameters[name] !== undefined).length < 2) return
  throw svcdError('conflicting-flags', { flags: encoded(parameters) })
}

/** The parameters as Go writes them: by name, each escaped. */
function encoded(parameters: Parameters): string {
  return Object.keys(parameters)
    .toSorted()
    .flatMap((name) =>
      allParameters(parameters, name).map((value) => `${escaped(name)}=${escaped(value)}`),
    )
    .join('&')
}

function escaped(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, percent)
    .replaceAll('%20', '+')
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`
}
