/** Facts about this agent that do not change while it runs. */
export interface Identity {
  readonly nodeName: string
  readonly nodeId: string
  readonly datacenter: string
  readonly server: boolean
  readonly version: string
  /** The address other nodes use. */
  readonly address: string
  readonly domain: string
  readonly ports: {
    readonly http: number
    /** Undefined: off. */
    readonly https?: number
    readonly dns: number
    readonly server: number
  }
  /** What the configuration says of the node; left out = nothing. */
  readonly nodeMeta?: Readonly<Record<string, string>>
}
