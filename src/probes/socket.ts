import { hostPort } from '../base/host-port.ts'
import dgram from 'node:dgram'
import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'
import tls from 'node:tls'
import { failedProbe, passing, runProbe } from './result.ts'
import type { ProbeCredentials, ProbeResult } from './result.ts'

export interface UdpProbeRequest {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
}

export interface TcpProbeRequest extends UdpProbeRequest {
  readonly useTls: boolean
  readonly tlsSkipVerify: boolean
  /** '' = the host. */
  readonly tlsServerName: string
}

/** Connects, with TLS up to the end of the handshake: that it can is passing. Never rejects. */
export function probeTcp(
  request: TcpProbeRequest,
  signal?: AbortSignal,
  credentials: ProbeCredentials = {},
): Promise<ProbeResult> {
  const { host, port, timeoutMs, useTls } = request
  const target = `TCP connect ${hostPort(host, port)}`
  return runProbe({ target, timeoutMs, signal }, (end) => {
    const socket: Socket = useTls
      ? tls.connect({ host, port, ...tlsOptionsOf(request, credentials) })
      : connect({ host, port })
    socket.on(useTls ? 'secureConnect' : 'connect', () => end(passing(`${target}: Success`)))
    socket.on('error', (error) => end(failedProbe(target, error)))
    return () => socket.destroy()
  })
}

/** The options of one TLS connection that is made for a probe. */
export function tlsOptionsOf(
  { host, tlsSkipVerify, tlsServerName }: Omit<TcpProbeRequest, 'useTls'>,
  credentials: ProbeCredentials,
): tls.ConnectionOptions {
  return {
    ...credentials,
    rejectUnauthorized: !tlsSkipVerify,
    // RFC 6066 §3 allows no address as a server name; the certificate is checked against it still.
    servername: tlsServerName || (isIP(host) === 0 ? host : ''),
  }
}

/**
 * Sends an empty datagram. A host that reports a closed port (ICMP) is proof of failure; an answer,
 * or silence until the timeout, passes: UDP has nothing better to offer. Never rejects.
 */
export function probeUdp(request: UdpProbeRequest, signal?: AbortSignal): Promise<ProbeResult> {
  const { host, port, timeoutMs } = request
  const target = `UDP ${hostPort(host, port)}`
  const onTimeout = (): ProbeResult => passing(`${target}: not refused`)
  return runProbe({ target, timeoutMs, signal, onTimeout }, (end) => {
    const socket = dgram.createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
    let isClosed = false
    socket.on('error', (error) => end(failedProbe(target, error)))
    socket.on('message', () => end(passing(`${target}: answered`)))
    // Only a connected socket gets ICMP errors.
    socket.connect(port, host, () => {
      if (!isClosed)
        socket.send(Buffer.alloc(0), (error) => error && end(failedProbe(target, error)))
    })
    return () => {
      isClosed = true
      socket.close()
    }
  })
}
