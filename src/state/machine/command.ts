/** The fields of every command beside its body. */
export interface CommandOrigin {
  /** Unique to this request; a command whose id was applied already is not applied again. */
  readonly requestId: string
  /** Who asked: `http 127.0.0.1`, `check web-1`, `agent n1`. */
  readonly actor: string
  /**
   * The public ID of the token of the request. Left out: there was none, or a server that does not know this
   * field has taken the request.
   */
  readonly accessor?: string | undefined
  /** Why: `register`, `TTL expired`, `HTTP GET … 503`. */
  readonly cause: string
}

/** What a command does: one of the kinds of the families, with its fields. */
export interface AnyBody {
  readonly kind: string
}

/** Several commands that are applied at one moment: no reader sees some of them without the others. */
export interface BatchCommand<Body extends AnyBody = AnyBody> {
  readonly kind: 'batch'
  /** None of them is a batch. */
  readonly bodies: readonly Body[]
}

/** A command as it is proposed, before the leader stamps its time. */
export interface Proposal<Body extends AnyBody = AnyBody> extends CommandOrigin {
  readonly version: 1
  readonly body: Body
}

/** Envelope v1: what an entry of the replicated log holds. `timeMs` is the leader's wall clock. */
export interface Command<Body extends AnyBody = AnyBody> extends Proposal<Body> {
  readonly timeMs: number
}

/** What JSON can say. */
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** What applying a command came to. */
export type Outcome =
  | {
      readonly ok: true
      readonly index: number
      /** What the command tells beside that it was applied, e.g. whether a check-and-set has set. */
      readonly value?: Json
      /** Of a request that is repeated: it had a long value, which is not known any more. */
      readonly isForgotten?: true
    }
  | {
      readonly ok: false
      readonly index: number
      readonly error:
        'unknown-node' | 'unknown-service' | 'unknown-check' | 'critical-check' | 'unknown-session'
      /** The name or ID of what was not found, or is critical. */
      readonly subject: string
    }

/** Whether an outcome says nothing but that the command was applied, and at which index. */
export function isPlain(outcome: Outcome): boolean {
  return outcome.ok && outcome.value === undefined && outcome.isForgotten === undefined
}

/** The largest command that is accepted, in bytes of its log entry. */
export const commandBytesMax = 1024 * 1024
