import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { formatDuration } from '../base/duration.ts'
import { reasonOf } from '../base/errors.ts'
import { isConnectionField } from '../base/http-field.ts'
import { clipOutput } from '../health/check.ts'
import { critical, failedProbe } from './result.ts'
import type { ProbeCredentials, ProbeResult } from './result.ts'

export interface HttpProbeRequest {
  readonly url: string
  readonly method: string
  /** A Host header among them replaces the URL's. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
  /** Over everything: name look-up, connection, TLS, redirects, headers and body. */
  readonly timeoutMs: number
  readonly tlsSkipVerify: boolean
  /** '' = the URL's host. */
  readonly tlsServerName: string
  readonly followRedirects: boolean
}

const bodyBytesMax = 4096
const redirectsMax = 10
const userAgent = 'svcd Health Check'

// A kept-alive connection would continue to answer for a server whose listener is dead. A resumed
// TLS session would continue to trust a certificate that is no longer served.
const plainAgent = new http.Agent({ keepAlive: false })
const tlsAgent = new https.Agent({ keepAlive: false, maxCachedSessions: 0 })

interface Hop {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
}

/**
 * Probes a service once, over a connection of its own: 2xx is passing, 429 warning, all else
 * critical. A body that does not end in time is cut, and the status code stands (as in Consul).
 * Never rejects. An aborted `signal` ends it with evidence 'none'.
 */
export function probeHttp(
  request: HttpProbeRequest,
  signal?: AbortSignal,
  credentials: ProbeCredentials = {},
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    new Probe({ request, credentials, resolve, signal }).start()
  })
}

interface ProbeParts {
  readonly request: HttpProbeRequest
  readonly credentials: ProbeCredentials
  readonly resolve: (result: ProbeResult) => void
  readonly signal: AbortSignal | undefined
}

class Probe {
  readonly #request: HttpProbeRequest
  readonly #parts: ProbeParts
  readonly #onAbort = (): void => this.#fail('the probe was stopped', 'none')
  #timer: NodeJS.Timeout | undefined
  #current: http.ClientRequest | undefined
  #answer: http.IncomingMessage | undefined
  #chunks: Buffer[] = []
  #redirects = 0
  #ended = false

  constructor(parts: ProbeParts) {
    this.#parts = parts
    this.#request = parts.request
  }

  start(): void {
    const { url, method, headers, body, timeoutMs } = this.#request
    const { signal } = this.#parts
    if (signal?.aborted === true) return this.#onAbort()
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#timer = setTimeout(() => this.#onTimeout(), timeoutMs)
    const parsed = parseUrl(url)
    if (parsed === undefined)
      return this.#fail('the URL must begin with http:// or https://', 'proof')
    this.#send({ url: parsed, method: method === '' ? 'GET' : method, headers, body })
  }

  #send(hop: Hop): void {
    try {
      const request = (hop.url.protocol === 'https:' ? https : http).request(
        this.#optionsOf(hop),
        (answer) => this.#onAnswer(hop, answer),
      )
      this.#current = request
      request.on('error', (error) => {
        // An attempt that a redirect replaced has no result any more.
        if (this.#current === request) this.#onError(error)
      })
      request.on('upgrade', (answer, socket) => {
        socket.destroy()
        this.#answer = answer
        this.#endAnswered()
      })
      request.end(hop.body)
    } catch (error) {
      // A method or header that HTTP cannot carry: the definition is wrong, and it stays critical.
      this.#fail(reasonOf(error), 'proof')
    }
  }

  #optionsOf({ url, method, headers, body }: Hop): https.RequestOptions {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const sent: http.OutgoingHttpHeaders = {
      'User-Agent': userAgent,
      Accept: 'text/plain, text/*, */*',
    }
    for (const [name, values] of Object.entries(headers)) {
      if (!isOwnField(name)) setHeader(sent, name, values)
    }
    if (body !== '') setHeader(sent, 'Content-Length', [String(Buffer.byteLength(body))])
    const options: https.RequestOptions = {
      host,
      port: url.port,
      path: url.pathname + url.search,
      method,
      headers: sent,
      agent: plainAgent,
    }
    if (url.username !== '' || url.password !== '') {
      options.auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
    }
    if (url.protocol !== 'https:') return options
    return {
      ...options,
      ...this.#parts.credentials,
      agent: tlsAgent,
      rejectUnauthorized: !this.#request.tlsSkipVerify,
      // RFC 6066 §3 allows no address as a server name; the certificate is checked against it still.
      servername: this.#request.tlsServerName || (isIP(host) === 0 ? host : ''),
    }
  }

  #onAnswer(hop: Hop, answer: http.IncomingMessage): void {
    if (this.#ended) return void answer.destroy()
    const onward = this.#request.followRedirects ? redirected(hop, answer) : undefined
    if (onward !== undefined) {
      answer.destroy()
      this.#redirects++
      if (this.#redirects <= redirectsMax) return this.#send(onward)
      return this.#fail(`stopped after ${redirectsMax} redirects`, 'proof')
    }
    this.#answer = answer
    let size = 0
    answer.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      size += chunk.length
      if (size >= bodyBytesMax) this.#endAnswered()
    })
    answer.on('end', () => this.#endAnswered())
    // Cut off in the middle of the body: the status code has been heard.
    answer.on('error', () => this.#endAnswered())
    answer.on('close', () => this.#endAnswered())
  }

  #onTimeout(): void {
    if (this.#answer !== undefined) return this.#endAnswered()
    this.#fail(`no answer within ${formatDuration(this.#request.timeoutMs)}`, 'absence')
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#answer !== undefined) return this.#endAnswered()
    this.#end(failedProbe(this.#target(), error))
  }

  #endAnswered(): void {
    const answer = this.#answer
    if (answer === undefined) return
    const code = answer.statusCode ?? 0
    const status = code >= 200 && code <= 299 ? 'passing' : code === 429 ? 'warning' : 'critical'
    const body = Buffer.concat(this.#chunks).subarray(0, bodyBytesMax).toString('utf8')
    const line = `${code} ${answer.statusMessage ?? ''}`.trimEnd()
    const output = clipOutput(`${this.#target()}: ${line} Output: ${body}`)
    this.#end({ status, output, evidence: 'proof' })
  }

  #fail(reason: string, evidence: ProbeResult['evidence']): void {
    this.#end(critical(`${this.#target()}: ${reason}`, evidence))
  }

  #target(): string {
    return `HTTP ${this.#request.method || 'GET'} ${withoutPassword(this.#request.url)}`
  }

  #end(result: ProbeResult): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    this.#parts.signal?.removeEventListener('abort', this.#onAbort)
    this.#answer?.destroy()
    this.#current?.destroy()
    this.#chunks = []
    this.#parts.resolve(result)
  }
}

/** Where an answer sends on to, by the rules of browsers and of Go; undefined: it is the answer. */
function redirected(hop: Hop, answer: http.IncomingMessage): Hop | undefined {
  const code = answer.statusCode ?? 0
  const location = answer.headers.location
  if (![301, 302, 303, 307, 308].includes(code) || location === undefined) return undefined
  const url = parseUrl(location, hop.url)
  if (url === undefined) return undefined
  // RFC 9110 §15.4: 303 asks for a GET, 301 and 302 get one in place of a POST.
  const asGet =
    hop.method !== 'HEAD' &&
    (code === 303 || (code !== 307 && code !== 308 && hop.method === 'POST'))
  const headers = url.origin === hop.url.origin ? hop.headers : withoutSecrets(hop.headers)
  return { url, method: asGet ? 'GET' : hop.method, headers, body: asGet ? '' : hop.body }
}

/** What the probe says itself, also where an older release let a definition say it. */
function isOwnField(name: string): boolean {
  return isConnectionField(name) || name.toLowerCase() === 'content-length'
}

/** Credentials for one host must not be sent to another. */
function withoutSecrets(headers: Hop['headers']): Hop['headers'] {
  const secret = ['authorization', 'cookie', 'proxy-authorization', 'host']
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !secret.includes(name.toLowerCase())),
  )
}

function setHeader(
  headers: http.OutgoingHttpHeaders,
  name: string,
  values: readonly string[],
): void {
  for (const known of Object.keys(headers)) {
    if (known.toLowerCase() === name.toLowerCase()) delete headers[known]
  }
  const isOne = values.length === 1 || name.toLowerCase() === 'host'
  headers[name] = isOne ? (values[0] ?? '') : [...values]
}

function parseUrl(text: string, base?: URL): URL | undefined {
  if (!URL.canParse(text, base?.href)) return undefined
  const url = new URL(text, base)
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/?#]*@/, '//')
}
