import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { reasonOf, svcdError } from '../../base/errors.ts'
import type { SvcdError } from '../../base/errors.ts'

export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The methods of the endpoint; the route itself takes all of them. */
    readonly methods?: readonly Method[]
    /** False: pages of other origins may not even read here. */
    readonly isForPages?: boolean
  }
}

const allMethods: readonly HTTPMethods[] = [
  'GET',
  'HEAD',
  'PUT',
  'POST',
  'PATCH',
  'DELETE',
  'OPTIONS',
]

export interface RouteOptions {
  /**
   * False: pages of other origins may not use it, although they could not read the answer, because
   * it is costly (a connection that stays, a profile). Default true.
   */
  readonly isForPages?: boolean
}

/**
 * Adds an endpoint with the one method it has; the others get 405 with Allow, and OPTIONS tells. A
 * path that ends in `/*` takes everything after the prefix as its argument.
 */
export function addRoute(
  app: FastifyInstance,
  method: Method,
  path: string,
  handler: Handler,
  options: RouteOptions = {},
): void {
  addRoutes(app, path, { [method]: handler }, options)
}

/** Adds an endpoint with several methods. */
export function addRoutes(
  app: FastifyInstance,
  path: string,
  handlers: Readonly<Partial<Record<Method, Handler>>>,
  { isForPages = true }: RouteOptions = {},
): void {
  const methods = Object.keys(handlers) as Method[]
  const allow = `OPTIONS,${methods.join(',')}`
  // One route for all methods: the path is found before the method is looked at.
  app.route({
    method: [...allMethods],
    url: path,
    exposeHeadRoute: false,
    config: { methods, isForPages },
    handler: (request, reply) => {
      // A HEAD is a GET whose body stays away.
      const method = request.method === 'HEAD' ? 'GET' : request.method
      const handler = handlers[method as Method]
      if (handler !== undefined) return handler(request, reply)
      reply.header('Allow', allow)
      if (method === 'OPTIONS') return reply.send()
      throw svcdError('method-not-allowed', { method: request.method })
    },
  })
  // As Go's mux does for a prefix without its slash.
  if (path.endsWith('/*')) addSlash(app, path.slice(0, -2))
}

/** Adds an endpoint that refuses all methods, where there is none; a path with `/*` is also the path itself. */
export function addRefusal(
  app: FastifyInstance,
  path: string,
  fault: (request: FastifyRequest) => SvcdError,
): void {
  for (const url of path.endsWith('/*') ? [path, path.slice(0, -2)] : [path]) {
    if (allMethods.some((method) => app.hasRoute({ method, url }))) continue
    app.route({
      method: [...allMethods],
      url,
      exposeHeadRoute: false,
      handler: (request) => {
        throw fault(request)
      },
    })
  }
}

function addSlash(app: FastifyInstance, path: string): void {
  if (app.hasRoute({ method: 'GET', url: path })) return
  app.route({
    method: [...allMethods],
    url: path,
    exposeHeadRoute: false,
    handler: (request, reply) => {
      const search = request.url.slice(path.length)
      return reply.redirect(`${path}/${search}`, 301)
    },
  })
}

/**
 * The argument of a `/*` route: all of the path after the prefix, decoded once. IDs hold slashes,
 * colons, hashes and percent signs (`app#127.0.0.1#3000`).
 */
export function tailOf(request: FastifyRequest, prefix: string): string {
  const { url } = request
  const end = url.indexOf('?')
  const tail = url.slice(prefix.length, end < 0 ? undefined : end)
  try {
    return tail.includes('%') ? decodeURIComponent(tail) : tail
  } catch (error) {
    throw svcdError('invalid-path', { path: tail, reason: reasonOf(error) }, error)
  }
}

/** What stands in front of the arguments of the `/*` routes that are added to `app` from now on. */
export function argumentPrefixes(app: FastifyInstance): ReadonlySet<string> {
  const prefixes = new Set<string>()
  app.addHook('onRoute', ({ url }) => {
    if (url.endsWith('/*')) prefixes.add(url.slice(0, -1))
  })
  return prefixes
}

/**
 * The target of a request without scheme and authority: the absolute form asks for the same (RFC 9112
 * §3.2.2). Its authority then counts in place of the field Host.
 */
export function originForm(request: Pick<FastifyRequest['raw'], 'url' | 'headers'>): string {
  const { url = '/' } = request
  // All requests but those to a proxy.
  if (url.startsWith('/')) return url
  const [, authority, target = ''] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url) ?? []
  if (authority === undefined) return url
  request.headers.host = authority
  return target.startsWith('/') ? target : `/${target}`
}

/**
 * The path without empty, `.` and `..` segments, or undefined when there is none to clean. What follows
 * one of the `prefixes` (`/v1/agent/service/deregister/`) is an argument, which stays as it is: an id
 * may be a URL.
 */
export function cleanPath(url: string, prefixes: ReadonlySet<string>): string | undefined {
  const end = url.indexOf('?')
  const path = end < 0 ? url : url.slice(0, end)
  if (!path.includes('//') && !/\/\.\.?(?:\/|$)/.test(path)) return undefined
  const segments: string[] = []
  let at = 1
  while (at <= path.length) {
    if (prefixes.has(`/${segments.join('/')}/`)) break
    const slash = path.indexOf('/', at)
    const segment = path.slice(at, slash < 0 ? undefined : slash)
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
    at = slash < 0 ? path.length + 1 : slash + 1
  }
  const rest = path.slice(at)
  const slash = path.endsWith('/') || rest !== '' ? '/' : ''
  return `/${segments.join('/')}${segments.length > 0 ? slash : ''}${rest}${end < 0 ? '' : url.slice(end)}`
}
