import { inet, systemError } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'

/** Descriptors that are told at a time. The others come first the next time. */
const eventsMax = 4
// struct epoll_event: events 0, then eight octets of which the first four are the descriptor. Linux packs it on x64 only.
const dataAt = process.arch === 'x64' ? 4 : 8
const eventBytes = dataAt + 8

/**
 * Many descriptors as one: its own becomes readable when one of them does. poll() looks at each of its descriptors
 * each time, which for thirty sockets costs more than an answer.
 */
export class Epoll {
  readonly fd: number
  readonly #libc: Libc
  readonly #events = Buffer.alloc(eventBytes * eventsMax)

  constructor(libc: Libc) {
    this.#libc = libc
    this.fd = libc.epoll_create1(inet.EPOLL_CLOEXEC)
    if (this.fd < 0) throw systemError(libc, 'epoll_create1')
  }

  /** A descriptor that is closed is removed by the system. False: there are too many. */
  add(fd: number): boolean {
    const event = Buffer.alloc(eventBytes)
    event.writeUInt32LE(inet.EPOLLIN)
    event.writeInt32LE(fd, dataAt)
    return this.#libc.epoll_ctl(this.fd, inet.EPOLL_CTL_ADD, fd, event) >= 0
  }

  /** The descriptors that can be read from or have an error, without waiting. */
  readable(): readonly number[] {
    const count = this.#libc.epoll_wait(this.fd, this.#events, eventsMax, 0)
    const fds: number[] = []
    for (let at = 0; at < count; at++) fds.push(this.#events.readInt32LE(at * eventBytes + dataAt))
    return fds
  }

  close(): void {
    this.#libc.close(this.fd)
  }
}
