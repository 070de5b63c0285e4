import { posix } from 'node:path'
import { formatDuration, parseDuration } from '../../base/duration.ts'
import { svcdError } from '../../base/errors.ts'
import type { ClientOptions } from '../new-command.ts'

export interface LockOptions extends ClientOptions {
  readonly n: string
  readonly timeout?: string
  readonly try?: string
  readonly name?: string
  readonly childExitCode?: boolean
  readonly passStdin?: boolean
  readonly monitorRetry: string
  readonly shell?: boolean
  readonly ttl: string
  readonly lockDelay: string
  readonly verbose?: boolean
}

/** Without slashes at its ends, as `path.Join` of Go makes it. */
export function prefixOf(given: string): string {
  return posix
    .normalize(given)
    .replaceAll(/^\/+|\/+$/g, '')
    .replace(/^\.$/, '')
}

export function timeoutOf(options: LockOptions): number | undefined {
  const [option, text] =
    options.timeout === undefined ? ['--try', options.try] : ['--timeout', options.timeout]
  if (text === undefined) return undefined
  const timeoutMs = duration(text, option)
  // As in Consul.
  return timeoutMs === 0 ? undefined : timeoutMs
}

export function duration(text: string, option: string): number {
  const valueMs = parseDuration(text)
  if (valueMs !== undefined && valueMs >= 0) return valueMs
  const reason = `"${text}" is not a duration; write a number with a unit, such as ${formatDuration(15_000)}`
  throw svcdError('invalid-option', { option, reason })
}

export function whole(text: string, option: string, least: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least) return value
  const reason = `"${text}" is not a whole number of at least ${least}`
  throw svcdError('invalid-option', { option, reason })
}
