import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { inet, loadLibc, systemError } from './libc.ts'
import type { Libc } from './libc.ts'
import { notifyLines, unixAddress } from './notify-message.ts'
import type { Assignments } from './notify-message.ts'

/** A service manager that does not read its socket must not keep the agent busy. */
const triesMax = 50
const retryMs = 100
const programTimeoutMs = 5000

export interface NotifySocketParts {
  /** The value of NOTIFY_SOCKET. */
  readonly socket: string
  /** Called with the reason when a message cannot be delivered. */
  readonly onFailure: (reason: string) => void
  /** Why the C library cannot be called, or the library itself. */
  readonly libc?: Libc | Error
}

/**
 * The socket on which the service manager takes messages. Node.js has no Unix datagram sockets, so
 * the C library sends them. Where it cannot be called (koffi is not installed), the program
 * systemd-notify does; then the unit needs NotifyAccess=all, because the message comes from that process.
 */
export class NotifySocket {
  readonly #parts: NotifySocketParts
  readonly #libc: Libc | Error
  readonly #address: Uint8Array | undefined
  /** Messages are delivered in order. */
  #last: Promise<void> = Promise.resolve()

  constructor(parts: NotifySocketParts) {
    this.#parts = parts
    this.#libc = parts.libc ?? loadLibc()
    this.#address = unixAddress(parts.socket)
  }

  /** Never throws: an agent works the same without a service manager. */
  send(assignments: Assignments): void {
    const lines = notifyLines(assignments)
    this.#last = this.#last.then(async () => {
      try {
        await this.#deliver(lines)
      } catch (error) {
        this.#parts.onFailure(error instanceof Error ? error.message : String(error))
      }
    })
  }

  /** Resolves when everything that was sent so far has been delivered or given up. */
  flushed(): Promise<void> {
    return this.#last
  }

  async #deliver(lines: readonly string[]): Promise<void> {
    if (this.#libc instanceof Error || this.#address === undefined) return this.#run(lines)
    const message = Buffer.from(`${lines.join('\n')}\n`)
    for (let tries = 1; ; tries++) {
      const error = sendDatagram(this.#libc, this.#address, message)
      if (error === undefined) return
      const isFull = error.code === 'EAGAIN' || error.code === 'ENOBUFS'
      if (!isFull || tries >= triesMax) throw error
      await sleep(retryMs)
    }
  }

  #run(lines: readonly string[]): Promise<void> {
    const env = { ...process.env, NOTIFY_SOCKET: this.#parts.socket }
    const options = { env, timeout: programTimeoutMs }
    return new Promise((resolve, reject) => {
      execFile('systemd-notify', [...lines], options, (error) => {
        if (error === null) resolve()
        else reject(error)
      })
    })
  }
}

function sendDatagram(
  libc: Libc,
  address: Uint8Array,
  message: Uint8Array,
): (Error & { readonly code: string }) | undefined {
  const fd = libc.socket(inet.AF_UNIX, inet.SOCK_DGRAM | inet.SOCK_CLOEXEC, 0)
  if (fd < 0) return systemError(libc, 'socket')
  try {
    const flags = inet.MSG_DONTWAIT | inet.MSG_NOSIGNAL
    const sent = libc.sendto(fd, message, message.length, flags, address, address.length)
    return sent < 0 ? systemError(libc, 'sendto') : undefined
  } finally {
    libc.close(fd)
  }
}
