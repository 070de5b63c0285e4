import { createServer } from 'node:net'
import { must } from '../base/assert.ts'
import { bindError } from '../net/connections/bind-error.ts'
import { atFirstByte } from '../net/connections/first-byte.ts'
import { followTls } from '../net/connections/tls-slots.ts'
import { encodeRefusal } from './hello.ts'
import { createMutualTlsServer, showCertificates } from './tls.ts'
import type { Server, Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
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
  /** A connection that ended before the TLS handshake was complete. */
  readonly onError: (address: string, reason: string) => void
}

const servers: Bound = { what: 'Server', portFlag: '-server-port', addressFlag: '-bind' }

/** The open port of the servers. */
export interface PeerPort {
  readonly server: Server
  /** For connections from now on; a port that was opened without TLS stays without it. */
  readonly useTls: (tls: PeerTls) => void
}

/** Opens the port of the servers to the connections that `gate` admits. Rejects with `port-in-use` or `bind-failed`. */
export async function listenForPeers(
  { address, port }: ListenOptions,
  tls: PeerTls | undefined,
  limits: PeerLimits,
  gate: ConnectionGate,
  handlers: ListenHandlers,
): Promise<PeerPort> {
  const plain = (socket: Socket): void => handlers.onSocket(socket, must(gate.slotOf(socket)))
  const encrypted = tls === undefined ? undefined : new TlsDoor(tls, limits, gate, handlers)
  const server = createServer((socket) => {
    if (encrypted === undefined) plain(socket)
    else encrypted.enter(socket, plain)
  })
  gate.guard(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(bindError(servers, address, port, error)))
    server.listen({ host: address, port, exclusive: true }, resolve)
  })
  return { server, useTls: (next) => encrypted?.use(next) }
}

/** Takes connections with TLS, and while TLS is being introduced also those without it. */
class TlsDoor {
  readonly #server: TlsServer
  readonly #limits: PeerLimits
  readonly #gate: ConnectionGate
  readonly #onError: ListenHandlers['onError']
  #tls: PeerTls

  constructor(
    tls: PeerTls,
    limits: PeerLimits,
    gate: ConnectionGate,
    { onSocket, onError }: ListenHandlers,
  ) {
    this.#tls = tls
    this.#limits = limits
    this.#gate = gate
    this.#onError = onError
    // It does not listen: connections are handed to it.
    this.#server = createMutualTlsServer(tls, limits.handshakeTimeoutMs)
    followTls(this.#server, gate)
    this.#server.on('secureConnection', (socket) => {
      const slot = gate.slotOf(socket)
      if (slot !== undefined) onSocket(socket, slot)
    })
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      // After all other errors Node closes the connection itself.
      if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
        gate.timedOut++
        socket.destroy()
      }
      onError(remoteAddress(socket), `no TLS connection: ${reasonOf(error)}`)
    })
  }

  use(tls: PeerTls): void {
    showCertificates(this.#server, tls)
    this.#tls = tls
  }

  enter(socket: Socket, plain: (socket: Socket) => void): void {
    atFirstByte(socket, {
      timeoutMs: this.#limits.handshakeTimeoutMs,
      onTls: () => this.#server.emit('connection', socket),
      onOther: () => {
        if (this.#tls.isPermissive === true) {
          plain(socket)
          socket.resume()
        } else this.#refuse(socket)
      },
      onLate: () => {
        this.#gate.timedOut++
        const text = `no TLS connection: nothing arrived within ${this.#limits.handshakeTimeoutMs} ms`
        this.#onError(remoteAddress(socket), text)
        socket.destroy()
      },
    })
  }

  #refuse(socket: Socket): void {
    this.#onError(remoteAddress(socket), 'no TLS connection: the other side does not speak TLS')
    socket.on('error', () => {})
    socket.end(encodeRefusal({ code: 'tls', text: tlsRequired }))
    socket.resume()
    setTimeout(() => socket.destroy(), lingerMs).unref()
  }
}

const tlsRequired =
  'this server requires TLS between servers: set -peer-cert-file, -peer-key-file and -peer-ca-file there, too'
/** For the other side to read the reason. */
const lingerMs = 500

export function remoteAddress(socket: Socket): string {
  const host = socket.remoteAddress ?? 'an unknown address'
  return hostPort(host, socket.remotePort ?? 0)
}
