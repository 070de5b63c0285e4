import type { FastifyInstance, FastifyRequest } from 'fastify'
import { reasonOf, svcdError } from '../base/errors.ts'

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

/** The part of the path before the arguments of the `/*` routes that are added to `app` from now on. */
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
