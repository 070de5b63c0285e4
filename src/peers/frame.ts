/**
 * What two servers say to each other: frames of u32 length | u8 type | u8 version | u16 flags | body.
 * `length` counts the body. Flags are 0 until a feature bit gives one a meaning.
 */
export const frameHeaderBytes = 8
/** Of a whole frame. The largest append has 1 MiB of entries. */
export const frameBytesMax = 4 * 1024 * 1024
/** Of a whole frame before the other side is known: a greeting needs no more. */
export const greetingBytesMax = 8 * 1024

/**
 * Greetings and refusals always keep this version, so that any two releases can refuse each other
 * with a readable reason.
 */
export const greetingVersion = 1

/** Numbers below 32 are the transport's own; a Raft message has one from 32 on (codec.ts). */
export const frameTypes = {
  hello: 1,
  reject: 2,
  ping: 3,
  request: 4,
  response: 5,
  failure: 6,
  proof: 7,
  snapshotOffer: 8,
  snapshotAck: 9,
  snapshotChunk: 10,
  snapshotDone: 11,
} as const

export function writeFrameHeader(frame: Buffer, type: number, version: number): void {
  frame.writeUInt32BE(frame.length - frameHeaderBytes, 0)
  frame.writeUInt8(type, 4)
  frame.writeUInt8(version, 5)
  frame.writeUInt16BE(0, 6)
}

/** A frame whose body is all `parts`. */
export function buildFrame(type: number, version: number, parts: readonly Uint8Array[]): Buffer {
  let size = frameHeaderBytes
  for (const part of parts) size += part.length
  const frame = Buffer.allocUnsafe(size)
  writeFrameHeader(frame, type, version)
  let at = frameHeaderBytes
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}

/** Takes one frame. `body` is a view of what was read; false ends the reading. */
export type OnFrame = (type: number, body: Buffer) => boolean

/**
 * Cuts a stream into frames, wherever it is split. A frame that lies whole in a chunk is not
 * copied; another is gathered in a buffer of its own, made only after its length was checked.
 */
export class FrameParser {
  /** Of a whole frame. */
  bytesMax: number
  /** Frames of another version are refused. */
  version: number
  readonly #onFrame: OnFrame
  readonly #header = Buffer.alloc(frameHeaderBytes)
  #headerFilled = 0
  #type = 0
  #body: Buffer | undefined
  #bodyFilled = 0

  constructor(limits: { bytesMax: number; version: number }, onFrame: OnFrame) {
    this.bytesMax = limits.bytesMax
    this.version = limits.version
    this.#onFrame = onFrame
  }

  /** Returns why the stream cannot be read on, if it cannot. */
  push(chunk: Buffer): string | undefined {
    let at = 0
    while (at < chunk.length) {
      if (this.#body !== undefined) {
        const taken = chunk.copy(this.#body, this.#bodyFilled, at)
        at += taken
        this.#bodyFilled += taken
        if (this.#bodyFilled < this.#body.length) return undefined
        const body = this.#body
        this.#body = undefined
        if (!this.#onFrame(this.#type, body)) return undefined
        continue
      }
      let header = chunk
      let headerAt = at
      if (this.#headerFilled > 0 || chunk.length - at < frameHeaderBytes) {
        const taken = chunk.copy(this.#header, this.#headerFilled, at)
        at += taken
        this.#headerFilled += taken
        if (this.#headerFilled < frameHeaderBytes) return undefined
        this.#headerFilled = 0
        header = this.#header
        headerAt = 0
      } else {
        at += frameHeaderBytes
      }
      const fault = this.#checkHeader(header, headerAt)
      if (fault !== undefined) return fault
      const end = at + header.readUInt32BE(headerAt)
      this.#type = header.readUInt8(headerAt + 4)
      if (end > chunk.length) {
        this.#body = Buffer.allocUnsafeSlow(end - at)
        this.#bodyFilled = 0
        continue
      }
      const body = chunk.subarray(at, end)
      at = end
      if (!this.#onFrame(this.#type, body)) return undefined
    }
    return undefined
  }

  #checkHeader(header: Buffer, at: number): string | undefined {
    const length = header.readUInt32BE(at) + frameHeaderBytes
    if (length > this.bytesMax) {
      return `a frame of ${length} bytes, where at most ${this.bytesMax} are allowed`
    }
    const version = header.readUInt8(at + 5)
    const isRefusal = header.readUInt8(at + 4) === frameTypes.reject && version === greetingVersion
    if (version !== this.version && !isRefusal)
      return `a frame of version ${version}, not ${this.version}`
    const flags = header.readUInt16BE(at + 6)
    return flags === 0 ? undefined : `a frame with unknown flags (${flags})`
  }
}
