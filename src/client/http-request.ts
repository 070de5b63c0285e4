import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { RequestOptions as HttpsOptions } from 'node:https'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { HttpAnswer } from './http-answer.ts'

// Node's fetch takes longer to load than all the rest of a short command. From Node 22 on `import` of node:http
// loads it, too, because that reads each of the module's exports, and WebSocket is one.
const { request: overHttp } = createRequire(import.meta.url)(
  'node:http',
) as typeof import('node:http')

/** Certificates of a connection over HTTPS, as PEM texts. */
export interface ClientTls {
  /** Authorities that are trusted instead of the system's. */
  readonly ca?: string | undefined
  /** Shown to the agent. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name that the agent's certificate must have. Default: the host of the URL. */
  readonly serverName?: string | undefined
  /** Any certificate is accepted. */
  readonly isUnverified?: boolean | undefined
}

export interface HttpRequest {
  /** Default GET. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** For HTTPS. Default: the system's authorities, and no own certificate. */
  readonly tls?: ClientTls | undefined
  /** Ends the request, and the reading of its answer. */
  readonly signal?: AbortSignal | undefined
  /** `manual`: an answer that leads elsewhere is the answer. Default: it is followed. */
  readonly redirect?: 'manual'
}

/** Waiting longer than the system's first retries does not help. */
const connectMsMax = 10_000
/** No data in either direction. */
const silenceMsMax = 300_000
/** As browsers have it (WHATWG Fetch, HTTP-redirect fetch). */
const redirectsMax = 20
const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308]

/**
 * Sends one request over HTTP or HTTPS, on a connection that is kept for the next one. Resolves
 * when the head of the answer is there, whatever its status; the caller then reads the body.
 * Rejects with the error of the system (`ECONNREFUSED`, `ECONNRESET`, …), of Node's parser
 * (`HPE_…`) or of TLS, or with the reason of the signal.
 */
export async function httpRequest(url: string, request: HttpRequest = {}): Promise<HttpAnswer> {
  let place = new URL(url)
  let next = request
  for (let count = 0; ; count++) {
    const message = await exchange(place, next)
    const { statusCode: status = 0, headers } = message
    const { location } = headers
    const isFinal = request.redirect === 'manual' || !redirectStatuses.includes(status)
    if (isFinal || location === undefined) return new HttpAnswer(message)
    // Its body says what the head says.
    message.resume()
    if (count === redirectsMax) throw new Error(`it redirects more than ${redirectsMax} times`)
    const before = place
    place = new URL(location, before)
    // The request would be readable on its way, and a token in it.
    if (before.protocol === 'https:' && place.protocol === 'http:') {
      throw new Error(
        `it redirects to ${place.href}, without TLS; use that address if you trust it`,
      )
    }
    // RFC 9110 §15.4.4; the methods here are PUT, GET and DELETE, which the others keep.
    if (status === 303) next = { ...next, method: 'GET', body: undefined }
    else if (isStreamed(next)) throw new Error(`it redirects to ${place.href}; use that address`)
  }
}

async function exchange(url: URL, request: HttpRequest): Promise<IncomingMessage> {
  request.signal?.throwIfAborted()
  const open = await openerOf(url)
  try {
    return await exchangeOnce((options) => open(url, options), request)
  } catch (error) {
    if (!(error instanceof StaleConnection)) throw error
    return exchangeOnce((options) => open(url, { ...options, agent: false }), request)
  }
}

async function openerOf({ protocol, href }: URL): Promise<typeof overHttp> {
  if (protocol === 'http:') return overHttp
  if (protocol !== 'https:') throw new Error(`${href} is not an http:// or https:// URL`)
  // It loads all of TLS.
  return (await import('node:https')).request
}

/** A kept connection was closed before an answer came: the server had given it up, most likely. */
class StaleConnection extends Error {}

function exchangeOnce(
  open: (options: RequestOptions) => ClientRequest,
  request: HttpRequest,
): Promise<IncomingMessage> {
  const { method = 'GET', signal, body, tls } = request
  const headers = { Accept: '*/*', 'Accept-Encoding': 'gzip', ...request.headers }
  return new Promise((resolve, reject) => {
    const outgoing = open({ method, headers, timeout: silenceMsMax, ...tlsOptions(tls) })
    let incoming: IncomingMessage | undefined
    const end = (error: Error): void => {
      reject(error)
      ;(incoming ?? outgoing).destroy(error)
    }
    const abort = (): void => end(signal?.reason as Error)
    signal?.addEventListener('abort', abort)
    outgoing.on('close', () => signal?.removeEventListener('abort', abort))
    outgoing.on('error', (error) => reject(isStale(outgoing, request, error) ?? error))
    outgoing.on('timeout', () => end(new Error(`no data for ${silenceMsMax / 1000} s`)))
    limitConnecting(outgoing, end)
    outgoing.on('response', (message) => {
      incoming = message
      // Its reader learns of it; for all others the end is an ordinary end.
      message.on('error', () => {})
      // Who answers before it has read everything will not read the rest.
      message.on('end', () => void (outgoing.writableFinished || outgoing.destroy()))
      resolve(message)
    })
    if (!isStreamBody(body)) return void outgoing.end(body)
    const source = Readable.from(body)
    // Before pipeline sees it: pipeline reports only that the connection is closed.
    source.on('error', (error) => void (incoming === undefined && end(error)))
    return void pipeline(source, outgoing, () => {})
  })
}

function tlsOptions(tls: ClientTls | undefined): HttpsOptions {
  if (tls === undefined) return {}
  const { ca, cert, key, serverName, isUnverified } = tls
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(isUnverified === true ? { rejectUnauthorized: false } : {}),
  }
}

/** RFC 9110 §9.2.2: all methods here are idempotent, so a client may repeat them by itself. */
function isStale(
  outgoing: ClientRequest,
  request: HttpRequest,
  { code = '' }: NodeJS.ErrnoException,
): StaleConnection | undefined {
  const isClosed = code === 'ECONNRESET' || code === 'EPIPE'
  return outgoing.reusedSocket && isClosed && !isStreamed(request)
    ? new StaleConnection()
    : undefined
}

function isStreamed({ body }: HttpRequest): boolean {
  return isStreamBody(body)
}

/** A body that can be sent only once. */
export function isStreamBody(body: HttpRequest['body']): body is AsyncIterable<Uint8Array> {
  return body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)
}

function limitConnecting(outgoing: ClientRequest, end: (error: Error) => void): void {
  outgoing.on('socket', (socket: Socket) => {
    if (!socket.connecting) return
    const late = (): void => end(new Error(`no connection within ${connectMsMax / 1000} s`))
    const timer = setTimeout(late, connectMsMax)
    const isOpen = (): void => clearTimeout(timer)
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', isOpen)
    outgoing.once('close', isOpen)
  })
}
