import { createServer } from 'node:net'
import { bindError } from './bind-error.ts'
import { createMutualTlsServer } from './peer-tls.ts'
import type { Server, Socket } from 'node:net'
import type { Bound } from './bind-error.ts'
import type { PeerLimits } from './peer-limits.ts'
import type { PeerTls } from './peer-tls.ts'

export interface ListenOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
}

export interface ListenHandlers {
  readonly onSocket: (socket: Socket) => void
  /** A connection that ended before TLS was through, or an error of the port itself. */
  readonly onError: (address: string, reason: string) => void
}

const servers: Bound = { what: 'Server', portFlag: '-server-port', addressFlag: '-bind' }

/** Opens the port of the servers. Rejects with `port-in-use` or `bind-failed`. */
export async function listenForPeers(
  { address, port }: ListenOptions,
  tls: PeerTls | undefined,
  limits: PeerLimits,
  { onSocket, onError }: ListenHandlers,
): Promise<Server> {
  const server =
    tls === undefined
      ? createServer(onSocket)
      : createMutualTlsServer(tls, limits.handshakeTimeoutMs)
  if (tls !== undefined) {
    server.on('secureConnection', onSocket)
    server.on('tlsClientError', (error: Error, socket: Socket) => {
      onError(remoteAddress(socket), `no TLS connection: ${error.message}`)
    })
  }
  server.maxConnections = limits.inboundMax
  server.on('drop', (from) => {
    const reason = `turned away: ${limits.inboundMax} connections are open`
    onError(`${from?.remoteAddress}:${from?.remotePort}`, reason)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(bindError(servers, address, port, error)))
    server.listen({ host: address, port, exclusive: true }, resolve)
  })
  server.on('error', (error) => onError(`${address}:${port}`, error.message))
  return server
}

export function remoteAddress(socket: Socket): string {
  const host = socket.remoteAddress ?? 'an unknown address'
  return host.includes(':') ? `[${host}]:${socket.remotePort}` : `${host}:${socket.remotePort}`
}
