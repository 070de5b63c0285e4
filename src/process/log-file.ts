import { constants } from 'node:fs'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export interface LogFileOptions {
  readonly path: string
  /** A larger file is rotated; 0: never. */
  readonly rotateBytes: number
  /** An older file is rotated; 0: never. */
  readonly rotateMs: number
  /** How many rotated files are kept; 0: all. */
  readonly rotateMaxFiles: number
  readonly wallMs: () => number
  /** The last number that a line accounts for; undefined: for none. Absent: lines have no numbers. */
  readonly indexIn?: (line: string) => number | undefined
}

interface Opened {
  readonly handle: FileHandle
  readonly inode: bigint
  readonly createdMs: number
  /** The end of the last whole line. */
  bytes: number
}

/** Only its owner may read it. */
const mode = 0o600
const chunkBytes = 64 * 1024
/** After a rotation by another program, the last entry is in one of the newest files beside this one. */
const earlierFilesMax = 3

/**
 * A file of lines, such as an audit log. Whole lines are appended; what a failed write has left of one is cut off. Every
 * method may reject with an error of the file system, after which the file is to be closed and opened again.
 */
export class LogFile {
  readonly #options: LogFileOptions
  #opened: Opened | undefined

  constructor(options: LogFileOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#opened !== undefined
  }

  /** The file is empty. */
  get isEmpty(): boolean {
    return this.#opened?.bytes === 0
  }

  /**
   * Opens the file, cuts off a line that is not whole, and returns the last number that it, or an earlier file,
   * accounts for. Undefined: no line accounts for one.
   */
  async open(): Promise<number | undefined> {
    const { O_APPEND, O_CREAT, O_RDWR } = constants
    const { path, indexIn } = this.#options
    const handle = await open(path, O_RDWR | O_CREAT | O_APPEND, mode)
    try {
      const found = await handle.stat({ bigint: true })
      const { lastIndex, wholeBytes } = await readTail(handle, Number(found.size), indexIn)
      if (wholeBytes < Number(found.size)) await handle.truncate(wholeBytes)
      const createdMs = Number(found.birthtimeMs) || this.#options.wallMs()
      this.#opened = { handle, inode: found.ino, createdMs, bytes: wholeBytes }
      return lastIndex ?? (indexIn && (await this.#earlierIndex(indexIn)))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Whether the path no longer leads to the open file. */
  async isMoved(): Promise<boolean> {
    try {
      const { ino } = await stat(this.#options.path, { bigint: true })
      return ino !== this.#opened?.inode
    } catch {
      return true
    }
  }

  /** Appends whole lines. */
  async append(lines: string): Promise<void> {
    const opened = this.#opened
    if (opened === undefined) throw new Error('the file is not open')
    const bytes = Buffer.from(lines)
    try {
      for (let at = 0; at < bytes.length;) {
        const { bytesWritten } = await opened.handle.write(bytes, at)
        at += bytesWritten
      }
    } catch (error) {
      await this.cutTorn().catch(() => {})
      throw error
    }
    opened.bytes += bytes.length
  }

  /** Cuts off what a failed write has left behind the last whole line. A file that others have emptied stays as it is. */
  async cutTorn(): Promise<void> {
    const { handle, bytes } = this.#opened ?? {}
    if (handle === undefined || bytes === undefined) return
    const { size } = await handle.stat()
    if (size > bytes) await handle.truncate(bytes)
  }

  /** Afterwards the appended lines survive a power cut. */
  async sync(): Promise<void> {
    await this.#opened?.handle.datasync()
  }

  /** Whether it is to be rotated before more is appended. */
  get isFull(): boolean {
    if (this.#opened === undefined) return false
    const { bytes, createdMs } = this.#opened
    const { rotateBytes, rotateMs, wallMs } = this.#options
    if (bytes === 0) return false
    return (
      (rotateBytes > 0 && bytes >= rotateBytes) ||
      (rotateMs > 0 && wallMs() - createdMs >= rotateMs)
    )
  }

  /** Gives the file a name with the time, closes it, and removes the oldest ones. */
  async rotate(): Promise<void> {
    const { path, wallMs } = this.#options
    await this.sync()
    await this.close()
    const stamp = new Date(wallMs()).toISOString().replaceAll(/[-:]/g, '')
    await rename(path, await freeName(`${path}.${stamp}`))
    await this.#removeOldest()
  }

  async close(): Promise<void> {
    const { handle } = this.#opened ?? {}
    this.#opened = undefined
    await handle?.close()
  }

  async #removeOldest(): Promise<void> {
    const { path, rotateMaxFiles } = this.#options
    if (rotateMaxFiles === 0) return
    const names = (await this.#beside()).filter((name) =>
      /^\.\d{8}T\d{6}\.\d{3}Z(?:-\d+)?$/.test(name.slice(basename(path).length)),
    )
    const tooMany = names.toSorted().slice(0, Math.max(0, names.length - rotateMaxFiles))
    for (const name of tooMany) await rm(join(dirname(path), name), { force: true })
  }

  /** The names of the files whose names begin with that of this one. */
  async #beside(): Promise<readonly string[]> {
    const { path } = this.#options
    const own = basename(path)
    const names = await readdir(dirname(path))
    return names.filter((name) => name.startsWith(own) && name !== own)
  }

  async #earlierIndex(indexIn: IndexIn): Promise<number | undefined> {
    const directory = dirname(this.#options.path)
    const files = await Promise.all(
      (await this.#beside()).map(async (name) => {
        const path = join(directory, name)
        return { path, found: await stat(path).catch(() => undefined) }
      }),
    )
    const newest = files
      .filter(({ found }) => found?.isFile() === true)
      .toSorted((a, b) => (b.found?.mtimeMs ?? 0) - (a.found?.mtimeMs ?? 0))
    for (const { path, found } of newest.slice(0, earlierFilesMax)) {
      const handle = await open(path, 'r').catch(() => undefined)
      if (handle === undefined) continue
      try {
        const { lastIndex } = await readTail(handle, found?.size ?? 0, indexIn)
        if (lastIndex !== undefined) return lastIndex
      } finally {
        await handle.close()
      }
    }
    return undefined
  }
}

async function freeName(wanted: string): Promise<string> {
  for (let count = 0; ; count++) {
    const name = count === 0 ? wanted : `${wanted}-${count}`
    if ((await stat(name).catch(() => undefined)) === undefined) return name
  }
}

type IndexIn = NonNullable<LogFileOptions['indexIn']>

interface Tail {
  readonly lastIndex: number | undefined
  /** Up to the end of the last whole line. */
  readonly wholeBytes: number
}

/** Reads backwards, until a line accounts for a number; without `indexIn` to the end of the last whole line. */
async function readTail(
  handle: FileHandle,
  size: number,
  indexIn: IndexIn | undefined,
): Promise<Tail> {
  let wholeBytes: number | undefined
  let rest: Buffer = Buffer.alloc(0)
  for (let end = size; end > 0;) {
    const from = Math.max(0, end - chunkBytes)
    const chunk = Buffer.alloc(end - from)
    await handle.read(chunk, 0, chunk.length, from)
    const read = Buffer.concat([chunk, rest])
    const lastBreak = read.lastIndexOf('\n')
    if (wholeBytes === undefined && lastBreak >= 0) wholeBytes = from + lastBreak + 1
    if (indexIn === undefined) {
      if (wholeBytes !== undefined) return { lastIndex: undefined, wholeBytes }
      end = from
      continue
    }
    // Before its first break is the end of a line that begins further in front.
    const cut = from === 0 ? 0 : read.indexOf('\n') + 1
    const lastIndex = lastIndexIn(read.subarray(cut), indexIn)
    if (lastIndex !== undefined) return { lastIndex, wholeBytes: wholeBytes ?? 0 }
    rest = cut === 0 ? read : read.subarray(0, cut)
    end = from
  }
  return { lastIndex: undefined, wholeBytes: wholeBytes ?? 0 }
}

function lastIndexIn(bytes: Buffer, indexIn: IndexIn): number | undefined {
  const lines = bytes.toString().split('\n')
  // Behind the last break there is nothing, or a line that is not whole.
  for (let at = lines.length - 2; at >= 0; at--) {
    const index = indexIn(lines[at] ?? '')
    if (index !== undefined) return index
  }
  return undefined
}
