import { createServer } from 'node:net'
import { must } from '../base/assert.ts'
import { bindError } from '../net/connections/bind-error.ts'
import { createMutualTlsServer } from './tls.ts'
import type { Server, Socket } from 'node:net'
import type { Bound } from '../net/connections/bind-error.ts'
import type { Slot } from '../net/connections/budget.ts'
import type { ConnectionGate } from '../net/connections/gate.ts'
import type { PeerLimits } from './limits.ts'
import type { PeerTls } from './tls.ts'
import { reasonOf } from '../base/errors.ts'
import { hostPort } from '../base/host-port.ts'

export interface ListenOptions {
  readonly address: string
  /** 0: any free one. */
  readonly port: number
}

export interface ListenHandlers {
  /** `slot` is the place of the connection; it is idle. */
  readonly onSocket: (socket: Socket, slot: Slot) => void
  /** A connection that ended before TLS was through. */
  readonly onError: (address: string, reason: string) => void
}

const servers: Bound = { what: 'Server', portFlag: '-server-port', addressFlag: '-bind' }

/** Opens the port of the servers to whom `gate` lets in. Rejects with `port-in-use` or `bind-failed`. */
export async function listenForPeers(
  { address, port }: ListenOptions,
  tls: PeerTls | undefined,
  limits: PeerLimits,
  gate: ConnectionGate,
  handlers: ListenHandlers,
): Promise<Server> {
  const server =
    tls === undefined ? plainServer(gate, handlers) : tlsServer(tls, limits, gate, handlers)
  gate.guard(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(bindError(servers, address, port, error)))
    server.listen({ host: address, port, exclusive: true }, resolve)
  })
  return server
}

function plainServer(gate: ConnectionGate, { onSocket }: ListenHandlers): Server {
  return createServer((socket) => onSocket(socket, must(gate.slotOf(socket))))
}

function tlsServer(
  tls: PeerTls,
  limits: PeerLimits,
  gate: ConnectionGate,
  { onSocket, onError }: ListenHandlers,
): Server {
  const server = createMutualTlsServer(tls, limits.handshakeTimeoutMs)
  // What TLS hands over is another socket than the one that was let in, with the same far end.
  const slots = new Map<string, Slot>()
  server.on('connection', (socket: Socket) => {
    const from = remoteAddress(socket)
    slots.set(from, must(gate.slotOf(socket)))
    socket.on('close', () => slots.delete(from))
  })
  server.on('secureConnection', (socket) => {
    const slot = slots.get(remoteAddress(socket))
    if (slot === undefined) socket.destroy()
    else onSocket(socket, slot)
  })
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') gate.timedOut++
    onError(remoteAddress(socket), `no TLS connection: ${reasonOf(error)}`)
  })
  return server
}

export function remoteAddress(socket: Socket): string {
  const host = socket.remoteAddress ?? 'an unknown address'
  return hostPort(host, socket.remotePort ?? 0)
}
