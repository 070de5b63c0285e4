import type {
  CheckDefinition,
  NodeDefinition,
  ServiceDefinition,
  Status,
} from '../catalog/model.ts'

/** Adds or replaces a node, at most one service on it, and checks: Consul's catalog registration. */
export interface RegisterCommand {
  readonly kind: 'register'
  readonly nodeName: string
  /** Undefined: the node must exist and stays as it is. */
  readonly node?: NodeDefinition | undefined
  /**
   * `node` is for a node that does not exist yet; an existing one stays as it is (Consul's
   * SkipNodeUpdate).
   */
  readonly isNodeKept?: boolean | undefined
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

/** The fields of every command beside its body. */
export interface CommandOrigin {
  /** Unique to this request; a command whose id was applied already is not applied again. */
  readonly requestId: string
  /** Who asked: `http 127.0.0.1`, `check web-1`, `agent n1`. */
  readonly actor: string
  /** Why: `register`, `TTL expired`, `HTTP GET … 503`. */
  readonly cause: string
}

/** A command as it is proposed, before the leader stamps its time. */
export interface Proposal extends CommandOrigin {
  readonly version: 1
  readonly body: CommandBody
}

/** Envelope v1: what an entry of the replicated log holds. `timeMs` is the leader's wall clock. */
export interface Command extends Proposal {
  readonly timeMs: number
}

/** What applying a command came to. */
export type Outcome =
  | { readonly ok: true; readonly index: number }
  | {
      readonly ok: false
      readonly index: number
      readonly error: 'unknown-node' | 'unknown-service' | 'unknown-check'
      /** The name or id that was not found. */
      readonly subject: string
    }

/** The largest command that is accepted, in bytes of its log entry. */
export const commandBytesMax = 512 * 1024

/**
 * The log entry of a proposal: its JSON with the leader's time put in front, so that the leader
 * stamps it without parsing and printing it again.
 */
export function stampProposal(proposalJson: string, timeMs: number): Buffer {
  return Buffer.from(`{"timeMs":${timeMs},${proposalJson.slice(1)}`)
}

/**
 * Reads a log entry back. Throws on a version or kind that this svcd does not know: a committed
 * entry is never skipped, the caller must stop.
 */
export function decodeCommand(data: Uint8Array): Command {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()
  const command = JSON.parse(text) as Command
  if (command.version !== 1)
    throw new Error(`command of unknown version ${String(command.version)}`)
  const kind: string = command.body.kind
  if (kind !== 'register' && kind !== 'deregister' && kind !== 'update-check') {
    throw new Error(`command of unknown kind ${kind}`)
  }
  return command
}
