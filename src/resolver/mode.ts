import type { Versions } from '../state/machine/versions.ts'
import type { Mode } from '../dns/responder.ts'
import { SharedMode } from './threads/messages.ts'
import type { Replica } from '../replica/replica.ts'

/** Without a leader for so long, answers go out as stale. */
const staleAfterMs = 5000
const checkMs = 500

/**
 * What this node may answer over DNS. Nothing until it has once caught up with its cluster.
 * Everything it knows while it hears from its leader. Marked as possibly out of date when it has
 * not heard from it for a while, or not yet.
 */
export class DnsMode {
  readonly shared = new SharedMode()
  readonly #versions: Versions
  #replica: Pick<Replica, 'status' | 'contactAgeMs'> | undefined
  #timer: NodeJS.Timeout | undefined
  /** Since its start. What a stop has kept from it may be anything. */
  #isCurrent = false

  constructor(versions: Versions) {
    this.#versions = versions
  }

  begin(replica: Pick<Replica, 'status' | 'contactAgeMs'>): void {
    this.#replica = replica
    this.update()
    this.#timer = setInterval(() => this.update(), checkMs)
    this.#timer.unref()
  }

  /** It has all that its leader had committed when it was asked. */
  noteCurrent(): void {
    this.#isCurrent = true
    this.update()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  update(): void {
    const mode = this.#mode()
    if (mode === this.shared.value) return
    this.shared.value = mode
    this.#versions.bumpGeneration()
  }

  #mode(): Mode {
    const replica = this.#replica
    if (replica?.status?.isCaughtUp !== true || replica.status.damage !== undefined) return 'never'
    if (replica.status.leftBehind !== undefined) return 'stale'
    return !this.#isCurrent || replica.contactAgeMs > staleAfterMs ? 'stale' : 'ready'
  }
}
