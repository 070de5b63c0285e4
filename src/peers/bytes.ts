const highMax = 0x1f_ffff
const lowBound = 0x1_0000_0000

/** Writes fixed layouts into a buffer of a size known before; all numbers are big-endian. */
export class ByteWriter {
  readonly buffer: Buffer
  #at = 0

  /** `size` is in bytes, and exact. */
  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size)
  }

  get at(): number {
    return this.#at
  }

  /** Leaves room for what is written later. */
  skip(bytes: number): void {
    this.#at += bytes
  }

  u8(value: number): void {
    this.#at = this.buffer.writeUInt8(value, this.#at)
  }

  u16(value: number): void {
    this.#at = this.buffer.writeUInt16BE(value, this.#at)
  }

  u32(value: number): void {
    this.#at = this.buffer.writeUInt32BE(value, this.#at)
  }

  /** A whole number up to 2^53 - 1, as 8 bytes: exact, and without the cost of a BigInt. */
  u64(value: number): void {
    this.u32(Math.floor(value / lowBound))
    this.u32(value % lowBound)
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  bytes(value: Uint8Array): void {
    this.buffer.set(value, this.#at)
    this.#at += value.length
  }
}

/**
 * Reads bytes from a peer. It never throws: short or impossible input makes `isBad` true, and reads
 * as zeros from there on.
 */
export class ByteReader {
  readonly #buffer: Buffer
  #at: number
  #isBad = false

  constructor(buffer: Buffer, at = 0) {
    this.#buffer = buffer
    this.#at = at
  }

  get isBad(): boolean {
    return this.#isBad
  }

  get remaining(): number {
    return this.#buffer.length - this.#at
  }

  /** True when everything was read, and all of it made sense. */
  get isDone(): boolean {
    return !this.#isBad && this.remaining === 0
  }

  u8(): number {
    return this.#has(1) ? this.#buffer.readUInt8(this.#at++) : 0
  }

  u16(): number {
    if (!this.#has(2)) return 0
    this.#at += 2
    return this.#buffer.readUInt16BE(this.#at - 2)
  }

  u32(): number {
    if (!this.#has(4)) return 0
    this.#at += 4
    return this.#buffer.readUInt32BE(this.#at - 4)
  }

  u64(): number {
    const high = this.u32()
    const low = this.u32()
    if (high > highMax) this.fail()
    return this.#isBad ? 0 : high * lowBound + low
  }

  bool(): boolean {
    const value = this.u8()
    if (value > 1) this.fail()
    return value === 1
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    if (!this.#has(length)) return this.#buffer.subarray(0, 0)
    this.#at += length
    return this.#buffer.subarray(this.#at - length, this.#at)
  }

  /** All that is left. */
  rest(): Buffer {
    return this.bytes(this.remaining)
  }

  /** A text behind its length in a byte or two. */
  text(lengthBytes: 1 | 2): string {
    return this.bytes(lengthBytes === 1 ? this.u8() : this.u16()).toString('utf8')
  }

  /** Marks the whole as impossible. */
  fail(): void {
    this.#isBad = true
  }

  #has(length: number): boolean {
    if (length > this.remaining) this.#isBad = true
    return !this.#isBad
  }
}

/**
 * A text behind its length in a byte or two. A text longer than the length can express is cut off.
 */
export function lengthAndText(text: string, lengthBytes: 1 | 2): Buffer {
  const max = lengthBytes === 1 ? 0xff : 0xffff
  const bytes = Buffer.from(text).subarray(0, max)
  const out = Buffer.allocUnsafe(lengthBytes + bytes.length)
  if (lengthBytes === 1) out.writeUInt8(bytes.length)
  else out.writeUInt16BE(bytes.length)
  bytes.copy(out, lengthBytes)
  return out
}
