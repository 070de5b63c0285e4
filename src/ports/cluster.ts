export interface ClusterServer {
  readonly id: string
  readonly address: string
  readonly isVoter: boolean
  readonly isLeader: boolean
  /** The last index of the log that it is known to have; 0 when this server does not know. */
  readonly lastIndex: number
}

/** What an operator may ask for; the value it resolves with is named behind each. */
export type ClusterOperation =
  /** The id of the new leader. */
  | { readonly kind: 'transfer'; readonly to: string | undefined }
  /** The id of the server. */
  | {
      readonly kind: 'change'
      readonly change:
        | { readonly kind: 'add-learner'; readonly id: string; readonly address: string }
        | { readonly kind: 'remove'; readonly id: string }
      /** Refused when a server of another id is at that address now. */
      readonly onlyAt?: string
    }
  /** The path of a finished snapshot of this server's state. */
  | { readonly kind: 'snapshot' }
  /** This server's id. */
  | { readonly kind: 'leave' }
  /** A {@link JoinResult}; this server has looked there for a cluster. */
  | { readonly kind: 'join'; readonly address: string }

/** `waiting`: the server at the address has no cluster yet, either. */
export type JoinResult = 'joined' | 'waiting'

/** One server of the cluster, as its leader sees it. */
export interface ServerHealth {
  readonly id: string
  /** Since it was heard, or since that leader leads if that is shorter; 0 for the leader itself. */
  readonly lastContactMs: number
  /** Term of the last entry that it is known to hold; 0: it is not known. */
  readonly lastTerm: number
  readonly lastIndex: number
  /** It was heard in time, and does not lag. */
  readonly isHealthy: boolean
  /** Wall time of the last change of {@link isHealthy}, as this leader saw it. */
  readonly stableSinceMs: number
}

/** The servers of the cluster, and what operators do with them. */
export interface Cluster {
  /** The servers, as this one sees them. */
  cluster(): {
    readonly index: number
    readonly servers: readonly ClusterServer[]
  }
  /** `host:port` of every voter. */
  peers(): readonly string[]
  /**
   * The leader does it, whichever server is asked. Rejects with `operation-refused`, `no-leader`.
   */
  operate(operation: ClusterOperation): Promise<string>
  /** What the health of a server is judged by. */
  autopilot(): { readonly silenceMsMax: number; readonly trailingMax: number }
  /** The servers as the leader sees them; see {@link ServerHealth}. Undefined: no leader tells. */
  serverHealth(options: { readonly mayAsk: boolean }): Promise<readonly ServerHealth[] | undefined>
}
