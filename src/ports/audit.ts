import type { SvcdError } from '../base/errors.ts'

/** A request that is recorded for itself: it was denied, or its operation is not a command of the log. */
export interface AuditedRequest {
  readonly timeMs: number
  /** The operation of the endpoint, as in the OpenAPI document: `put_agent_leave`. */
  readonly operation: string
  readonly address: string
  /** The public ID of the token; '' or undefined: none. */
  readonly accessor?: string | undefined
  /** The argument of the path, and the parameters that the endpoint names. */
  readonly target: Readonly<Record<string, string>>
  /** `unknown`: the client was gone before the answer. */
  readonly outcome: 'done' | 'denied' | 'failed' | 'unknown'
  /** Of the answer; undefined: there was none. */
  readonly status: number | undefined
}

/** The audit log of this server, for requests. */
export interface Audit {
  /** Why requests that change something are refused now: `audit-unwritable`. */
  refusal(): SvcdError | undefined
  record(request: AuditedRequest): void
  /** A request has no line: there are too many. They are counted in the file. */
  leaveOut(): void
}
