import { isLoopback, plainAddress } from './client-address.ts'
import type { Server, Socket } from 'node:net'
import type { Client, PortBudget, PortFigures, Refusal, Slot } from './budget.ts'
import type { PeerNotices } from '../../process/peer-notices.ts'
import { reasonOf } from '../../base/errors.ts'

export interface GateOptions {
  /** In lines of the log: `HTTP`. */
  readonly what: string
  readonly budget: PortBudget
  readonly notices: PeerNotices
  /** Tells a client why, and closes; without it the connection is closed. */
  readonly refuse?: (socket: Socket, refusal: Refusal) => void
}

export interface GateFigures extends PortFigures {
  /** Connections that took too long to send what they had to. */
  readonly timedOut: number
  /** Connections that the system did not hand over, usually because no descriptor was free. */
  readonly acceptErrors: number
}

/** Decides, by the budget of a port, which connections are let in. One gate may guard several servers. */
export class ConnectionGate {
  /** Counted by the caller that closes them. */
  timedOut = 0
  readonly #options: GateOptions
  readonly #slots = new WeakMap<Socket, Slot>()
  #acceptErrors = 0

  constructor(options: GateOptions) {
    this.#options = options
  }

  get figures(): GateFigures {
    const { timedOut } = this
    return { ...this.#options.budget.figures, timedOut, acceptErrors: this.#acceptErrors }
  }

  /**
   * From now on the listeners that `server` has for connections hear only of those that are let in.
   * Of one that is refused nothing is read, and no parser or TLS is set up. With `isTls` a refused one
   * is closed without words: the client could not read them.
   */
  guard(server: Server, { isTls = false }: { readonly isTls?: boolean } = {}): void {
    const listeners = server.listeners('connection')
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      if (!this.#admit(socket, isTls)) return
      for (const listener of listeners) listener.call(server, socket)
    })
    // Without a listener an accept that fails would end the process. The system says so again for each
    // connection that waits, and libuv closes those: there is nothing to do but to count them.
    server.on('error', (error) => {
      // One before is of opening the port, and somebody else's.
      if (!server.listening) return
      this.#acceptErrors++
      const text = `cannot accept a connection to ${this.#options.what}: ${reasonOf(error)}`
      this.#options.notices.warn('', this.#options.what, {}, text)
    })
  }

  /** Undefined for a connection that is not of a guarded server. */
  slotOf(socket: Socket): Slot | undefined {
    return this.#slots.get(socket)
  }

  /** `socket` is what TLS made of the one in that place. */
  follow(socket: Socket, slot: Slot): void {
    this.#slots.set(socket, slot)
  }

  /** Closes a connection for what its client does, and says so in the log. */
  cut(socket: Socket, why: string): void {
    const { what, notices } = this.#options
    const address = plainAddress(socket.remoteAddress ?? '')
    socket.destroy()
    const text = `closed the ${what} connection from ${address}: ${why}`
    notices.warn(address, `${what} cut`, { address }, text)
  }

  #admit(socket: Socket, isTls: boolean): boolean {
    const client = clientOf(socket)
    if (client === undefined) {
      // It has gone already.
      socket.destroy()
      return false
    }
    const admitted = this.#options.budget.admit(client, () => socket.destroy())
    if (typeof admitted === 'string') {
      this.#refuse(socket, client, admitted, isTls)
      return false
    }
    const { slot, displaced } = admitted
    this.#slots.set(socket, slot)
    socket.on('close', () => slot.release())
    if (displaced !== undefined) this.#displace(displaced)
    return true
  }

  #displace(slot: Slot): void {
    slot.close()
    const { what, notices } = this.#options
    const { address } = slot.client
    const text = `closed an idle ${what} connection from ${address} to make room for another`
    notices.warn(address, `${what} displaced`, { address }, text)
  }

  #refuse(socket: Socket, { address }: Client, refusal: Refusal, isTls: boolean): void {
    const { what, notices, budget, refuse } = this.#options
    const why =
      refusal === 'address'
        ? 'that address has reached its limit of connections'
        : `all ${budget.figures.open} connections are in use, and none is idle`
    const text = `refused a ${what} connection from ${address}: ${why}`
    notices.warn(address, `${what} refused`, { address }, text)
    if (refuse === undefined || isTls) socket.destroy()
    else refuse(socket, refusal)
  }
}

function clientOf(socket: Socket): Client | undefined {
  const { remoteAddress } = socket
  if (remoteAddress === undefined) return undefined
  const address = plainAddress(remoteAddress)
  // A connection to an address of this machine from the same one comes from this machine.
  return { address, isLocal: isLoopback(address) || remoteAddress === socket.localAddress }
}
