import type { LogLevel } from '../base/log.ts'
import type { AnyMetric } from '../base/metric.ts'
import type { CommandBody } from '../state/families.ts'
import type { CommandOrigin, Outcome } from '../state/machine/command.ts'
import type { CatalogReader } from '../state/catalog/query.ts'
import type {
  AgentCheckDefinition,
  AgentServiceDefinition,
} from '../definition/agent-definition.ts'
import type { Check, Service, Status } from '../state/catalog/model.ts'

/** Who asks and why, for the command's envelope. */
export interface Origin extends Pick<CommandOrigin, 'actor' | 'cause'> {
  /** What the client's program calls itself, for the agent's own log only. */
  readonly client?: string | undefined
}

/** What a registration met. */
export interface ServiceRegistered {
  /** The name that the service with this ID had before; undefined: there was none. */
  readonly replaced: string | undefined
}

/** The agent's own services and checks: agent.db, the check runner, and proposals to the catalog. */
export interface LocalAgent {
  /**
   * Resolves once the registration is committed and applied here. Keeps unlisted old checks by
   * default.
   */
  registerService(
    definition: AgentServiceDefinition,
    options: { readonly replaceExistingChecks: boolean },
    origin: Origin,
  ): Promise<ServiceRegistered>
  /** Rejects with `unknown-service-id`. */
  deregisterService(id: string, origin: Origin): Promise<void>
  /** Rejects with `unknown-service-id` when check.serviceId names none. */
  registerCheck(definition: AgentCheckDefinition, origin: Origin): Promise<void>
  /** Rejects with `unknown-check-id`. */
  deregisterCheck(id: string, origin: Origin): Promise<void>
  /** A TTL check reports. Rejects with `unknown-check-id` or `not-a-ttl-check`. */
  updateTtl(id: string, status: Status, output: string, origin: Origin): Promise<void>
  /** The agent's own services, by id, read while they are walked through. */
  services(): Iterable<Service>
  servicesNamed(name: string): readonly Service[]
  service(id: string): Service | undefined
  /** The agent's own checks, with their current status and output, as {@link services}. */
  checks(): Iterable<Check>
  /** The checks of one service, by id; of '' those of the node. */
  checksOfService(serviceId: string): readonly Check[]
  hasCheck(id: string): boolean
  counts(): { readonly services: number; readonly checks: number }
}

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
  readonly ports: { readonly http: number; readonly dns: number; readonly server: number }
  /** What the configuration says of the node; left out = nothing. */
  readonly nodeMeta?: Readonly<Record<string, string>>
}

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

/** A state of the catalog as people keep it. */
export interface SnapshotArchive {
  /** The entry of the log that it stands at. */
  readonly index: number
  /** Bytes of the state that is packed in it. */
  readonly stateBytes: number
  /** gzip tar of meta.json, state.bin and SHA256SUMS. It breaks off when the state is damaged. */
  readonly archive: NodeJS.ReadableStream
}

/** What a restore changed. */
export interface Restored {
  /** Commands that added or changed something. */
  readonly written: number
  readonly removed: number
}

/** What became of the files of a node when they were read again, one line of text each. */
export interface ReloadReport {
  /** The definitions that were added, changed or removed. */
  readonly taken: readonly string[]
  /** The errors in the files. The definitions concerned are not in force. */
  readonly leftOut: readonly string[]
  /** What no file defines any more, and stays because some file could not be read. */
  readonly heldBack: readonly string[]
  /** Options that changed and count from the next start on, by their key in a file. */
  readonly restartNeeded: readonly string[]
}

/** Facts and figures in groups, all as text. */
export type Statistics = Readonly<Record<string, Readonly<Record<string, string>>>>

/** For the diagnosis of an agent; without secrets. */
export interface Diagnosis {
  readonly config: unknown
  readonly raft: unknown
  /** The last lines, oldest first. */
  readonly log: readonly string[]
  /** Memory, CPU, threads, what the event loop waits for. */
  readonly resources: unknown
}

/** What agent/host tells; null: this system does not tell it. */
export interface HostFacts {
  readonly memory: Readonly<Record<string, number>> | null
  readonly cpus: readonly object[]
  readonly host: object
  readonly disk: object | null
  readonly errors: readonly string[]
}

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
  /** Wall time since when {@link isHealthy} is what it is, as this leader saw it. */
  readonly stableSinceMs: number
}

/** Who takes lines of the log of an agent, those of `level` and of more severe ones. */
export interface LogFollower {
  readonly level: LogLevel
  /** One JSON object a line; default a line for people. */
  readonly json?: boolean
  /** A line with its end. Called within the call that logs; it must not log itself. */
  readonly write: (line: string) => void
}

/** The log of an agent, of all its threads. */
export interface NodeLog {
  /** The last lines, oldest first. */
  recent(): readonly string[]
  /** Every line from now on. Returns how to end it. */
  follow(follower: LogFollower): () => void
}

/** Somebody waits. Not a promise with an AbortSignal: of ten thousand that would be half the memory. */
export interface Wait {
  readonly ended: Promise<void>
  /** Ends it now, if it has not ended yet. */
  end(): void
}

/** All that the HTTP API needs of a node; `node/` provides it. */
export interface Backend {
  readonly identity: Identity
  readonly agent: LocalAgent
  /**
   * Resolves when the command is committed and applied here. Rejects with `no-leader`, `busy`,
   * `stopping`, `command-too-large`.
   */
  propose(body: CommandBody, origin: Origin): Promise<Outcome>
  /**
   * Resolves when a read made afterwards sees every write acknowledged before the call, anywhere.
   * Rejects with `no-leader` when no leader confirms it in time.
   */
  barrier(): Promise<void>
  /** Runs `query` inside one read transaction; `query` must be synchronous. */
  read<T>(query: (catalog: CatalogReader) => T): T
  /**
   * A long read in one read transaction, a few steps at a time, so that others get their turn in
   * between. Resolves with what `steps` returns.
   */
  readSliced<T>(steps: (catalog: CatalogReader) => Generator<void, T>): Promise<T>
  /** To be taken *before* `read`: a change after it wakes `waitForChange`, so none falls in between. */
  version(): number
  /** Ends when the subject may have changed since `version()` gave `since`, or after `timeoutMs`. */
  waitForChange(subject: string, since: number, timeoutMs: number): Wait
  /** Why this server serves no writes and no fresh reads, however long one waits; see `left-behind`. */
  outOfService(): Error | undefined
  /** It leads, as far as it knows, and has applied all that an earlier leader acknowledged. */
  isLeader(): boolean
  /** It leads and is a quorum by itself: its own copy holds every write that was acknowledged. */
  isAlone(): boolean
  /** The servers of the cluster, as this one sees them. */
  cluster(): {
    readonly index: number
    readonly servers: readonly ClusterServer[]
  }
  /**
   * The leader does it, whichever server is asked. Rejects with `operation-refused`, `no-leader`.
   */
  operate(operation: ClusterOperation): Promise<string>
  /** Packs the state that this server has applied. Rejects with `snapshot-failed`. */
  snapshot(): Promise<SnapshotArchive>
  /**
   * Makes the catalog of the whole cluster what an archive says, by commands in the log, so that a
   * restore that broke off can be repeated. Rejects with `snapshot-unusable` (nothing was changed then),
   * `restore-unfinished`, `no-leader`.
   */
  restore(archive: AsyncIterable<Uint8Array>, origin: Origin): Promise<Restored>
  /** What the agent knows of Raft and of its process, for people. */
  statistics(): Statistics
  diagnosis(): Diagnosis
  /** Lines of the log from now on, without secrets, whatever level the agent itself logs. Returns how to end it. */
  followLog(follower: LogFollower): () => void
  /** The machine that this agent runs on. */
  host(): HostFacts
  /** What the health of a server is judged by. */
  autopilot(): { readonly silenceMsMax: number; readonly trailingMax: number }
  /** The servers as the leader sees them; see {@link ServerHealth}. Undefined: no leader tells. */
  serverHealth(options: { readonly mayAsk: boolean }): Promise<readonly ServerHealth[] | undefined>
  /**
   * Reads definitions and zones again. Faulty ones are left out, and their served versions stay.
   */
  reload(): Promise<ReloadReport>
  /** What the node counts and measures, as it is now. */
  metrics(): readonly AnyMetric[]
  /** `host:port` of the leader, or '' while there is none. */
  leader(): string
  /** `host:port` of every voter. */
  peers(): readonly string[]
  /** Milliseconds since this node last heard from the leader; 0 on the leader. */
  lastContactMs(): number
}
