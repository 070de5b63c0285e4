import { isObject } from './values.ts'

/** A key of Consul that is not an option of svcd. */
export interface ConsulKey {
  /** Allowed values, besides null, "", [] and {}: they are accepted without a message. `any`: all values. */
  readonly value?: boolean | number | string | readonly (boolean | number | string)[] | undefined
  /** An object without `"enabled": true` is allowed, with any other content. */
  readonly isSwitched?: true
  /** Why it is not an option of svcd. */
  readonly reason: string
  /** Other values are accepted with one line in the log. Without it they are refused. */
  readonly isTaken?: true
  /** What to do about a refused value, as a sentence. Default: remove it. */
  readonly next?: string
}

/** The result for a value: no message, one line in the log, or a refusal. */
export type ConsulVerdict =
  | { readonly kind: 'silent' }
  | { readonly kind: 'taken'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }

export function judgeConsulKey(key: ConsulKey, value: unknown): ConsulVerdict {
  if (asksForNothing(value) || isSettled(key, value)) return { kind: 'silent' }
  const { reason } = key
  if (key.isTaken === true) return { kind: 'taken', reason: `not used: ${reason}` }
  return { kind: 'refused', reason: `${reason}. ${key.next ?? leaveOut(key)}` }
}

function leaveOut({ value, isSwitched }: ConsulKey): string {
  if (isSwitched === true) return 'Remove it, or write {"enabled": false}'
  return value === undefined ? 'Remove it' : `Remove it, or write ${allowedText(value)}`
}

/** The allowed values, as a file would contain them. */
export function allowedText(value: NonNullable<ConsulKey['value']>): string {
  return [value]
    .flat()
    .map((each) => JSON.stringify(each))
    .join(' or ')
}

function isSettled({ value: settled, isSwitched }: ConsulKey, value: unknown): boolean {
  if (isSwitched === true && isObject(value)) return value['enabled'] !== true
  return settled === 'any' || [settled].flat().some((each) => each !== undefined && each === value)
}

/** Templates of configuration management leave empty values behind. */
export function asksForNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  if (Array.isArray(value)) return value.every(asksForNothing)
  return isObject(value) && Object.values(value).every(asksForNothing)
}
