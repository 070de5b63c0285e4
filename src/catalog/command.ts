import type { CheckDefinition, NodeDefinition, ServiceDefinition, Status } from './model.ts'

/** Adds or replaces a node, at most one service on it, and checks: Consul's catalog registration. */
export interface RegisterCommand {
  readonly kind: 'register'
  /** Undefined: the node must exist and stays as it is (Consul's SkipNodeUpdate). */
  readonly node?: NodeDefinition | undefined
  readonly nodeName: string
  readonly service?: ServiceDefinition | undefined
  readonly checks: readonly CheckDefinition[]
  /** True: checks of this service that are not listed are removed. */
  readonly replaceChecks: boolean
}

/** Removes a check, a service with its checks, or (neither given) a node with all on it. */
export interface DeregisterCommand {
  readonly kind: 'deregister'
  readonly nodeName: string
  readonly serviceId?: string | undefined
  readonly checkId?: string | undefined
}

/** A check changed its status (or, rarely, only its output). Unknown check: no change. */
export interface UpdateCheckCommand {
  readonly kind: 'update-check'
  readonly nodeName: string
  readonly checkId: string
  readonly status: Status
  readonly output: string
}

export type CommandBody = RegisterCommand | DeregisterCommand | UpdateCheckCommand

/** What every command carries beside its body, whoever wrote it. */
export interface CommandOrigin {
  /** Unique to this request; a command with an id that was applied already is not applied again. */
  readonly requestId: string
  /** Who asked: `http 127.0.0.1`, `check web-1`, `agent n1`. */
  readonly actor: string
  /** Why: `register`, `TTL expired`, `HTTP GET … 503`. */
  readonly cause: string
}

/** Envelope v1: what an entry of the replicated log holds. The leader stamps `timeMs` (wall time). */
export interface Command extends CommandOrigin {
  readonly version: 1
  readonly timeMs: number
  readonly body: CommandBody
}

/** What applying a command came to. */
export type Outcome =
  | { readonly ok: true; readonly index: number }
  | {
      readonly ok: false
      readonly index: number
      readonly error: 'unknown-node' | 'unknown-service' | 'unknown-check'
      readonly subject: string
    }
