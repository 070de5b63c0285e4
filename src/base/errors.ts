import { aclErrors } from './errors/acl.ts'
import { aclCommandErrors } from './errors/acl-commands.ts'
import { cliErrors } from './errors/cli.ts'
import { clusterErrors } from './errors/cluster.ts'
import { consulRequestErrors } from './errors/consul-requests.ts'
import { dohErrors } from './errors/doh.ts'
import { eventErrors } from './errors/events.ts'
import { intentionErrors } from './errors/intentions.ts'
import { kvErrors } from './errors/kv.ts'
import { limitErrors } from './errors/limits.ts'
import { lockErrors } from './errors/locks.ts'
import { parameterErrors } from './errors/parameters.ts'
import { queryErrors } from './errors/queries.ts'
import { requestErrors } from './errors/requests.ts'
import { sessionErrors } from './errors/sessions.ts'
import { startErrors } from './errors/start.ts'
import { txnErrors } from './errors/txn.ts'
import { visibleLines } from './invisible.ts'
import { tlsReason } from './tls-reason.ts'

/** One row of the error table: what an error of this code looks like at each edge. */
export interface ErrorRow {
  /** HTTP status of the response that carries it. */
  readonly http: number
  /** Exit code of a CLI command that ends with it: 1 = refused or failed, 2 = could not ask. */
  readonly exit: 1 | 2
  /** The message; `{x}` is filled from the parameters. It names the thing and the next step. */
  readonly text: string
}

/**
 * Every operating error of svcd; each family of errors is a file of `errors/`. docs/errors.md lists the
 * same rows, and a test holds both equal.
 * The texts that Consul's clients match on are Consul's own.
 */
export const errorTable = {
  ...requestErrors,
  ...parameterErrors,
  ...consulRequestErrors,
  ...kvErrors,
  ...queryErrors,
  ...intentionErrors,
  ...lockErrors,
  ...sessionErrors,
  ...eventErrors,
  ...txnErrors,
  ...aclErrors,
  ...limitErrors,
  ...dohErrors,
  ...aclCommandErrors,
  ...clusterErrors,
  ...startErrors,
  ...cliErrors,
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errorTable

type ParameterNames<T extends string> = T extends `${string}{${infer P}}${infer Rest}`
  ? P | ParameterNames<Rest>
  : never

/** The parameters that the text of `C` asks for. */
export type ErrorParameters<C extends ErrorCode> = Record<
  ParameterNames<(typeof errorTable)[C]['text']>,
  string | number
>

/** An operating error: expected, handled at the edge (HTTP, CLI, start-up), logged there once. */
export class SvcdError extends Error {
  override name = 'SvcdError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }

  get row(): ErrorRow {
    return errorTable[this.code]
  }
}

/** Builds the error of one row, its text filled in from `parameters`, which may be anybody's words. */
export function svcdError<C extends ErrorCode>(
  code: C,
  parameters: ErrorParameters<C>,
  cause?: unknown,
): SvcdError {
  const values = parameters as Record<string, string | number>
  const text = errorTable[code].text.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? visibleLines(String(values[name])) : whole,
  )
  return new SvcdError(code, text, cause)
}

/** The words of an unknown thrown value, for the `{reason}` of another error. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return tlsReason(message) ?? message
}
