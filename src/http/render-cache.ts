import { gzip } from 'node:zlib'
import type { Caller } from '../access/caller.ts'
import { PerCaller } from './per-caller.ts'

const bytesMax = 8 * 1024 * 1024
/** About what an entry takes beside its bytes: empty answers must not be free. */
const entryBytes = 400
/** Callers whose answers are kept at the same time. */
const callersMax = 256

/** An answer as bytes, with the index of what it shows. */
export class Rendered {
  readonly index: number
  readonly body: Buffer
  /** Rows were left out that its caller may not see. */
  readonly isFiltered: boolean
  #compressed: Promise<Buffer> | undefined

  constructor(index: number, body: Buffer, isFiltered = false) {
    this.index = index
    this.body = body
    this.isFiltered = isFiltered
  }

  /** The body in gzip, made once for all who want it. */
  compressed(): Promise<Buffer> {
    this.#compressed ??= compress(this.body)
    return this.#compressed
  }
}

/** On zlib's threads, at the speed that costs least: rows repeat themselves, they shrink at any. */
export function compress(body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(body, { level: 1 }, (error, compressed) => {
      if (error === null) resolve(compressed)
      else reject(error)
    })
  })
}

/**
 * The answers given since the state of one family last changed. When a service changes, all its watchers
 * ask for the same bytes at the same moment. They are read and serialised for the first of them only.
 */
export class RenderCache {
  readonly #answers = new PerCaller<Rendered>(callersMax)
  #version = 0
  #bytes = 0

  /** `version` is that of the state, taken before the answer is read. */
  get(version: number, caller: Caller, key: string): Rendered | undefined {
    this.#move(version)
    return this.#answers.get(caller, key)
  }

  put(version: number, caller: Caller, key: string, answer: Rendered): void {
    this.#move(version)
    const bytes = answer.body.length + 2 * key.length + entryBytes
    if (this.#bytes + bytes > bytesMax) return
    this.#bytes += bytes
    this.#answers.set(caller, key, answer)
  }

  #move(version: number): void {
    if (version === this.#version) return
    this.#version = version
    this.#bytes = 0
    this.#answers.clear()
  }
}
