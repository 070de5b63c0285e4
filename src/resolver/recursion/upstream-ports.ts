import { isIP } from 'node:net'
import { isLoopbackIp, parseIp } from '../../base/ip.ts'
import { UpstreamStream } from '../../net/upstream/stream.ts'
import { UdpSockets } from '../../net/upstream/udp-sockets.ts'
import type { UdpSocketsOptions } from '../../net/upstream/udp-sockets.ts'
import type { UpstreamServer } from '../../net/upstream/exchange.ts'
import type { RecursorPorts } from './recursor.ts'

/** The sockets to all upstream servers, on the event loop. */
export function eventLoopPorts(
  servers: readonly UpstreamServer[],
  ca: readonly string[] | undefined,
  onStray: (server: number) => void,
): RecursorPorts {
  const udp = servers.map((server, at) => new UdpSockets(server, () => onStray(at)))
  const streams = servers.map((server) => new UpstreamStream(server, ca))
  return {
    ...portsOf(servers, udp),
    askByStream: (exchange) => streams[exchange.server]?.ask(exchange),
    close: () => {
      for (const port of [...udp, ...streams]) port.close()
    },
  }
}

/** The same without TCP and TLS, on whatever sockets. */
export function udpPorts(
  servers: readonly UpstreamServer[],
  options: UdpSocketsOptions,
  onStray: (server: number) => void,
): RecursorPorts {
  return portsOf(
    servers,
    servers.map((server, at) => new UdpSockets(server, () => onStray(at), options)),
  )
}

function portsOf(servers: readonly UpstreamServer[], udp: readonly UdpSockets[]): RecursorPorts {
  const tls = servers.map((server) => server.tls !== undefined)
  const trusted = servers.map(isTrusted)
  return {
    isTls: (server) => tls[server] ?? false,
    isTrusted: (server) => trusted[server] ?? false,
    askByUdp: (exchange) => udp[exchange.server]?.ask(exchange),
    close: () => {
      for (const port of udp) port.close()
    },
  }
}

function isTrusted({ address, tls }: UpstreamServer): boolean {
  const ip = isIP(address) === 0 ? undefined : parseIp(address)
  return tls !== undefined || (ip !== undefined && isLoopbackIp(ip))
}
