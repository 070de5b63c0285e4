import type { Status as RaftStatus } from '../../raft/status.ts'
import type { DnsCookieReader } from '../../state/dns-cookie/reader.ts'
import { dnsCookieFormat } from '../../state/dns-cookie/schema.ts'
import type { Duty, OwnCommand } from './duty.ts'

export interface DnsCookieRotationParts {
  /** What this server has applied. */
  readonly dnsCookies: Pick<DnsCookieReader, 'stored'>
  /** The newest format that the log has taken into use, as far as this server has applied it. */
  readonly usedFormat: () => number
  readonly wallMs: () => number
  /** 16 random octets, as hexadecimal digits. */
  readonly newSecret: () => string
  readonly propose: (command: OwnCommand, cause: string) => void
}

const maxAgeMs = 24 * 3600 * 1000
/** A proposal that is not applied by then was refused, or got lost. */
const againMs = 5000
const lookMs = 60_000

/** Replaces the secret of DNS cookies every day, as RFC 7873 §7.1 asks for. */
export class DnsCookieRotation implements Duty {
  readonly #parts: DnsCookieRotationParts
  #nextMs = -Infinity

  constructor(parts: DnsCookieRotationParts) {
    this.#parts = parts
  }

  check(_status: RaftStatus, nowMs: number): void {
    const { dnsCookies, usedFormat, wallMs, newSecret, propose } = this.#parts
    // A server with an older format does not know the command.
    if (nowMs < this.#nextMs || usedFormat() < dnsCookieFormat) return
    const sinceMs = dnsCookies.stored()?.rotated_ms ?? 0
    const ageMs = wallMs() - sinceMs
    // A secret of tomorrow comes from a leader whose clock was wrong.
    const isDue = ageMs > maxAgeMs || ageMs < -maxAgeMs
    this.#nextMs = nowMs + (isDue ? againMs : lookMs)
    if (isDue) {
      const command = { kind: 'dns-cookie-rotate', secret: newSecret(), sinceMs } as const
      propose(command, 'a new secret for DNS cookies')
    }
  }

  ended(): void {
    this.#nextMs = -Infinity
  }
}
