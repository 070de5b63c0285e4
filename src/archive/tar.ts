import { assert } from '../base/assert.ts'

// As much of the tape archive (POSIX.1-1988 ustar) as an archive of a few plain files needs.

const blockBytes = 512
const sizeMax = 0o77777777777

/** The header of a plain file. `modifiedMs` is wall time. */
export function tarHeader(name: string, size: number, modifiedMs: number): Buffer {
  assert(name.length < 100 && size <= sizeMax, `${name} fits an entry`)
  const header = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, digits: number): void => {
    header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1')
  }
  header.write(name, 0, 'latin1')
  octal(0o600, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  octal(size, 124, 11)
  octal(Math.floor(modifiedMs / 1000), 136, 11)
  header.write('0', 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return header
}

/** What follows `size` bytes of a file. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes)
}

/** What ends an archive. */
export const tarEnd = Buffer.alloc(2 * blockBytes)

/** The sum of all bytes, those of the checksum itself taken as blanks. */
function checksum(header: Buffer): number {
  let sum = 8 * 0x20
  for (const [at, byte] of header.entries()) if (at < 148 || at >= 156) sum += byte
  return sum
}

export interface TarEntry {
  readonly name: string
  readonly size: number
  /** Its bytes; to be read to the end before the next entry is asked for. */
  readonly body: AsyncIterable<Buffer>
}

/** The plain files of an archive. Throws Error for a file that is cut off or is not an archive. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const bytes = new Bytes(source)
  for (;;) {
    const header = await bytes.exactly(blockBytes)
    if (header.every((byte) => byte === 0)) return bytes.drain()
    const size = octalAt(header, 124, 12)
    if (octalAt(header, 148, 8) !== checksum(header)) throw new Error('it is not a tar archive')
    const name = textAt(header, 0, 100)
    const type = textAt(header, 156, 1)
    if (type !== '0' && type !== '') throw new Error(`${name} is not a plain file`)
    yield { name, size, body: bytes.upTo(size) }
    await bytes.exactly(tarPadding(size).length)
  }
}

function textAt(header: Buffer, at: number, length: number): string {
  const text = header.toString('latin1', at, at + length)
  const end = text.indexOf('\0')
  return end === -1 ? text : text.slice(0, end)
}

function octalAt(header: Buffer, at: number, length: number): number {
  const text = textAt(header, at, length).trim()
  if (!/^[0-7]+$/.test(text)) throw new Error('it is not a tar archive')
  return Number.parseInt(text, 8)
}

/** Bytes out of chunks of any size. */
class Bytes {
  readonly #source: AsyncIterator<Buffer>
  #chunk: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of this.upTo(length)) parts.push(part)
    return Buffer.concat(parts)
  }

  /** To the end of the source, whose own checks come last. */
  async drain(): Promise<void> {
    while ((await this.#source.next()).done !== true);
  }

  async *upTo(length: number): AsyncGenerator<Buffer> {
    let left = length
    while (left > 0) {
      if (this.#chunk.length === 0) {
        const next = await this.#source.next()
        if (next.done === true) throw new Error('it is truncated')
        this.#chunk = next.value
      }
      const part = this.#chunk.subarray(0, left)
      this.#chunk = this.#chunk.subarray(part.length)
      left -= part.length
      yield part
    }
  }
}
