import { inet } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'

// struct pollfd: fd 0, events 4, revents 6.
const pollFdBytes = 8
const reventsAt = 6

/** Waits for descriptors. */
export class Poller {
  readonly #libc: Libc
  readonly #count: number
  readonly #memory: Buffer

  constructor(libc: Libc, fds: readonly number[]) {
    this.#libc = libc
    this.#count = fds.length
    this.#memory = Buffer.from(new ArrayBuffer(fds.length * pollFdBytes))
    for (const [at, fd] of fds.entries()) {
      this.#memory.writeInt32LE(fd, at * pollFdBytes)
      this.#memory.writeInt16LE(inet.POLLIN, at * pollFdBytes + 4)
    }
  }

  /** Waits until there is something to read, for at most `timeoutMs`. */
  wait(timeoutMs: number): void {
    this.#libc.poll(this.#memory, this.#count, timeoutMs)
  }

  /** Whether the last {@link wait} found something to read, or an error, in the descriptor at this place. */
  isReadable(place: number): boolean {
    return this.#memory[place * pollFdBytes + reventsAt] !== 0
  }
}
