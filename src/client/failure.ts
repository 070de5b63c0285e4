import { reasonOf, svcdError, type SvcdError } from '../base/errors.ts'
import type { HttpAnswer } from './http-answer.ts'
import { stepAfter } from './refused-access.ts'

/** The cause of an `agent-refused`. */
export interface Refusal {
  readonly status: number
  readonly reason: string
}

// What an agent's client says when a request comes to nothing.

/** What made a request fail: of several addresses of one name, what the first one's failure was. */
export function causeOf(error: unknown): unknown {
  const [first] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : []
  return first ?? error
}

/** OpenSSL's codes for a certificate whose authority this process does not know. */
const untrusted: ReadonlySet<unknown> = new Set([
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Whether the other side's certificate was the reason, and one more authority would help. */
export function isUntrusted(error: unknown): boolean {
  const cause = causeOf(error)
  return cause instanceof Error && 'code' in cause && untrusted.has(cause.code)
}

/** In words: Node's own for a connection that is closed are "socket hang up" and "aborted". */
export function failureReason(error: unknown): string {
  const cause = causeOf(error)
  const reason = reasonOf(cause)
  if (reason === 'socket hang up') return 'the connection was closed without an answer'
  return reason === 'aborted' ? 'the connection was closed in the middle of the answer' : reason
}

/**
 * An answer that is an error, as an error: in the words of the agent, if it is one. `hasToken`: the request had a
 * token.
 */
export async function refusal(
  address: string,
  answer: HttpAnswer,
  hasToken: boolean,
): Promise<SvcdError> {
  const text = (await answer.text().catch(failureReason)).trim()
  const { status, statusText } = answer
  // What Go, nginx and others say to a request without TLS.
  if (status === 400 && /\bHTTPS (?:server|port)\b/.test(text)) {
    return svcdError('agent-is-https', { address })
  }
  const isOfAgent = answer.headerNames.some((name) => name.startsWith('x-consul-'))
  const isText = answer.header('content-type')?.startsWith('text/plain') === true
  if (!isOfAgent && (!isText || text === '404 page not found')) {
    return svcdError('not-an-agent', { address, reason: `it answered ${status} ${statusText}` })
  }
  const reason = text === '' ? `HTTP status ${status} ${statusText}` : text
  // A wrong request is wrong at every agent. Other errors are those of this one agent.
  const agent = text === '' || status >= 500 ? `The agent at ${address} reports: ` : ''
  const cause: Refusal = { status, reason }
  const step = stepAfter(cause, hasToken)
  return svcdError('agent-refused', { agent, reason: `${reason}${step}` }, cause)
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
