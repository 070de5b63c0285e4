import type { Libc } from '../../process/libc.ts'

/** More are not listed. */
const descriptorsMax = 256
const none = 0

/** The descriptors that a thread has open, in shared memory: if it dies, another thread closes them. */
export class DescriptorList {
  readonly buffer: SharedArrayBuffer
  /** Each + 1. */
  readonly #cells: Int32Array

  constructor(buffer = new SharedArrayBuffer(4 * descriptorsMax)) {
    this.buffer = buffer
    this.#cells = new Int32Array(buffer)
  }

  add(fd: number): void {
    const place = this.#cells.indexOf(none)
    if (place >= 0) this.#cells[place] = fd + 1
  }

  /** To be called before the descriptor is closed. */
  remove(fd: number): void {
    const place = this.#cells.indexOf(fd + 1)
    if (place >= 0) this.#cells[place] = none
  }

  /** Only after the thread has ended. */
  closeAll(libc: Libc): void {
    for (const [place, cell] of this.#cells.entries()) {
      if (cell !== none) libc.close(cell - 1)
      this.#cells[place] = none
    }
  }
}
