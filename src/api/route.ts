import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { reasonOf, svcdError } from '../base/errors.ts'

export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

const allMethods: readonly HTTPMethods[] = ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE']

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/**
 * Adds an endpoint with the one method it has; the others get 405 with Allow, and OPTIONS tells. A
 * path that ends in `/*` takes everything after the prefix as its argument.
 */
export function addRoute(
  app: FastifyInstance,
  method: Method,
  path: string,
  handler: Handler,
): void {
  addRoutes(app, path, { [method]: handler })
}

/** Adds an endpoint with several methods. */
export function addRoutes(
  app: FastifyInstance,
  path: string,
  handlers: Readonly<Partial<Record<Method, Handler>>>,
): void {
  const known = new Set<HTTPMethods>()
  for (const [method, handler] of Object.entries(handlers) as [Method, Handler][]) {
    // A HEAD is a GET whose body stays away.
    const methods: readonly HTTPMethods[] = method === 'GET' ? ['GET', 'HEAD'] : [method]
    for (const each of methods) known.add(each)
    app.route({ method: [...methods], url: path, handler, exposeHeadRoute: false })
  }
  const allow = `OPTIONS,${Object.keys(handlers).join(',')}`
  app.route({
    method: allMethods.filter((method) => !known.has(method)),
    url: path,
    exposeHeadRoute: false,
    handler: (request, reply) => {
      reply.header('Allow', allow)
      throw svcdError('method-not-allowed', { method: request.method })
    },
  })
  app.options(path, (_request, reply) => reply.header('Allow', allow).send())
  // As Go's mux does for a prefix without its slash.
  if (path.endsWith('/*')) addSlash(app, path.slice(0, -2))
}

function addSlash(app: FastifyInstance, path: string): void {
  if (app.hasRoute({ method: 'GET', url: path })) return
  app.all(path, { exposeHeadRoute: false }, (request, reply) => {
    const search = request.url.slice(path.length)
    return reply.redirect(`${path}/${search}`, 301)
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

/** The path without empty, `.` and `..` segments, or undefined when there is none to clean. */
export function cleanPath(url: string): string | undefined {
  const end = url.indexOf('?')
  const path = end < 0 ? url : url.slice(0, end)
  if (!path.includes('//') && !/\/\.\.?(?:\/|$)/.test(path)) return undefined
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  const slash = path.endsWith('/') && segments.length > 0 ? '/' : ''
  return `/${segments.join('/')}${slash}${end < 0 ? '' : url.slice(end)}`
}
