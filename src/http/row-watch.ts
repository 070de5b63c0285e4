import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Endpoint } from './endpoint.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The row that answers it, and its argument, once they were looked up. */
    found?: Found | undefined
    /** Its status was reported to the watches. */
    isOver?: boolean
  }
}

/** The rows at the path of a request. */
export interface Found<Context = never> {
  /** Undefined: none of them has its method. */
  readonly row: Endpoint<Context> | undefined
  readonly byMethod: Partial<Record<string, Endpoint<Context>>>
  /** That of the path, decoded; '' for none. */
  readonly argument: string
}

/** Looks at the requests of the rows, before and after them. It goes by the row, never by the text of the path. */
export interface RowWatch {
  /** Before the body is read. Throws an SvcdError to refuse the request. */
  before?(row: Endpoint<never>, request: FastifyRequest, reply: FastifyReply): void
  /**
   * The answer was sent, or its connection has ended; without an answer there is no `status`. `argument` is that of
   * the path, decoded; '' for none.
   */
  after?(
    row: Endpoint<never>,
    request: FastifyRequest,
    argument: string,
    status: number | undefined,
  ): void
}
