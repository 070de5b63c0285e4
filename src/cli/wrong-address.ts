import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { causeOf } from '../api/client-failure.ts'
import { httpRequest } from '../api/http-request.ts'
import { svcdError, type SvcdError } from '../base/errors.ts'

/** A server that is there answers a probe in this time. */
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
 * What is at an address where no agent answers: a DNS server, a server that speaks HTTPS where HTTP was
 * asked or the reverse, or something that is silent. `failure` is why a request failed; undefined while it
 * waits for its answer. Resolves with undefined when an agent answers, or nothing more is known. Takes 5 s
 * at most, and less than 1 s where something answers in its own language.
 */
export async function wrongAddress(
  address: string,
  failure: Error | undefined,
): Promise<SvcdError | undefined> {
  const { code } = (failure === undefined ? {} : causeOf(failure)) as { readonly code?: string }
  if (code !== undefined && hopeless.includes(code)) return undefined
  const place = placeOf(address)
  // What is still waited for at the end would keep the process alive.
  const done = new AbortController()
  try {
    // Begun at once: an agent that is only slow has all the time.
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

/** Nothing comes: is anybody there at all? */
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
  const otherAnswers = isTls ? answersHttp(other, probeMs) : answersTls(host, port)
  if (await answersDns(host, port)) {
    return svcdError('agent-is-dns', { address, host: host.includes(':') ? `[${host}]` : host })
  }
  if (!(await otherAnswers)) return undefined
  return svcdError(isTls ? 'agent-is-http' : 'agent-is-https', { address })
}

/** Node's HTTP client met a server that closes, or says something else than HTTP: not an agent that ended. */
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

/** Whether anybody answers HTTP at a URL, whatever the answer is. */
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
  // It brings a DNS library along, which only whoever gets here needs.
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
    // A server that asks for a certificate has spoken TLS, too.
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
