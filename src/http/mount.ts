import type {
  FastifyInstance,
  FastifyRequest,
  HTTPMethods,
  onRequestHookHandler,
  RouteShorthandOptions,
} from 'fastify'
import { svcdError } from '../base/errors.ts'
import type { SvcdError } from '../base/errors.ts'
import { takeBodies } from './body.ts'
import { methodsOf, routeOf } from './endpoint.ts'
import type { Asked, Endpoint } from './endpoint.ts'
import { addressOf } from './origin.ts'
import { tailOf } from './path.ts'
import { checkOf } from './requesters.ts'
import type { RequesterContext } from './requesters.ts'
import type { Found, RowWatch } from './row-watch.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
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

/** All rows with one path. */
interface Place<Context> {
  readonly url: string
  readonly rows: Endpoint<Context>[]
}

/**
 * Adds the routes of the rows. Other methods of their paths get 405 with Allow, and OPTIONS tells. A
 * prefix without its slash is redirected, as Go's mux does.
 */
export function addEndpoints<Context extends RequesterContext>(
  app: FastifyInstance,
  context: Context,
  rows: readonly Endpoint<Context>[],
  watches: readonly RowWatch[] = [],
): void {
  const places = placesOf(rows)
  for (const place of places.values()) {
    const bytesMax = place.rows.map(({ body }) => body?.bytesMax).find((max) => max !== undefined)
    if (bytesMax === undefined) addPlace(app, context, place, watches)
    else {
      // A scope of its own, for how bodies are taken in it.
      app.register((scope, _options, done) => {
        takeBodies(scope, bytesMax)
        addPlace(scope, context, place, watches)
        done()
      })
    }
  }
  for (const url of slashless(places)) addSlash(app, url)
}

/** The paths that the rows answer at, as the router takes them. */
export function urlsOf(rows: readonly Endpoint<never>[]): ReadonlySet<string> {
  const places = placesOf(rows)
  return new Set([...places.keys(), ...slashless(places)])
}

function placesOf<Context>(
  rows: readonly Endpoint<Context>[],
): ReadonlyMap<string, Place<Context>> {
  const places = new Map<string, Place<Context>>()
  for (const row of rows) {
    const { url } = routeOf(row.path)
    const place = places.get(url)
    if (place === undefined) places.set(url, { url, rows: [row] })
    else place.rows.push(row)
  }
  return places
}

function slashless(places: ReadonlyMap<string, unknown>): readonly string[] {
  return [...places.keys()]
    .filter((url) => url.endsWith('/*'))
    .map((url) => url.slice(0, -2))
    .filter((url) => !places.has(url))
}

function addPlace<Context extends RequesterContext>(
  app: FastifyInstance,
  context: Context,
  { url, rows }: Place<Context>,
  watches: readonly RowWatch[],
): void {
  const bySuffix = rowsBySuffix(rows)
  const suffixes = [...bySuffix.keys()].filter((suffix) => suffix !== '')
  const prefix = url.endsWith('/*') ? url.slice(0, -1) : undefined
  const find = (request: FastifyRequest): Found<Context> => {
    // A request comes to one route only, and always to the same row of it.
    if (request.found !== undefined) return request.found
    const tail = prefix === undefined ? '' : tailOf(request, prefix)
    const suffix = suffixes.find((each) => tail.endsWith(each)) ?? ''
    const byMethod = bySuffix.get(suffix) ?? {}
    const row = byMethod[request.method === 'HEAD' ? 'GET' : request.method]
    const found = { row, byMethod, argument: tail.slice(0, tail.length - suffix.length) }
    request.found = found
    return found
  }
  const checks = new Map(rows.map((row) => [row, checkOf(row.permission)]))
  const hooks = watchHooks(context, find, watches)
  // A client without the right does not make the server read a body.
  const refuseEarly: onRequestHookHandler = (request, _reply, done) => {
    const { row, argument } = find(request)
    if (row?.body !== undefined) {
      if (prefix !== undefined) request.params = argument
      checks.get(row)?.(context, request)
    }
    done()
  }
  // One route for all methods: the path is found before the method is looked at.
  app.route({
    method: [...allMethods],
    url,
    exposeHeadRoute: false,
    config: { isForPages: rows.every(({ isForPages = true }) => isForPages) },
    ...hooks,
    // Behind the watches, which also count what is refused here.
    onRequest: [
      ...(rows.some(looksAtToken) ? [untilTokenKnown(context)] : []),
      ...(hooks.onRequest === undefined ? [] : [hooks.onRequest]),
      ...(rows.some(({ body }) => body !== undefined) ? [refuseEarly] : []),
    ],
    handler: (request, reply) => {
      const { row, byMethod, argument } = find(request)
      if (row !== undefined) {
        if (prefix !== undefined) request.params = argument
        // The body may have taken a while to come, and the token was looked at before it.
        if (row.body !== undefined && !('none' in row.permission)) context.requesterNow(request)
        // Before the body is read: a client without the right learns nothing about errors in it.
        checks.get(row)?.(context, request)
        if (row.body !== undefined) request.body = row.body.read(request.body)
        return row.handle(context, request as Asked, reply)
      }
      reply.header('Allow', `OPTIONS,${Object.keys(byMethod).join(',')}`)
      if (request.method === 'OPTIONS') return reply.send()
      throw svcdError('method-not-allowed', { method: request.method })
    },
  })
}

/** A token that another server has just created is known before anybody asks whose it is. */
function untilTokenKnown(context: RequesterContext): onRequestHookHandler {
  return (request, _reply, done) => {
    const known = context.tokenKnown(request)
    if (known === undefined) done()
    else known.then(() => done(), done)
  }
}

/** Endpoints of tokens that need no right look at the token, too. */
function looksAtToken({ permission, path }: Endpoint<never>): boolean {
  return !('none' in permission) || path.startsWith('/v1/acl/')
}

/**
 * The hooks of a route for those who watch its rows. A client that hangs up gets no answer, so the end of its
 * connection counts as well; an error is known before it is sent.
 */
function watchHooks<Context extends RequesterContext>(
  context: Context,
  find: (request: FastifyRequest) => Found<Context>,
  watches: readonly RowWatch[],
): { readonly onRequest?: onRequestHookHandler } & Pick<
  RouteShorthandOptions,
  'onSend' | 'onResponse'
> {
  if (watches.length === 0) return {}
  const after = (request: FastifyRequest, status: number | undefined): void => {
    if (request.isOver === true) return
    request.isOver = true
    const found = foundIn(find, request)
    if (found?.row === undefined) return
    for (const watch of watches) watch.after?.(found.row, request, found.argument, status)
  }
  const isAfterWatched = watches.some((watch) => watch.after !== undefined)
  const onRequest: onRequestHookHandler = (request, reply, done) => {
    const { row } = find(request)
    if (isAfterWatched && row?.audited !== undefined) {
      const { raw } = reply
      // For the watches, when the connection has ended.
      addressOf(request)
      raw.once('close', () => after(request, raw.headersSent ? raw.statusCode : undefined))
    }
    if (row !== undefined) {
      // The watches count by token.
      if (!('none' in row.permission)) context.requesterOf(request)
      for (const watch of watches) watch.before?.(row, request, reply)
    }
    done()
  }
  if (!isAfterWatched) return { onRequest }
  return {
    onRequest,
    onSend: (request, reply, payload, done) => {
      if (reply.statusCode >= 400) after(request, reply.statusCode)
      done(null, payload)
    },
    onResponse: (request, reply, done) => {
      after(request, reply.statusCode)
      done()
    },
  }
}

/** Undefined: its path cannot be decoded, so no row has answered it. */
function foundIn<Context>(
  find: (request: FastifyRequest) => Found<Context>,
  request: FastifyRequest,
): Found<Context> | undefined {
  try {
    return find(request)
  } catch {
    return undefined
  }
}

type ByMethod<Context> = Found<Context>['byMethod']

/** By the suffix after the argument. */
function rowsBySuffix<Context>(
  rows: readonly Endpoint<Context>[],
): ReadonlyMap<string, ByMethod<Context>> {
  const all = new Map<string, ByMethod<Context>>()
  for (const row of rows) {
    const { suffix } = routeOf(row.path)
    const byMethod = all.get(suffix) ?? {}
    all.set(suffix, byMethod)
    for (const method of methodsOf(row)) byMethod[method] = row
  }
  return all
}

function addSlash(app: FastifyInstance, path: string): void {
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

/** Adds a path that refuses all methods, unless it is `taken`; one with `/*` is also the path itself. */
export function addRefusal(
  app: FastifyInstance,
  path: string,
  taken: Set<string>,
  fault: (request: FastifyRequest) => SvcdError,
): void {
  for (const url of path.endsWith('/*') ? [path, path.slice(0, -2)] : [path]) {
    if (taken.has(url)) continue
    taken.add(url)
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
