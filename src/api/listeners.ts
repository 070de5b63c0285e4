import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { httpServerOptions } from './http-api.ts'
import type { HttpApi } from './http-api.ts'
import { connectionEndings } from '../http/connection-endings.ts'
import { bindError, http } from '../net/connections/bind-error.ts'
import type { ConnectionGate } from '../net/connections/gate.ts'
import { RequestTurns } from '../net/connections/request-turns.ts'
import type { BoundAddress } from '../base/host-port.ts'

export interface HttpListenOptions {
  readonly addresses: readonly string[]
  /** 0: any free one. */
  readonly port: number
  readonly gate: ConnectionGate
  /** From a connection's begin to the end of its request's head. */
  readonly headerTimeoutMs: number
  /** A client that takes nothing of its answer for so long is cut off. Default 30 s. */
  readonly stallMs?: number
  /** Shared by all ports of HTTP. Default: of this call. */
  readonly turns?: RequestTurns
}

export const stallMsDefault = 30_000

/** The turns of the clients that `gate` lets in. */
export function turnsFor(gate: ConnectionGate): RequestTurns {
  return new RequestTurns({
    onOverflow: (socket) =>
      gate.cut(socket, 'it sent too many requests without waiting for the answers'),
  })
}

/**
 * Opens the HTTP port on every client address. Rejects with `port-in-use` or `bind-failed`. The
 * first address is fastify's own server, the others hand their requests to the same router; closing
 * the API closes all of them.
 */
export async function listenHttp(
  api: HttpApi,
  options: HttpListenOptions,
): Promise<readonly BoundAddress[]> {
  const { addresses, port, gate, headerTimeoutMs, stallMs = stallMsDefault } = options
  const [first = '127.0.0.1', ...others] = addresses
  const closes: (() => Promise<void>)[] = []
  api.addHook('preClose', async () => {
    await Promise.all(closes.map((close) => close()))
  })
  const { turns = turnsFor(gate) } = options
  const limits = { headerTimeoutMs, stallMs, turns }
  guard(api.server, gate, limits)
  await orBindError(first, port, () => api.listen({ host: first, port }))
  const endpoints: BoundAddress[] = [{ address: first, port: portOf(api.server) }]
  for (const address of others) {
    const server = likeFastifys(api)
    // With port 0 the first address chose the port for all.
    const same = port === 0 ? portOf(api.server) : port
    const end = connectionEndings(server)
    guard(server, gate, limits)
    await orBindError(address, same, () => listening(server, address, same))
    closes.push(() => closed(server, end))
    endpoints.push({ address, port: same })
  }
  return endpoints
}

/** The same to its clients as the server of the first address. */
function likeFastifys(api: HttpApi): Server {
  return withClientErrors(
    api,
    createServer(serverOptionsOf(api), (request, response) => api.routing(request, response)),
  )
}

/** What fastify's own server has, too. */
export function serverOptionsOf(api: HttpApi) {
  const { requestTimeout, keepAliveTimeout } = api.server
  return { ...httpServerOptions, requestTimeout, keepAliveTimeout }
}

/** Unreadable requests are answered as fastify's own server does it. */
export function withClientErrors<S extends Server>(api: HttpApi, server: S): S {
  for (const listener of api.server.listeners('clientError')) {
    server.on('clientError', (...values: unknown[]) => listener.call(server, ...values))
  }
  return server
}

export interface ServerLimits {
  readonly headerTimeoutMs: number
  readonly stallMs: number
  readonly turns: RequestTurns
  readonly isTls?: boolean
}

/** Lets in what `gate` allows, also over TLS. A connection is idle except from the head of a request to its answer. */
export function guard(server: Server, gate: ConnectionGate, limits: ServerLimits): void {
  const { headerTimeoutMs, stallMs, turns, isTls } = limits
  turns.order(server)
  gate.guard(server, { isTls: isTls === true })
  server.headersTimeout = headerTimeoutMs
  // Node's timeout for a connection without traffic in either direction. A request is under way: an
  // answer that waits for a change may take its time, an answer that is there and is not read may
  // not. A slow reader still reads something. (Between requests Node closes by its
  // keepAliveTimeout.)
  server.timeout = Math.max(stallMs, headerTimeoutMs + 1000)
  // One function for all: ten thousand answers may be waited for.
  function answered(this: ServerResponse): void {
    gate.slotOf(this.req.socket)?.leave()
  }
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const slot = gate.slotOf(request.socket)
    if (slot === undefined) return
    slot.enter()
    response.on('close', answered)
  })
  server.on('timeout', (socket: Socket) => {
    const isUnread = socket.writableLength > 0
    if (!isUnread && gate.slotOf(socket)?.isBusy === true) return
    if (isUnread) gate.timedOut++
    socket.destroy()
  })
  server.on('clientError', (error: NodeJS.ErrnoException, _socket: Socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') gate.timedOut++
  })
}

export function portOf(server: Server): number {
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

export function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

export function closed(server: Server, end: () => void): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    end()
  })
}

export async function orBindError(
  address: string,
  port: number,
  listen: () => Promise<unknown>,
  bound = http,
): Promise<void> {
  try {
    await listen()
  } catch (error) {
    throw bindError(bound, address, port, error)
  }
}
