import { constants } from 'node:os'
import { InvariantError } from '../../base/assert.ts'
import { inet } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'
import type { DescriptorList } from '../udp/descriptor-list.ts'
import { Epoll } from '../udp/epoll.ts'
import { MessageBlock } from '../udp/message-block.ts'
import { connectedSocket, sendOn } from './connected-udp.ts'
import type { ConnectUdp, UdpEvents } from './connected-udp.ts'
import type { UpstreamServer } from './exchange.ts'

const { errno } = constants
/** Of one socket at a time, so that a turn of the thread stays short. */
const packetsMax = 4

/** Connected UDP sockets of a thread that blocks in poll() instead of an event loop. */
export class PolledSockets {
  readonly #libc: Libc
  readonly #block: MessageBlock
  readonly #epoll: Epoll
  readonly #events = new Map<number, UdpEvents>()
  readonly #open: DescriptorList
  readonly #onDrop: (error: unknown, packet: Uint8Array) => void

  /** `open` lists all descriptors. `onDrop` is called for a packet that cannot be read because of a fault. */
  constructor(
    libc: Libc,
    open: DescriptorList,
    onDrop: (error: unknown, packet: Uint8Array) => void,
  ) {
    this.#libc = libc
    this.#onDrop = onDrop
    this.#open = open
    this.#block = new MessageBlock(libc)
    this.#epoll = new Epoll(libc)
    open.add(this.#epoll.fd)
  }

  /** The descriptor to wait for. */
  get fd(): number {
    return this.#epoll.fd
  }

  readonly connect: ConnectUdp = (server, events) => {
    const libc = this.#libc
    const fd = this.#connected(server)
    if (fd !== undefined) this.#events.set(fd, events)
    return {
      send: (packet) => {
        if (fd === undefined || !sendOn(libc, fd, packet)) events.onError()
      },
      close: () => {
        if (fd !== undefined && this.#events.delete(fd)) this.#close(fd)
      },
    }
  }

  /** A socket of which the thread notices when something comes; undefined: there is none to be had. */
  #connected(server: UpstreamServer): number | undefined {
    const fd = connectedSocket(this.#libc, server)
    if (fd === undefined) return undefined
    this.#open.add(fd)
    if (this.#epoll.add(fd)) return fd
    this.#close(fd)
    return undefined
  }

  /** Takes some of what has come; call it again while the descriptor is readable. A packet holds until the next one is taken. */
  receive(): void {
    for (const fd of this.#epoll.readable()) this.#receiveFrom(fd)
  }

  #receiveFrom(fd: number): void {
    const events = this.#events.get(fd)
    if (events === undefined) return
    const block = this.#block
    const { recvmmsg } = this.#libc
    const count = recvmmsg(fd, block.headers, packetsMax, inet.MSG_DONTWAIT, null)
    if (count < 0) return this.#isEmpty() ? undefined : events.onError()
    for (let n = 0; n < count; n++) this.#take(block.packet(n), events)
    block.reset(count)
    return undefined
  }

  #take(packet: Uint8Array, events: UdpEvents): void {
    try {
      events.onMessage(packet)
    } catch (error) {
      if (error instanceof InvariantError) throw error
      this.#onDrop(error, packet)
    }
  }

  #close(fd: number): void {
    this.#open.remove(fd)
    this.#libc.close(fd)
  }

  /** Otherwise the socket has an error: the port of the server is closed. */
  #isEmpty(): boolean {
    const number = this.#libc.errno()
    // The socket with something to read was closed, and a newer one has its number.
    return number === errno.EAGAIN || number === errno.EINTR
  }

  /** After the last packet. */
  close(): void {
    for (const fd of this.#events.keys()) this.#close(fd)
    this.#events.clear()
    this.#open.remove(this.#epoll.fd)
    this.#epoll.close()
    this.#block.free()
  }
}
