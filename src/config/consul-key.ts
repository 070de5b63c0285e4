import { isObject } from './values.ts'

/** What a file may say under a key of Consul's that is no option here. */
export interface ConsulKey {
  /** Values that ask for nothing here, beside null, "", [] and {}: they are taken without a word. `any`: all. */
  readonly value?: boolean | number | string | readonly (boolean | number | string)[] | undefined
  /** An object that does not say `"enabled": true` asks for nothing, whatever else is in it. */
  readonly isSwitched?: true
  /** Why it is no option here. */
  readonly reason: string
  /** Other values are taken with one line: they tune what svcd does otherwise. Without it they are refused. */
  readonly isTaken?: true
  /** What to do about a value that is refused, as a sentence. Default: remove it. */
  readonly next?: string
}

/** What becomes of a value: nothing to say, one line to say, or a refusal. */
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

/** The values that ask for nothing, as a file would have them. */
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
