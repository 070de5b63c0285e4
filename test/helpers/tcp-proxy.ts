import { connect, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'

export interface TcpProxyOptions {
  readonly listen: { readonly address: string; readonly port: number }
  readonly target: { readonly address: string; readonly port: number }
  /** Who dials, by the first bytes it sends. */
  readonly dialler: (first: Buffer) => string
  /** Who is dialled. */
  readonly owner: string
  /** Whether bytes pass from one to the other now. */
  readonly passes: (from: string, to: string) => boolean
}

/**
 * A TCP proxy in front of one server, whose links can be cut as networks are: bytes of a cut
 * direction are held, and no end of a connection is told of the other's, until {@link update} finds
 * the link whole again. So a host that falls silent looks as it does from afar.
 */
export class TcpProxy {
  readonly #options: TcpProxyOptions
  readonly #server: Server
  readonly #links = new Set<Link>()
  /** Accepted, and not yet a link: nothing was said. */
  readonly #silent = new Set<Socket>()

  private constructor(options: TcpProxyOptions) {
    this.#options = options
    this.#server = createServer((socket) => this.#accept(socket))
  }

  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(options.listen.port, options.listen.address, resolve)
    })
    return proxy
  }

  /** To be called when what `passes` answers has changed. */
  update(): void {
    for (const link of this.#links) link.update()
  }

  /** Closes what runs between the owner and `peer`, as a firewall that resets does. */
  reset(peer: string): void {
    for (const link of this.#links) if (link.peer === peer) link.reset()
  }

  async stop(): Promise<void> {
    for (const link of this.#links) link.close()
    for (const socket of this.#silent) socket.destroy()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
  }

  #accept(socket: Socket): void {
    this.#silent.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#silent.delete(socket))
    socket.once('data', (first) => {
      this.#silent.delete(socket)
      socket.pause()
      const link = new Link(socket, first, this.#options, () => this.#links.delete(link))
      this.#links.add(link)
    })
  }
}

/** One connection through the proxy. */
class Link {
  readonly peer: string
  readonly #sockets: readonly [Socket, Socket]
  readonly #pipes: readonly [Pipe, Pipe]
  #hasEnded = false

  constructor(dialled: Socket, first: Buffer, options: TcpProxyOptions, onClose: () => void) {
    const { owner, target, passes } = options
    const peer = options.dialler(first)
    this.peer = peer
    const onwards = connect({ host: target.address, port: target.port })
    onwards.on('error', () => {})
    for (const socket of [dialled, onwards]) socket.setNoDelay(true)
    this.#sockets = [dialled, onwards]
    this.#pipes = [
      new Pipe(dialled, onwards, () => passes(peer, owner)),
      new Pipe(onwards, dialled, () => passes(owner, peer)),
    ]
    this.#pipes[0].take(first)
    for (const socket of this.#sockets) {
      socket.once('close', () => {
        this.#hasEnded = true
        this.update()
        if (this.#sockets.every(({ destroyed }) => destroyed)) onClose()
      })
    }
  }

  update(): void {
    for (const pipe of this.#pipes) pipe.update()
    // An end is told only through a whole link, and behind what was on its way.
    if (this.#hasEnded && this.#pipes.every((pipe) => pipe.isOpen())) {
      for (const socket of this.#sockets) socket.destroySoon()
    }
  }

  reset(): void {
    for (const socket of this.#sockets) {
      // libuv never closes a socket that is reset while it is ending; node would wait for it at exit.
      if (socket.writableEnded || socket.connecting) socket.destroy()
      else socket.resetAndDestroy()
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** One direction. */
class Pipe {
  readonly isOpen: () => boolean
  readonly #from: Socket
  readonly #to: Socket
  #held: Buffer[] = []

  constructor(from: Socket, to: Socket, isOpen: () => boolean) {
    this.isOpen = isOpen
    this.#from = from
    this.#to = to
    from.on('data', (chunk: Buffer) => this.take(chunk))
    to.on('drain', () => from.resume())
    from.resume()
  }

  take(chunk: Buffer): void {
    this.#held.push(chunk)
    this.update()
  }

  update(): void {
    if (!this.isOpen() || this.#held.length === 0) return
    const chunk = Buffer.concat(this.#held)
    this.#held = []
    if (!this.#to.write(chunk)) this.#from.pause()
  }
}
