/** How fresh this server's own copy of the state is, and who makes it fresh. */
export interface Freshness {
  /**
   * Resolves when a read made afterwards sees every write acknowledged before the call, anywhere.
   * Rejects with `no-leader` when no leader confirms it in time.
   */
  barrier(): Promise<void>
  /** `host:port` of the leader, or '' while there is none. */
  leader(): string
  /** It leads, as far as it knows, and has applied all that an earlier leader acknowledged. */
  isLeader(): boolean
  /** It leads and is a quorum by itself: its own copy holds every write that was acknowledged. */
  isAlone(): boolean
  /** Milliseconds since this node last heard from the leader; 0 on the leader. */
  lastContactMs(): number
  /** Why this server serves no writes and no fresh reads, however long one waits; see `left-behind`. */
  outOfService(): Error | undefined
}
