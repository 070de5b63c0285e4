import { fastify } from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { InvariantError } from '../base/assert.ts'
import type { Audit } from '../ports/audit.ts'
import type { Clock } from '../base/clock.ts'
import { SvcdError, reasonOf, svcdError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { AgentTokens } from '../ports/agent-tokens.ts'
import type { Backend } from '../ports/backend.ts'
import type { BootstrapReset } from '../ports/bootstrap-reset.ts'
import type { LocalDns } from '../ports/dns.ts'
import type { Explanations } from '../ports/explanations.ts'
import type { Tokens } from '../ports/tokens.ts'
import { catalogFamily } from '../state/catalog/family.ts'
import type { ApiContext, ApiEndpoint } from './context.ts'
import { endpoints as allEndpoints } from './endpoints/families.ts'
import { auditWatch } from '../http/audit-watch.ts'
import { takeBodies } from '../http/body.ts'
import { answerClientError } from '../http/client-error.ts'
import { noCompilers } from '../http/compilers.ts'
import { Denials } from '../http/denials.ts'
import { connectionEndings } from '../http/connection-endings.ts'
import { measure, renderMetrics } from '../http/measured.ts'
import type { Exposition } from '../http/measured.ts'
import { addEndpoints, urlsOf } from '../http/mount.ts'
import { LimitWatch } from '../http/limit-watch.ts'
import type { RequestLimits } from '../http/limit-watch.ts'
import { argumentPrefixes, cleanPath, originForm } from '../http/path.ts'
import { Waits } from '../http/blocking.ts'
import { hideSecretsInUrl } from '../http/hide-secrets.ts'
import { noTokens } from '../http/no-tokens.ts'
import { Renderer } from '../http/renderer.ts'
import type { RowWatch } from '../http/row-watch.ts'
import { requesters } from '../http/requesters.ts'
import { RequestGuard } from '../http/request-guard.ts'
import { addSite } from '../http/site.ts'
import type { Site } from '../http/site.ts'
import { SaidWarnings } from '../http/said-warnings.ts'
import type { WarningLines } from '../http/limited-warnings.ts'
import { NewSecrets } from './new-secrets.ts'
import { addNotBuiltRoutes } from './not-built.ts'
import { LineStreams } from '../http/line-streams.ts'
import { TokenStreams } from './streams/token-streams.ts'
import { Streams } from './streams/streams.ts'

/** The API as a server that is not listening yet. */
export type HttpApi = FastifyInstance

export interface HttpApiOptions {
  /** Largest request body. Default 1 MiB. */
  readonly bodyBytesMax?: number
  /** How long a read that needs a leader waits for one. Default 7 s, as Consul's rpc_hold_timeout. */
  readonly leaderWaitMs?: number
  /** What requests that are under way have at a stop. Default 3 s. */
  readonly stopGraceMs?: number
  readonly clock?: Pick<Clock, 'monotonicMs'>
  readonly random?: Random
  /** Names that it answers under, beside IP addresses and `localhost`. Default none. */
  readonly allowedHosts?: readonly string[]
  /** How often a stream of events says that it lives. Default 15 s. */
  readonly heartbeatMs?: number
  /** The endpoints that it serves. Default: those of all families. */
  readonly endpoints?: readonly ApiEndpoint[]
  /** Whose secrets requests bear. Default: access control is off, everybody is anonymous and may do everything. */
  readonly tokens?: Tokens
  /** Why tokens may do something. Default: there are no tokens. */
  readonly explanations?: Explanations
  /** Default: they cannot be set. */
  readonly agentTokens?: AgentTokens
  /** Default: no bootstrap can be allowed again. */
  readonly bootstrapReset?: BootstrapReset
  /** The time of day, for tokens that expire. Default: that of this machine. */
  readonly wallMs?: () => number
  /** Where denied requests and operations are recorded. Default: nowhere. */
  readonly audit?: Audit | undefined
  /** How many requests one client may send. Default: without a limit. */
  readonly limits?: RequestLimits
  /** The DNS server of this agent. Default: DNS is off. */
  readonly dns?: LocalDns | undefined
  /** The files of the web UI. Default: it is not served. */
  readonly site?: (() => Promise<Site>) | undefined
  /** Where warnings about registrations and denied ones go. Default: the logger, without a bound. */
  readonly warningLines?: WarningLines
}

/** What Node takes only when a server is made; the same at every address. */
export const httpServerOptions = {
  maxHeaderSize: 256 * 1024,
  // How exactly time-outs are kept. Only connections that are sending a request are looked at.
  connectionsCheckingInterval: 1000,
} as const

/**
 * Builds the HTTP API, Consul's `/v1`, over a node. It does not listen: the caller does, and calls
 * `close()` to stop. Reads that wait for a change are then answered with the present state.
 */
export function createHttpApi(
  backend: Backend,
  logger: Logger,
  options: HttpApiOptions = {},
): FastifyInstance {
  const said = { logger, tokens: options.tokens ?? noTokens }
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    schemaController: noCompilers,
    requestTimeout: 60_000,
    http: httpServerOptions,
    clientErrorHandler: (error, socket) =>
      answerClientError(error, socket, httpServerOptions.maxHeaderSize),
    // Arguments are cut out of the raw path, however long they are.
    routerOptions: { maxParamLength: 64 * 1024 },
    rewriteUrl: originForm,
    frameworkErrors: (error, request, reply) => sendError(said, error, request, reply),
  })
  const { endpoints = allEndpoints } = options
  const waits = new Waits()
  const clock = options.clock ?? { monotonicMs: () => performance.now() }
  const limits = new LimitWatch(options.limits ?? { waitingMax: 0 }, clock)
  const streams = new Streams({ clock, logger, heartbeatMs: options.heartbeatMs })
  const lines = new LineStreams(options.heartbeatMs)
  const access = accessControl(options)
  const tokenStreams = new TokenStreams(access.tokens)
  const renderer = new Renderer()
  const warningLines = options.warningLines ?? unbounded(logger)
  const denials = new Denials(warningLines)
  const figures = () => [...backend.metrics(), ...renderMetrics(renderer.counts)]
  const context: ApiContext = {
    ...portsIn(backend),
    dns: options.dns,
    waits,
    streams,
    lines,
    said: new SaidWarnings(warningLines),
    denials,
    longAnswers: limits,
    measured: measure({ app, figures, open: openExposition, history: backend.history }),
    document: documentOnce(endpoints),
    isStopping: () => waits.stopped,
    renderer,
    ...access,
    ...requesters(access.tokens, backend),
    tokenStreams,
    clock,
    random: options.random ?? Math.random,
    leaderWaitMs: options.leaderWaitMs ?? 7000,
  }
  addRequestFields(app)
  takeBodies(app, options.bodyBytesMax ?? 1024 * 1024)
  addGuard(app, new RequestGuard(options.allowedHosts ?? []))
  addHooks(app, argumentPrefixes(app), access.tokens)
  logRequests(app, said)
  endWithClose(app, [waits, streams, lines, tokenStreams], options.stopGraceMs)
  app.setErrorHandler(errorHandler(said, limits, denials))
  app.setNotFoundHandler(() => {
    throw svcdError('unknown-path', {})
  })
  // A plugin, so that hooks which are added to `app` after this see the routes.
  app.register((scope, _options, done) => {
    addEndpoints(scope, context, endpoints, watchesOf(options, limits))
    addNotBuiltRoutes(scope, urlsOf(endpoints), logger, context.tokens)
    if (options.site !== undefined) addSite(scope, options.site)
    done()
  })
  return app
}

/** The ports one by one. */
function portsIn(backend: Backend) {
  const { identity, agent, sessions, history } = backend
  return {
    identity,
    agent,
    sessions,
    history,
    catalog: backend.of(catalogFamily),
    families: backend,
    writes: backend,
    freshness: backend,
    cluster: backend,
    snapshots: backend,
    files: backend,
    facts: backend,
    log: backend,
  }
}

/** The parts that the endpoints of tokens need. */
function accessControl({
  tokens = noTokens,
  explanations = noTokens,
  agentTokens = { setToken: () => {} },
  bootstrapReset = { index: () => 0, remove: () => {} },
  wallMs = Date.now,
}: HttpApiOptions) {
  return {
    tokens,
    explanations,
    agentTokens,
    bootstrapReset,
    newSecrets: new NewSecrets(wallMs),
    wallMs,
  }
}

const systemClock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }

/** So that all requests are objects of one shape. */
function addRequestFields(app: FastifyInstance): void {
  app.decorateRequest('requester', undefined)
  app.decorateRequest('found')
  app.decorateRequest('isOver', false)
  app.decorateRequest('address')
}

/** Where requests are logged, and whose secrets are left out. */
interface SaidParts {
  readonly logger: Logger
  readonly tokens: Tokens
}

function errorHandler(said: SaidParts, limits: LimitWatch, denials: Denials) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const isWrongToken = error instanceof SvcdError && error.code === 'acl-not-found'
    denials.see(error, request)
    const tooMany = isWrongToken ? limits.wrongToken(request, reply) : undefined
    sendError(said, tooMany ?? error, request, reply)
  }
}

/** Who looks at the requests of the rows. */
function watchesOf(
  { audit, tokens = noTokens }: HttpApiOptions,
  limits: LimitWatch,
): readonly RowWatch[] {
  const all: RowWatch[] = limits.hasLimits ? [limits] : []
  if (audit !== undefined) all.push(auditWatch(audit, systemClock, tokens))
  return all
}

/** Loads the package at the first scrape. */
async function openExposition(): Promise<Exposition> {
  const { PrometheusText } = await import('./endpoints/observe/prometheus-text.ts')
  return new PrometheusText()
}

/** The first request makes it. */
function documentOnce(endpoints: readonly ApiEndpoint[]): () => Promise<Buffer> {
  let document: Promise<Buffer> | undefined
  return () => (document ??= makeDocument(endpoints))
}

/** Of what is below `/v1`. Loads what only this needs. */
async function makeDocument(endpoints: readonly ApiEndpoint[]): Promise<Buffer> {
  const { openApiDocument } = await import('../http/openapi-document.ts')
  const rows = endpoints.filter(({ path }) => path.startsWith('/v1/'))
  return Buffer.from(JSON.stringify(await openApiDocument(rows)))
}

function unbounded(logger: Logger): WarningLines {
  return {
    write: (_kind, line) => {
      const { fields, message } = line()
      logger.warn(fields, message)
    },
  }
}

/** Before all else: a request that is refused here has done nothing and learns nothing. */
function addGuard(app: FastifyInstance, guard: RequestGuard): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers, method } = request
    done(
      guard.fault({
        method,
        version: request.raw.httpVersion,
        host: headers.host ?? one(headers[':authority']),
        origin: headers.origin,
        fetchSite: one(headers['sec-fetch-site']),
        // Making it costs more than all else here.
        isForPages: () => request.routeOptions.config.isForPages !== false,
      }),
    )
  })
}

function one(field: string | string[] | undefined): string | undefined {
  return Array.isArray(field) ? field.join(', ') : field
}

function addHooks(app: FastifyInstance, prefixes: ReadonlySet<string>, tokens: Tokens): void {
  app.addHook('onRequest', (request, reply, done) => {
    // Clients send none, form-urlencoded or nonsense with JSON in the body; none of it is an error.
    delete request.headers['content-type']
    const isDeny = tokens.isEnabled && tokens.defaultPolicy === 'deny'
    reply.header('X-Consul-Default-ACL-Policy', isDeny ? 'deny' : 'allow')
    // A path with a route is clean up to its argument, and the argument must stay as it is.
    const clean = request.is404 ? cleanPath(request.url, prefixes) : undefined
    if (clean === undefined) done()
    else reply.redirect(clean, 301)
  })
}

/** As Consul's at this level: what `svcd monitor -log-level debug` is mostly asked for. */
function logRequests(app: FastifyInstance, { logger, tokens }: SaidParts): void {
  app.addHook('onResponse', (request, reply, done) => {
    if (logger.isLevelEnabled?.('debug') === true) {
      const { method, url, ip: from } = request
      const latencyMs = Math.round(reply.elapsedTime * 1000) / 1000
      const shown = {
        method,
        url: hideSecretsInUrl(url, tokens),
        from,
        status: reply.statusCode,
        latencyMs,
      }
      logger.debug(shown, 'HTTP request finished')
    }
    done()
  })
}

/**
 * Without `Connection: close` an answer in flight would leave a connection that delays the stop. An
 * answer that is not read would delay it without limit.
 */
function endWithClose(
  app: FastifyInstance,
  waiting: readonly [Waits, ...{ stop(): void }[]],
  stopGraceMs?: number,
): void {
  const end = connectionEndings(app.server, stopGraceMs)
  app.addHook('preClose', (done) => {
    for (const each of waiting) each.stop()
    end()
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (waiting[0].stopped) reply.header('Connection', 'close')
    done(null, payload)
  })
}

/** Every error as its text. An error outside the error table is a defect, and logged in full. */
function sendError(
  { logger, tokens }: SaidParts,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (error instanceof InvariantError) {
    // Out of fastify's reach: a broken invariant ends the process.
    setImmediate(() => {
      throw error
    })
  }
  const shown = asSvcdError(error)
  const { method } = request
  const url = hideSecretsInUrl(request.url, tokens)
  if (shown.code === 'request-aborted') {
    logger.debug(
      { method, url, client: request.ip },
      'a client disconnected before its request was complete',
    )
  }
  if (shown.code === 'internal') {
    logger.error({ method, url, err: error }, 'a request failed unexpectedly')
  }
  reply
    .code(shown.row.http)
    .header('content-type', 'text/plain; charset=utf-8')
    .header('X-Content-Type-Options', 'nosniff')
    .send(shown.message)
}

function asSvcdError(error: unknown): SvcdError {
  if (error instanceof SvcdError) return error
  const { statusCode } = error as { statusCode?: number }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return svcdError('invalid-request', { reason: reasonOf(error) }, error)
  }
  return svcdError('internal', {}, error)
}
