import { reasonOf } from '../base/errors.ts'
import { buildFrame, FrameParser, frameTypes, greetingBytesMax, greetingVersion } from './frame.ts'
import type { Socket } from 'node:net'
import type { PeerLimits } from './limits.ts'

export interface ConnectionHandlers {
  readonly onFrame: (type: number, body: Buffer) => void
  /** The stream cannot be read on; the handler closes the connection. */
  readonly onFault: (reason: string) => void
  /** All frames of one read were handled. */
  readonly onReadEnd: () => void
  /** Called once. */
  readonly onClose: (reason: string) => void
}

/**
 * Frames of one connection after which the others get their turn: the system hands over up to 2 MB of
 * one socket in a row, and as many small requests would keep heartbeats waiting for a second.
 */
const framesInARowMax = 1024

/** How long a connection that is ended in words waits for the other side to read them. */
const partingMs = 1000

/**
 * Frames over a socket. The frames of one turn leave in one system call: at `flush`, or at the
 * turn's end. Reads nothing more once it is closed.
 */
export class PeerConnection {
  readonly #socket: Socket
  readonly #limits: PeerLimits
  readonly #handlers: ConnectionHandlers
  readonly #parser: FrameParser
  #reason: string | undefined
  #isCorked = false
  #framesInARow = 0
  #queuedFrames = 0
  #framesTaken = 0
  /** What the last sweep saw. */
  #seen = { heard: false, sent: false, framesTaken: 0, silentSweeps: 0, stalledSweeps: 0 }
  readonly #onTaken = (): void => {
    this.#queuedFrames--
    this.#framesTaken++
  }

  /** `socket` is connected, or connecting; it has no listeners yet. */
  constructor(socket: Socket, limits: PeerLimits, handlers: ConnectionHandlers) {
    this.#socket = socket
    this.#limits = limits
    this.#handlers = handlers
    this.#parser = new FrameParser(
      { bytesMax: greetingBytesMax, version: greetingVersion },
      (type, body) => {
        if (this.#isClosing) return false
        this.#framesInARow++
        this.#handlers.onFrame(type, body)
        return !this.#isClosing
      },
    )
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('end', () => this.destroy('the peer closed the connection'))
    socket.on('error', (error) => this.destroy(causeOf(error)))
    socket.on('close', () => this.#closed())
  }

  get isOpen(): boolean {
    return !this.#isClosing && !this.#socket.destroyed
  }

  get version(): number {
    return this.#parser.version
  }

  /** Bytes that wait for the kernel to take them. */
  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  /** The greetings are through: frames of this version and size may come. */
  agree(version: number, bytesMax: number): void {
    this.#parser.version = version
    this.#parser.bytesMax = bytesMax
  }

  /** False: closed, or more than the queue holds; the frame is dropped. */
  write(frame: Buffer): boolean {
    if (!this.isOpen) return false
    const { queueBytesMax, queueFramesMax } = this.#limits
    // A single frame always finds room in an empty queue.
    const waiting = this.#socket.writableLength
    if (waiting > 0 && waiting + frame.length > queueBytesMax) return false
    if (this.#queuedFrames >= queueFramesMax) return false
    this.#push(frame)
    return true
  }

  /** Hands all that was written to the kernel now: a synchronous disk write may follow. */
  flush(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#socket.uncork()
  }

  /** Looks after the connection; to be called every `sweepMs`. */
  sweep(): void {
    if (!this.isOpen) return
    const seen = this.#seen
    const { silentSweepsMax, stalledSweepsMax, sweepMs } = this.#limits
    // Looks are counted, not time: after a pause of this process what was heard is still unread.
    seen.silentSweeps = seen.heard ? 0 : seen.silentSweeps + 1
    const isStalled = this.#queuedFrames > 0 && seen.framesTaken === this.#framesTaken
    seen.stalledSweeps = isStalled ? seen.stalledSweeps + 1 : 0
    if (!seen.sent && this.#queuedFrames === 0) {
      this.#push(buildFrame(frameTypes.ping, this.#parser.version, []))
    }
    seen.heard = false
    seen.sent = false
    seen.framesTaken = this.#framesTaken
    if (seen.silentSweeps >= silentSweepsMax) {
      this.destroy(`received nothing for ${silentSweepsMax * sweepMs} ms`)
    } else if (seen.stalledSweeps >= stalledSweepsMax) {
      this.destroy(`the peer read nothing for ${stalledSweepsMax * sweepMs} ms`)
    }
  }

  /** Sends what waits, and `frame` as the last words; then closes. */
  part(reason: string, frame?: Buffer): void {
    if (!this.isOpen) return
    if (this.#socket.connecting) return this.destroy(reason)
    this.#reason = reason
    this.flush()
    if (frame === undefined) this.#socket.end()
    else this.#socket.end(frame)
    // Read on, so that unread bytes do not turn the close into a reset that swallows the words.
    this.#socket.resume()
    setTimeout(() => this.#socket.destroy(), partingMs).unref()
  }

  /** Closes immediately. */
  destroy(reason: string): void {
    this.#reason ??= reason
    if (!this.#socket.destroyed) this.#socket.destroy()
  }

  get #isClosing(): boolean {
    return this.#reason !== undefined
  }

  #push(frame: Buffer): void {
    this.#seen.sent = true
    this.#queuedFrames++
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#socket.cork()
      process.nextTick(() => this.flush())
    }
    this.#socket.write(frame, this.#onTaken)
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosing) return
    this.#seen.heard = true
    const fault = this.#parser.push(chunk)
    if (fault !== undefined && !this.#isClosing) {
      this.#handlers.onFault(fault)
    }
    this.#handlers.onReadEnd()
    if (this.#framesInARow >= framesInARowMax) this.#rest()
  }

  #rest(): void {
    this.#framesInARow = 0
    this.#socket.pause()
    setImmediate(() => this.#socket.resume())
  }

  #closed(): void {
    this.#handlers.onClose(this.#reason ?? 'the connection closed')
  }
}

/** Several addresses that all failed are reported as one error without words. */
function causeOf(error: Error): string {
  if (error instanceof AggregateError)
    return error.errors.map((inner) => reasonOf(inner)).join(', ')
  return reasonOf(error)
}
