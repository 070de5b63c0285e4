import { inet, systemError } from '../../process/libc.ts'
import type { Libc } from '../../process/libc.ts'

/** What a blocking thread needs to notice that it is called: it goes to it as workerData. */
export interface WakerHandle {
  /** An eventfd: ends a poll() over it. */
  readonly fd: number
  /** One Int32 that moves with every call: noticed also by a thread that is too busy to poll. */
  readonly calls: SharedArrayBuffer
}

const one = new Uint8Array(BigUint64Array.of(1n).buffer)

/** Calls a thread whose event loop is blocked. */
export class Waker {
  readonly handle: WakerHandle
  readonly #libc: Libc

  constructor(libc: Libc) {
    this.#libc = libc
    const fd = libc.eventfd(0, inet.EFD_CLOEXEC | inet.EFD_NONBLOCK)
    if (fd < 0) throw systemError(libc, 'eventfd')
    this.handle = { fd, calls: new SharedArrayBuffer(4) }
  }

  wake(): void {
    Atomics.add(new Int32Array(this.handle.calls), 0, 1)
    this.#libc.write(this.handle.fd, one, one.length)
  }

  /** Only after the thread has ended, or it would poll whatever gets the number next. */
  close(): void {
    this.#libc.close(this.handle.fd)
  }
}
