/** A query that waits for its answer, and what to do with what comes. */
export interface Exchange {
  readonly server: number
  readonly build: (id: number) => Uint8Array
  /** Looks at each packet with the id of the query; false: it is not the answer, keep waiting. */
  readonly take: (bytes: Uint8Array) => boolean
  readonly fail: (reason: 'timeout' | 'network') => void
  readonly timeoutMs: number
}

/** An upstream DNS server. */
export interface UpstreamServer {
  readonly address: string
  readonly port: number
  /** Undefined: UDP and TCP without encryption. */
  readonly tls?: UpstreamTls | undefined
}

export interface UpstreamTls {
  /** The name that its certificate must have; undefined: its address. */
  readonly name?: string | undefined
}
