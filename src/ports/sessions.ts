import type { Session } from '../state/session/model.ts'

/** What only the leader knows of sessions and locks, because it measures their times. */
export interface Sessions {
  /**
   * Grants a session its whole TTL again; undefined when there is no such session (any more). Waits for a
   * leader as writes do. Rejects with `no-leader`.
   */
  renew(id: string): Promise<Session | undefined>
  /** How long no session may lock a key yet; 0: a write that comes now finds it free. Rejects with `no-leader`. */
  lockDelayMs(key: string): Promise<number>
}
