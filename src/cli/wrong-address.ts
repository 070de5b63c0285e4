import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { causeOf, isUntrusted } from '../client/failure.ts'
import { httpRequest } from '../client/http-request.ts'
import { svcdError, type SvcdError } from '../base/errors.ts'

/** A running server answers a probe in this time. */
const probeMs = 800
/** An agent under load may take longer to answer. */
const answerMsMax = 4000

const hopeless = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']

interface Place {
  /** As it was named. */
  readonly address: string
  /** Without brackets. */
  readonly host: string
  readonly port: number
  readonly isTls: boolean
}

/**
 * Finds out what listens at an address where no agent answers: a DNS server, a server with HTTPS instead of
 * HTTP or the reverse, or something that is silent. `failure` is the reason why a request failed; undefined while
 * it waits for an answer. Resolves with undefined if an agent answers, or if nothing more is known. It takes at
 * most 5 s, and less than 1 s if something answers in its own protocol.
 */
export async function wrongAddress(
  address: string,
  failure: Error | undefined,
): Promise<SvcdError | undefined> {
  const { code } = (failure === undefined ? {} : causeOf(failure)) as { readonly code?: string }
  if (code !== undefined && hopeless.includes(code)) return undefined
  // Something speaks TLS there.
  if (failure !== undefined && isUntrusted(failure)) return undefined
  const place = placeOf(address)
  // A request that is still pending at the end would keep the process alive.
  const done = new AbortController()
  try {
    // Started first, so that a slow agent has the whole time to answer.
    const answers =
      failure === undefined ? answersHttp(address, answerMsMax, done.signal) : undefined
    const mixUp = await nameMixUp(place)
    if (mixUp !== undefined) return mixUp
    if (failure !== undefined) return await closedWithoutAnswer(place, code)
    return (await answers) === true ? undefined : await silence(place)
  } finally {
    done.abort()
  }
}

/** No answer: does anything accept connections? */
async function silence(place: Place): Promise<SvcdError> {
  const { address } = place
  if (!(await acceptsTcp(place))) {
    const reason = 'no connection within 4 s: the host is down, or a firewall drops packets'
    return svcdError('agent-unreachable', { address, reason })
  }
  return svcdError('agent-silent', { address, what: portHint(place.port) })
}

function placeOf(address: string): Place {
  const url = new URL(address)
  const isTls = url.protocol === 'https:'
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port)
  return { address, host: url.hostname.replaceAll(/^\[|\]$/g, ''), port, isTls }
}

async function nameMixUp({ address, host, port, isTls }: Place): Promise<SvcdError | undefined> {
  const other = isTls ? `http://${address.replace(/^https:\/\//, '')}` : ''
  const hasTls = answersTls(host, port)
  // An HTTPS port may tell in HTTP what it is.
  const onlyHttp = async (): Promise<boolean> =>
    (await answersHttp(other, probeMs)) && !(await hasTls)
  const otherAnswers = isTls ? onlyHttp() : hasTls
  if (await answersDns(host, port)) {
    return svcdError('agent-is-dns', { address, host: host.includes(':') ? `[${host}]` : host })
  }
  if (!(await otherAnswers)) return undefined
  return svcdError(isTls ? 'agent-is-http' : 'agent-is-https', { address })
}

/** A server closed the connection or answered something other than HTTP, and is not an agent that stopped. */
async function closedWithoutAnswer(place: Place, code = ''): Promise<SvcdError | undefined> {
  const { address, port } = place
  const isForeign = code === 'ECONNRESET' || code.startsWith('HPE_')
  if (!isForeign || !(await acceptsTcp(place))) return undefined
  if (await answersHttp(address, probeMs)) return undefined
  return svcdError('agent-silent', { address, what: portHint(port) })
}

const otherPorts: Readonly<Record<number, string>> = {
  53: 'DNS',
  8300: 'connections between servers',
  8301: "Consul's gossip",
  8302: "Consul's gossip",
  8502: "Consul's gRPC",
  8600: 'DNS',
}

function portHint(port: number): string {
  const use = otherPorts[port]
  return use === undefined ? '' : ` (port ${port} is usually for ${use})`
}

/** Whether something answers HTTP at a URL, with any answer. */
export async function answersHttp(
  base: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const late = AbortSignal.timeout(timeoutMs)
  const either = signal === undefined ? late : AbortSignal.any([late, signal])
  try {
    const url = `${base}/v1/status/leader`
    const answer = await httpRequest(url, { signal: either, redirect: 'manual' })
    answer.discard()
    return true
  } catch {
    return false
  }
}

async function answersDns(host: string, port: number): Promise<boolean> {
  // Loaded only here, because it loads a DNS library.
  const { ask } = await import('../net/dns-client.ts')
  const answers = async (tcp: boolean): Promise<boolean> => {
    const limits = { tcp, timeoutMs: probeMs, attempts: 1 }
    try {
      await ask({ address: host, port }, 'svcd.invalid', 'A', limits)
      return true
    } catch {
      return false
    }
  }
  const overTcp = answers(true)
  return (await answers(false)) || overTcp
}

function answersTls(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, rejectUnauthorized: false })
    const end = (isTls: boolean): void => {
      socket.destroy()
      resolve(isTls)
    }
    socket.setTimeout(probeMs, () => end(false))
    socket.once('secureConnect', () => end(true))
    // A server that requests a certificate speaks TLS, too.
    socket.once('error', ({ code = '' }: NodeJS.ErrnoException) =>
      end(code.startsWith('ERR_SSL_') && !/WRONG_VERSION|HTTP_REQUEST|PACKET_LENGTH/.test(code)),
    )
    socket.once('close', () => end(false))
  })
}

function acceptsTcp({ host, port }: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port })
    const end = (isOpen: boolean): void => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.setTimeout(probeMs, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
