import { lowerAscii } from './name.ts'
import type { Name } from './name.ts'

/** Offsets from 0x4000 on do not fit into a compression pointer (RFC 1035 §4.1.4). */
const pointerBound = 0x4000

/** The buffer in which messages are built: one at a time, because writing is synchronous. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * A growing buffer of network-order fields, with the offset table of name compression. Only one
 * writer may be in use at a time.
 */
export class WireWriter {
  #bytes = scratch
  #length = 0
  readonly #offsets = new Map<string, number>()
  /** The offsets of names by the identity of their array: most records share their owner. */
  readonly #whole = new Map<Name, number>()
  /** False while names are written that later ones must not point to. */
  recording = true

  get length(): number {
    return this.#length
  }

  /** A copy of what was written. */
  bytes(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.#length)
    this.#bytes.copy(copy, 0, 0, this.#length)
    return copy
  }

  uint8(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  uint16(value: number): void {
    this.#reserve(2)
    this.#length = this.#bytes.writeUInt16BE(value, this.#length)
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeUInt32BE(value, this.#length)
  }

  octets(text: string): void {
    this.#reserve(text.length)
    this.#length += this.#bytes.write(text, this.#length, 'latin1')
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    // By hand: most are addresses, for which set() takes longer.
    if (bytes.length > 16) this.#bytes.set(bytes, this.#length)
    else for (let at = 0; at < bytes.length; at++) this.#bytes[this.#length + at] = bytes[at] ?? 0
    this.#length += bytes.length
  }

  /** Overwrites two octets written before. */
  patchUint16(at: number, value: number): void {
    this.#bytes.writeUInt16BE(value, at)
  }

  /** Writes a name, with a pointer for its longest suffix that was written before. */
  name(name: Name): void {
    const whole = this.#whole.get(name)
    if (whole !== undefined) {
      this.uint16(0xc000 | whole)
      return
    }
    const start = this.#length
    const keys = suffixKeys(name)
    for (const [at, label] of name.entries()) {
      const key = keys[at] ?? ''
      const known = this.#offsets.get(key)
      if (known !== undefined) {
        if (at === 0) this.#whole.set(name, known)
        this.uint16(0xc000 | known)
        return
      }
      if (this.recording && this.#length < pointerBound) this.#offsets.set(key, this.#length)
      this.uint8(label.length)
      this.octets(label)
    }
    this.uint8(0)
    if (this.recording && start < pointerBound && name.length > 0) this.#whole.set(name, start)
  }

  /** Writes a name in full and leaves it out of the offset table. */
  plainName(name: Name): void {
    for (const label of name) {
      this.uint8(label.length)
      this.octets(label)
    }
    this.uint8(0)
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
  }
}

/** The {@link nameKey} of the name from each of its labels on. */
function suffixKeys(name: Name): string[] {
  const keys: string[] = []
  let key = ''
  for (let at = name.length - 1; at >= 0; at--) {
    const label = name[at] ?? ''
    key = String.fromCharCode(label.length) + lowerAscii(label) + key
    keys[at] = key
  }
  return keys
}
