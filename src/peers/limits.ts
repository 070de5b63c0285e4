/** The bounds of the peer transport. Tests make them small. */
export interface PeerLimits {
  /** From the begin of a connection that another side opened, TLS included, to its greeting. */
  readonly handshakeTimeoutMs: number
  /** The same for a connection that this side opens. */
  readonly dialTimeoutMs: number
  /**
   * Connections are checked this often. A connection that has sent nothing since the last check
   * sends a ping.
   */
  readonly sweepMs: number
  /** Looks without a byte heard after which a connection is dead. */
  readonly silentSweepsMax: number
  /** Looks after which a peer that takes nothing of what waits for it is cut off. */
  readonly stalledSweepsMax: number
  readonly reconnectMsMin: number
  readonly reconnectMsMax: number
  /** Written to one connection and not yet taken by the kernel. */
  readonly queueBytesMax: number
  readonly queueFramesMax: number
  /** Connections that others opened; and of these, those of one address. */
  readonly inboundMax: number
  readonly perAddressMax: number
  /**
   * Of these, those that have not greeted as a server of the cluster; beyond it a new one takes the
   * place of the oldest.
   */
  readonly greetingsMax: number
  /** Requests under way in one direction of one connection. */
  readonly requestsMax: number
  /**
   * Requests that a server may send between two sweeps if it is not a peer. To find a cluster and to join it, a server
   * sends a few. The answers to many would delay Raft's messages.
   */
  readonly strangerRequestsMax: number
  /** A connection to a bare address is closed after so long without a request. */
  readonly addressIdleMs: number
  readonly snapshotChunkBytes: number
  /** Chunks sent ahead of the receiver's word. */
  readonly snapshotWindow: number
  readonly snapshotAttempts: number
  readonly snapshotRetryMs: number
  /** Without progress of a snapshot, the receiver's last check included. */
  readonly snapshotStallMs: number
}

export const defaultPeerLimits: PeerLimits = {
  handshakeTimeoutMs: 5000,
  dialTimeoutMs: 3000,
  sweepMs: 500,
  silentSweepsMax: 8,
  stalledSweepsMax: 60,
  reconnectMsMin: 50,
  reconnectMsMax: 1000,
  queueBytesMax: 16 * 1024 * 1024,
  queueFramesMax: 16_384,
  inboundMax: 256,
  perAddressMax: 100,
  greetingsMax: 64,
  requestsMax: 16_384,
  strangerRequestsMax: 256,
  addressIdleMs: 10_000,
  snapshotChunkBytes: 512 * 1024,
  snapshotWindow: 4,
  snapshotAttempts: 4,
  snapshotRetryMs: 500,
  snapshotStallMs: 60_000,
}
