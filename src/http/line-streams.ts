import type { FastifyReply } from 'fastify'
import { svcdError } from '../base/errors.ts'

const beatMs = 15_000
/** A reader that took nothing for so many beats is gone. */
const beatsMissedMax = 4
/** Bytes that a reader may leave unread. Further lines are dropped and counted. */
const unreadBytesMax = 256 * 1024

type Raw = FastifyReply['raw']

export interface LineStreamOptions {
  /** The line that tells a reader how many lines it has missed, with its end of line. */
  readonly dropped: (count: number) => string
  /** An empty line now and then, for a reader that wants to know that the stream lives. */
  readonly hasBeat?: boolean
  /** Begins to write to it; returns what ends that. */
  readonly feed: (stream: LineStream) => () => void
}

/** One reader of lines. What a slow one does not take in time it never gets: memory is bounded. */
export class LineStream {
  readonly #raw: Raw
  readonly #options: LineStreamOptions
  #dropped = 0
  #missed = 0
  #hasEnded = false

  constructor(raw: Raw, options: LineStreamOptions) {
    this.#raw = raw
    this.#options = options
    // The end of the connection reports why it broke off.
    raw.on('error', () => {})
    raw.on('close', () => (this.#hasEnded = true))
    raw.on('drain', () => {
      this.#missed = 0
      this.#tell()
    })
  }

  write(line: string): void {
    if (this.#hasEnded) return
    if (this.#raw.writableLength > unreadBytesMax) {
      this.#dropped++
      return
    }
    this.#tell()
    this.#raw.write(line)
  }

  /** A reader that takes nothing for a minute, although something waits, is cut off. */
  beat(): void {
    if (this.#hasEnded) return
    if (this.#raw.writableNeedDrain) {
      if (++this.#missed >= beatsMissedMax) this.#raw.destroy()
    } else if (this.#options.hasBeat === true) this.#raw.write('\n')
  }

  /** Ends it after what was sent; a reader that takes nothing must not hold up a stop. */
  end(): void {
    this.#hasEnded = true
    if (this.#raw.writableNeedDrain) this.#raw.destroy()
    else this.#raw.end()
  }

  #tell(): void {
    if (this.#dropped === 0 || this.#hasEnded) return
    const count = this.#dropped
    this.#dropped = 0
    this.#raw.write(this.#options.dropped(count))
  }
}

/** The streams of lines that are open: of the log, and of metrics. */
export class LineStreams {
  readonly #streams = new Set<LineStream>()
  readonly #beatMs: number
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  /** `beat`: how often streams are looked at; default 15 s. */
  constructor(beat = beatMs) {
    this.#beatMs = beat
  }

  /** Answers `reply`, whose client is still there, with a stream that ends with its connection, or with {@link stop}. */
  open(reply: FastifyReply, contentType: string, options: LineStreamOptions): FastifyReply {
    if (this.#isStopped) throw svcdError('stopping', {})
    reply
      .header('Content-Type', contentType)
      .header('Cache-Control', 'no-store')
      .header('X-Content-Type-Options', 'nosniff')
      // nginx holds answers back without this.
      .header('X-Accel-Buffering', 'no')
      // A stream ends with its connection, so that no client waits to use it again.
      .header('Connection', 'close')
      .hijack()
    const { raw } = reply
    raw.writeHead(200, reply.getHeaders() as Record<string, string | string[]>)
    // Immediately, because the first line may take long.
    raw.flushHeaders()
    const stream = new LineStream(raw, options)
    this.#streams.add(stream)
    this.#timer ??= setInterval(() => this.#beat(), this.#beatMs).unref()
    const stopFeeding = options.feed(stream)
    raw.once('close', () => {
      stopFeeding()
      this.#streams.delete(stream)
      if (this.#streams.size === 0) this.#stopBeating()
    })
    return reply
  }

  stop(): void {
    this.#isStopped = true
    for (const stream of this.#streams) stream.end()
  }

  #beat(): void {
    for (const stream of this.#streams) stream.beat()
  }

  #stopBeating(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
