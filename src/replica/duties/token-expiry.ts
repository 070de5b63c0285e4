import type { Status as RaftStatus } from '../../raft/status.ts'
import type { AclReader } from '../../state/acl/reader.ts'
import type { Duty, OwnCommand } from './duty.ts'

export interface TokenExpiryParts {
  /** What this server has applied. */
  readonly tokens: Pick<AclReader, 'nextExpirationMs'>
  readonly wallMs: () => number
  readonly propose: (command: OwnCommand, cause: string) => void
}

/** A proposal that is not applied by then was refused, or got lost. */
const againMs = 5000
const lookMs = 1000

/**
 * Removes tokens that have expired. No request depends on it: a server takes no token whose time is over by its own clock.
 */
export class TokenExpiry implements Duty {
  readonly #parts: TokenExpiryParts
  #nextMs = -Infinity

  constructor(parts: TokenExpiryParts) {
    this.#parts = parts
  }

  check(_status: RaftStatus, nowMs: number): void {
    if (nowMs < this.#nextMs) return
    const { tokens, wallMs, propose } = this.#parts
    const untilMs = wallMs()
    const firstMs = tokens.nextExpirationMs(0)
    const isDue = firstMs !== undefined && firstMs <= untilMs
    this.#nextMs = nowMs + (isDue ? againMs : lookMs)
    if (isDue) propose({ kind: 'acl-tokens-expire', untilMs }, 'tokens have expired')
  }

  ended(): void {
    this.#nextMs = -Infinity
  }
}
