/** What happens to the keys of a session that ends. */
export type Behavior = 'release' | 'delete'

export const lockDelayNsMax = 60_000_000_000
export const ttlMsMin = 10_000
export const ttlMsMax = 86_400_000

/** A shorter lock-delay leaves a holder no time to notice that its session has ended. */
const noticeableNs = 1_000_000_000

/** A check of a service that ends a session. */
export interface ServiceCheck {
  readonly id: string
  readonly namespace: string
}

/** A session as it is made; it never changes. */
export interface SessionDefinition {
  /** A UUID. */
  readonly id: string
  /** The name of its node. */
  readonly node: string
  readonly name: string
  /** 0 to 60 s. */
  readonly lockDelayNs: number
  readonly behavior: Behavior
  /** A duration as it was asked for; '' for none. */
  readonly ttl: string
  /** 0 for none, or 10 s to 24 h. */
  readonly ttlMs: number
  /** IDs of checks on its node. */
  readonly nodeChecks: readonly string[] | null
  readonly serviceChecks: readonly ServiceCheck[] | null
}

export interface Session extends SessionDefinition {
  readonly createIndex: number
  readonly modifyIndex: number
}

/**
 * How long a session lasts without a renewal, in milliseconds; 0: for ever. Its TTL, or twice its TTL if it has
 * hardly a lock-delay. Every session of Consul lasts for twice its TTL. Programs that rely on this, as Patroni
 * does, halve the TTL, and ask for a lock-delay of 1 ms.
 */
export function silenceMsOf(session: Pick<Session, 'ttlMs' | 'lockDelayNs'>): number {
  return session.lockDelayNs < noticeableNs ? 2 * session.ttlMs : session.ttlMs
}

/** The lock of a key. */
export interface Lock {
  readonly key: string
  /** The session that holds it; '' for none. */
  readonly session: string
  /** How often it was taken. */
  readonly lockIndex: number
}

/** A key that no session may lock for so long, from the time when entry `index` was applied. */
export interface LockDelay {
  readonly key: string
  readonly delayNs: number
  readonly index: number
}
