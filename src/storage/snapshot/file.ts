import { open, rename, unlink, writeFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { svcdError } from '../../base/errors.ts'
import { decodeConfig } from '../../raft/config.ts'
import type { SnapshotMeta } from '../../raft/storage.ts'

/** The facts about a finished snapshot; in JSON beside its file, and in an archive. */
export interface SnapshotFileMeta extends SnapshotMeta {
  readonly clusterId: string
  /** Counts the times that this cluster was recovered from the loss of its quorum. */
  readonly epoch: number
  /** Format of its tables. */
  readonly schemaVersion: number
  /** In bytes. */
  readonly size: number
  readonly sha256: string
}

export interface SnapshotFile {
  readonly path: string
  readonly meta: SnapshotFileMeta
}

/** Returns undefined when `text` does not describe a snapshot. */
export function parseSnapshotMeta(text: string): SnapshotFileMeta | undefined {
  let value: Partial<Record<keyof SnapshotFileMeta, unknown>> | null
  try {
    value = JSON.parse(text) as typeof value
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { index, term, confIndex, epoch, schemaVersion, size, clusterId, sha256 } = value
  const numbers = [index, term, confIndex, epoch, schemaVersion, size]
  if (!numbers.every((number) => Number.isSafeInteger(number))) return undefined
  if (typeof clusterId !== 'string' || typeof sha256 !== 'string') return undefined
  if (decodeConfig(Buffer.from(JSON.stringify(value.config ?? null))) === undefined) {
    return undefined
  }
  return value as unknown as SnapshotFileMeta
}

/** Puts a file at its name, so that a loss of power leaves all of it there or nothing. */
export async function placeFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`
  await writeFile(temporary, text, { mode: 0o600, flush: true })
  await rename(temporary, path)
}

/** A rename or a removal is durable once its directory is. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** A finished snapshot, open to be read in pieces. It can be read to its end when it is removed. */
export class SnapshotSource {
  readonly size: number
  readonly sha256: string
  readonly #file: SnapshotFile
  readonly #handle: FileHandle

  private constructor(file: SnapshotFile, handle: FileHandle) {
    this.#file = file
    this.#handle = handle
    this.size = file.meta.size
    this.sha256 = file.meta.sha256
  }

  static async open(file: SnapshotFile): Promise<SnapshotSource> {
    return new SnapshotSource(file, await open(file.path, 'r'))
  }

  /** Exactly `length` bytes from `offset`. */
  async read(offset: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length)
    let at = 0
    while (at < length) {
      const { bytesRead } = await this.#handle.read(buffer, at, length - at, offset + at)
      if (bytesRead === 0) throw unusable(this.#file.path, `it ends after ${offset + at} bytes`)
      at += bytesRead
    }
    return buffer
  }

  /** All of it, in chunks. */
  async *chunks(chunkBytes = snapshotChunkBytes): AsyncGenerator<Buffer> {
    for (let at = 0; at < this.size; at += chunkBytes) {
      yield await this.read(at, Math.min(chunkBytes, this.size - at))
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

export const snapshotChunkBytes = 512 * 1024

/** A file that is being filled from its beginning, under a name that the next start removes. */
export class SnapshotSink {
  readonly #path: string
  readonly #handle: FileHandle
  readonly #size: number
  readonly #finish: (path: string) => Promise<void>
  #written = 0

  private constructor(path: string, handle: FileHandle, size: number, finish: SnapshotFinish) {
    this.#path = path
    this.#handle = handle
    this.#size = size
    this.#finish = finish
  }

  /** `finish` verifies the whole file and puts it in place, or removes it. */
  static async open(path: string, size: number, finish: SnapshotFinish): Promise<SnapshotSink> {
    return new SnapshotSink(path, await open(path, 'w', 0o600), size, finish)
  }

  /** Chunks come in order, one at a time. One at offset 0 begins again. */
  async write(offset: number, chunk: Buffer): Promise<void> {
    if (offset === 0 && this.#written > 0) {
      await this.#handle.truncate(0)
      this.#written = 0
    }
    if (offset !== this.#written) {
      throw unusable(this.#path, `a chunk at ${offset}, where ${this.#written} was expected`)
    }
    if (offset + chunk.length > this.#size) {
      throw unusable(this.#path, `it is longer than the ${this.#size} bytes announced`)
    }
    for (let at = 0; at < chunk.length;) {
      const { bytesWritten } = await this.#handle.write(chunk, at, chunk.length - at, offset + at)
      at += bytesWritten
    }
    this.#written += chunk.length
  }

  /** Rejects with SvcdError `snapshot-unusable` unless the file is what was announced. */
  async finish(): Promise<void> {
    await this.#handle.close()
    if (this.#written < this.#size) {
      await unlink(this.#path)
      throw unusable(this.#path, `it ends after ${this.#written} of ${this.#size} bytes`)
    }
    await this.#finish(this.#path)
  }

  async abort(): Promise<void> {
    await this.#handle.close()
    await unlink(this.#path)
  }
}

export type SnapshotFinish = (path: string) => Promise<void>

export function unusable(file: string, reason: string): Error {
  return svcdError('snapshot-unusable', { file, reason })
}
