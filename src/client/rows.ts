// The part of Consul's JSON that the CLI shows; answers hold more.

export interface NodeEntry {
  readonly ID: string
  readonly Node: string
  readonly Address: string
  readonly Datacenter: string
  readonly TaggedAddresses: Readonly<Record<string, string>>
  readonly Meta: Readonly<Record<string, string>>
}

export interface ServiceEntry {
  readonly ID: string
  readonly Service: string
  readonly Tags: readonly string[]
  readonly Address: string
  readonly Port: number
  readonly Meta: Readonly<Record<string, string>>
  readonly Weights: { readonly Passing: number; readonly Warning: number }
}

export interface CheckEntry {
  readonly Node: string
  readonly CheckID: string
  readonly Name: string
  readonly Status: string
  readonly Notes: string
  readonly Output: string
  /** What a status other than passing rests on; absent where that is not known. */
  readonly Evidence?: 'proof' | 'absence' | 'intent'
  readonly ServiceID: string
  readonly ServiceName: string
  /** 'ttl', 'http', … or '' when no agent runs it. */
  readonly Type: string
  readonly Interval: string
  readonly Definition: Readonly<Record<string, unknown>>
  /** The entry of the log that changed it last. */
  readonly ModifyIndex: number
}

/** A row of agent/dns/top: a name or a client. */
export interface DnsTopRow {
  readonly Name: string
  readonly PerSecond: number
}

/** What DNS clients ask an agent now. */
export interface DnsTop {
  readonly Seconds: number
  readonly PerSecond: number
  readonly CachedShare: number
  readonly Transports: readonly {
    readonly Transport: string
    readonly PerSecond: number
    readonly P50Ms: number | null
    readonly P99Ms: number | null
  }[]
  readonly Rcodes: Readonly<Record<string, number>>
  readonly Types: Readonly<Record<string, number>>
  readonly Names: readonly DnsTopRow[]
  readonly Missing: readonly DnsTopRow[]
  readonly Clients: readonly DnsTopRow[]
}

/** A row of health/summary: how many instances of a service are in which health. */
export interface ServiceSummary {
  readonly Name: string
  readonly Tags: readonly string[]
  readonly Passing: number
  readonly Warning: number
  readonly Critical: number
  readonly Maintenance: number
  /** The check that decides about the worst instance; null when all pass. Agents of older releases do not send it. */
  readonly Reason?: SummaryReason | null
}

/** The check that a status in a summary follows from. */
export interface SummaryReason {
  readonly Node: string
  readonly CheckID: string
  readonly Status: string
  /** Its first characters. */
  readonly Output: string
  /** The entry of the log that changed it last. */
  readonly ModifyIndex: number
}

/** A row of health/node-summary: the status of a node's own checks, and the instances on it by health. */
export interface NodeSummary {
  readonly Node: string
  readonly ID: string
  readonly Address: string
  readonly Meta: Readonly<Record<string, string>>
  readonly Status: string
  readonly Passing: number
  readonly Warning: number
  readonly Critical: number
  readonly Maintenance: number
  readonly Reason?: SummaryReason | null
}

/** The answer of status/times; the times are of RFC 3339, those of the oldest and newest entry '' when there is none. */
export interface ChangeTimes {
  /** By the index of the entry. Entries older than `Oldest` are left out. */
  readonly Times: Readonly<Record<string, string>>
  readonly Oldest: string
  readonly Newest: string
}

/** A row of health/service. */
export interface HealthEntry {
  readonly Node: NodeEntry
  readonly Service: ServiceEntry
  readonly Checks: readonly CheckEntry[]
}

export interface Self {
  readonly Config: {
    readonly Datacenter: string
    readonly NodeName: string
    readonly NodeID: string
    readonly Server: boolean
    /** The version of Consul's API. */
    readonly Version: string
    /** Consul's own agents do not send it. */
    readonly SvcdVersion?: string
  }
  readonly DebugConfig: {
    readonly DNSPort: number
    readonly DNSDomain: string
    /** -1: HTTPS is off. */
    readonly HTTPSPort?: number
  }
  /** Facts in groups, all as text: what `svcd info` prints. */
  readonly Stats: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** The answer of agent/debug, without secrets. */
export interface AgentDebug {
  readonly Config?: unknown
  readonly Raft?: unknown
  readonly Log?: readonly string[]
  readonly Resources?: unknown
}

/** The answer of agent/reload: what became of the files, a line of text each. */
export interface Reloaded {
  readonly Taken: readonly string[]
  readonly LeftOut: readonly string[]
  readonly HeldBack: readonly string[]
  readonly RestartNeeded: readonly string[]
}

export interface Member {
  readonly Name: string
  readonly Addr: string
  readonly Port: number
  readonly Status: number
  readonly Tags: Readonly<Record<string, string>>
}

/** A row of operator/raft/configuration. */
export interface RaftServer {
  readonly ID: string
  readonly Node: string
  readonly Address: string
  readonly Leader: boolean
  readonly ProtocolVersion: string
  readonly Voter: boolean
}

/** A row of catalog/service; there is more in it. */
export interface ServiceNode {
  readonly Node: string
}

/** The answer of GET snapshot. */
export interface SnapshotDownload {
  readonly index: number
  /** Bytes of the state once it is unpacked. */
  readonly stateBytes: number
  readonly archive: AsyncIterable<Uint8Array>
}

/** The body of agent/service/register; the agent accepts more (docs/http-api.md). */
export interface ServiceRegistration {
  readonly Name: string
  readonly ID?: string | undefined
  readonly Address?: string | undefined
  readonly Port?: number | undefined
  readonly Tags?: readonly string[] | undefined
  readonly Meta?: Readonly<Record<string, string>> | undefined
  readonly TaggedAddresses?:
    Readonly<Record<string, { readonly Address: string; readonly Port?: number }>> | undefined
  readonly Weights?: { readonly Passing: number; readonly Warning: number } | undefined
  readonly Checks?: readonly CheckRegistration[] | undefined
}

/** Durations as text: `10s`. */
export interface CheckRegistration {
  readonly CheckID?: string | undefined
  readonly Name?: string | undefined
  readonly TTL?: string | undefined
  readonly HTTP?: string | undefined
  readonly TCP?: string | undefined
  readonly UDP?: string | undefined
  readonly GRPC?: string | undefined
  readonly H2PING?: string | undefined
  readonly Args?: readonly string[] | undefined
  readonly AliasService?: string | undefined
  readonly Method?: string | undefined
  readonly Interval?: string | undefined
  readonly Timeout?: string | undefined
  readonly Status?: string | undefined
  readonly DeregisterCriticalServiceAfter?: string | undefined
}

/** How the API writes an entry, its flags as text (`withTextFlags`). */
export interface KeyRow {
  readonly LockIndex: number
  readonly Key: string
  readonly Flags: string
  readonly Value: string | null
  readonly Session?: string
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

/** A session, as the API writes it. */
export interface SessionEntry {
  readonly ID: string
  readonly Name: string
  readonly Node: string
  /** Nanoseconds. */
  readonly LockDelay: number
  readonly Behavior: string
  /** As text (`15s`); '' for none. */
  readonly TTL: string
  readonly NodeChecks?: readonly string[] | null
  readonly ServiceChecks?: readonly { readonly ID: string }[] | null
  readonly CreateIndex: number
  readonly ModifyIndex: number
}

/** A prepared query, as the API writes it. */
export interface QueryEntry {
  readonly ID: string
  readonly Name: string
  readonly Session: string
  readonly Template: { readonly Type: string; readonly Regexp: string }
  readonly Service: {
    readonly Service: string
    readonly Tags: readonly string[] | null
    readonly OnlyPassing: boolean
    readonly Near: string
  }
  readonly DNS: { readonly TTL: string }
  readonly ModifyIndex: number
}

/** What a prepared query chooses. */
export interface QueryResult {
  readonly Service: string
  readonly Nodes: readonly HealthEntry[]
  readonly DNS: { readonly TTL: string }
  readonly Datacenter: string
  readonly Failovers: number
}

/** A user event as the API tells it. */
export interface EventEntry {
  readonly ID: string
  readonly Name: string
  /** In base64; null for none. */
  readonly Payload: string | null
  // Regular expressions; '' for none.
  readonly NodeFilter: string
  readonly ServiceFilter: string
  readonly TagFilter: string
  readonly Version: number
  /** Lamport time: a later event has a greater one. */
  readonly LTime: number
}

/** Values of one series, oldest first; null: not known. */
export type HistoryValues = readonly (number | null)[]

/** How many instances are in which health, over time. */
export interface HealthHistory {
  readonly Passing: HistoryValues
  readonly Warning: HistoryValues
  readonly Critical: HistoryValues
  readonly Maintenance: HistoryValues
}

/** The answer of agent/history. The last value of each series is that of `End`. */
export interface AgentHistory {
  readonly StepSeconds: number
  readonly End: string
  /** Per second, by response code. */
  readonly Questions: Readonly<Record<string, HistoryValues>>
  readonly Requests: Readonly<Record<'All' | 'ClientErrors' | 'ServerErrors', HistoryValues>>
  /** By the ID of a server; empty unless this agent leads. */
  readonly Lag: Readonly<Record<string, HistoryValues>>
  readonly Health: HealthHistory
  readonly Flapping: readonly { readonly Service: string; readonly Changes: number }[]
}

/** The answer of health/history. */
export interface ServiceHistory {
  readonly StepSeconds: number
  readonly End: string
  readonly Service: string
  readonly Health: HealthHistory | null
}

/** The answer of operator/autopilot/health. */
export interface OperatorHealth {
  readonly Healthy: boolean
  readonly FailureTolerance: number
  readonly Servers: readonly ServerHealth[]
}

/** A server in it. */
export interface ServerHealth {
  readonly ID: string
  readonly Name: string
  readonly Address: string
  readonly SerfStatus: string
  readonly Leader: boolean
  readonly Voter: boolean
  readonly Healthy: boolean
  /** A duration, such as `12ms`; negative when it is not known. */
  readonly LastContact: string
  readonly LastIndex: number
  readonly LastTerm: number
  readonly StableSince: string
}
