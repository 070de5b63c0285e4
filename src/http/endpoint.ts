import type { FastifyReply, FastifyRequest } from 'fastify'
import type { JsonSchema } from '../definition/decode.ts'
import type { BodyReader } from './body.ts'
import type { Parameters } from './parameters.ts'
import type { Needs } from './permissions.ts'
import type { MediaDoc } from './schemas.ts'

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/**
 * A request as a handler gets it. `params` is the argument at the end of the path, decoded once ('' when
 * the path has none). `body` is what the {@link Endpoint.body} of the row made of it.
 */
export type Asked<Body = unknown> = FastifyRequest<{
  Params: string
  Querystring: Parameters
  Body: Body
}>

/** Answers a request. HEAD is a GET whose body stays away. */
export type Handle<Context, Body = unknown> = (
  context: Context,
  request: Asked<Body>,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>

/** One endpoint: all that is known of it. The routes, their 405, the OpenAPI document and tests are made from it. */
export interface Endpoint<Context, Body = unknown> {
  /** Several methods do the same. */
  readonly method: Method | readonly Method[]
  /**
   * `/v1/catalog/nodes`, or `/v1/catalog/node/{node}`: the argument is all that follows, with its slashes, or in
   * `/v1/query/{query}/execute` all before the last slash. Several rows with one path and different methods are one
   * route.
   */
  readonly path: string
  /** The name of the operation in the document; default: that of the method and the path without the argument. */
  readonly operation?: string
  readonly permission: Needs
  readonly summary: string
  /** The parameters that it reads, with their documentation; see `query-docs.ts`. */
  readonly query?: Readonly<Record<string, JsonSchema>>
  /** How its body is read; left out = it has none. */
  readonly body?: BodyReader<Body>
  /** The JSON of a 200 answer; left out, with {@link media}, = the answer is empty. */
  readonly answer?: JsonSchema
  /** A 200 answer that is not JSON. */
  readonly media?: MediaDoc
  /** Statuses besides 200, 400 and 500 whose body is text. */
  readonly errors?: readonly number[]
  /** Other statuses whose body is the answer. */
  readonly alsoAnswers?: readonly number[]
  /**
   * False: pages of other origins may not use it, although they could not read the answer, because
   * it is costly (a connection that stays, a profile). Default true.
   */
  readonly isForPages?: boolean
  /**
   * False: although its method is not GET, it changes no stored data, or only renews something.
   * Default true. See {@link isChange}.
   */
  readonly isChange?: false
  /**
   * Its operation is not a command of the log, so the request itself is recorded in the audit log, with these
   * parameters of the query string. They must not be secrets.
   */
  readonly audited?: { readonly parameters?: readonly string[] }
  // A method, so that rows with different bodies are of one type.
  handle(
    context: Context,
    request: Asked<Body>,
    reply: FastifyReply,
  ): FastifyReply | Promise<FastifyReply>
}

/** Whether a request with this method to this row changes something. */
export function isChange(row: Pick<Endpoint<never>, 'isChange'>, method: string): boolean {
  return row.isChange !== false && method !== 'GET' && method !== 'HEAD'
}

/** The methods of a row. */
export function methodsOf({ method }: Pick<Endpoint<never>, 'method'>): readonly Method[] {
  return typeof method === 'string' ? [method] : method
}

export interface Route {
  readonly url: string
  readonly argument?: string
  /** `/execute`: what follows the argument; '' for nothing. */
  readonly suffix: string
}

/** The path of a row as the router takes it, the name of its argument, and what is behind that. */
export function routeOf(path: string): Route {
  const [, prefix, argument, suffix = ''] = /^(.*\/)\{(\w+)\}(\/\w+)?$/.exec(path) ?? []
  return prefix === undefined || argument === undefined
    ? { url: path, suffix }
    : { url: `${prefix}*`, argument, suffix }
}
