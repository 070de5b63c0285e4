import { randomBytes } from 'node:crypto'
import { IpPrefixes } from '../../base/ip-prefixes.ts'
import { RateLimiter, newRateLimitMemory } from '../../dns/protection/rate-limiter.ts'

export interface RateLimitSettings {
  /** Answers per second to the clients of one network. */
  readonly perSecond: number
  /** Every so many queries over the limit, one gets a short answer; 0: none. */
  readonly slip: number
  /** The networks whose clients have no limit. */
  readonly exempt: readonly string[]
}

/** What all threads that answer UDP share to limit answers. */
export interface RateLimitShare extends RateLimitSettings {
  readonly memory: SharedArrayBuffer
  readonly seed: number
}

/** Undefined: there is no limit. */
export function shareRateLimit(settings: RateLimitSettings): RateLimitShare | undefined {
  if (settings.perSecond === 0) return undefined
  return { ...settings, memory: newRateLimitMemory(), seed: randomBytes(4).readInt32LE() }
}

export function limiterOf(share: RateLimitShare | undefined): RateLimiter | undefined {
  return share && new RateLimiter({ ...share, exempt: new IpPrefixes(share.exempt) })
}
