import type { FastifyRequest } from 'fastify'
import { SvcdError } from '../base/errors.ts'
import { visible } from '../base/invisible.ts'
import type { WarningLines } from './limited-warnings.ts'
import { addressOf } from './origin.ts'
import { Denial } from './requesters.ts'

const kind = {
  level: 'warn',
  rest: (count: number, seconds: number) =>
    `${count} more registrations were denied in the last ${seconds} s`,
} as const

/**
 * Logs registrations and reports that are denied. Their clients often try again without telling anybody, and what is
 * missing then shows only in the log.
 */
export class Denials {
  readonly #lines: WarningLines

  constructor(lines: WarningLines) {
    this.#lines = lines
  }

  /** Returns what `check` returns. When it throws `permission-denied`, the log says so of `what`, such as `register node n1`. */
  watch<T>(request: FastifyRequest, what: string, check: () => T): T {
    try {
      return check()
    } catch (error) {
      if (error instanceof Denial) this.#write(request, `cannot ${what}: ${error.missing}`)
      throw error
    }
  }

  /** To be called with the error of each request. A token that is unknown is known to be so before the body is read. */
  see(error: unknown, request: FastifyRequest): void {
    if (!(error instanceof SvcdError) || error.code !== 'acl-not-found') return
    const { method, routeOptions } = request
    if (method === 'GET' || method === 'HEAD') return
    const what = `${method} ${routeOptions.url ?? ''}`
    this.#write(request, `cannot do ${what}: its token does not exist or has expired`)
  }

  #write(request: FastifyRequest, message: string): void {
    const line = { fields: { from: addressOf(request) }, message: visible(message) }
    this.#lines.write(kind, () => line)
  }
}
